"""Looking a provider over before anything is bought: free questions, and what their answers say of its profile."""
