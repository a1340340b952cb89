"""A job becomes a request, a reply becomes a fact. Providers are data; dialects are pure."""
