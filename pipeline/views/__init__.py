"""Looking at a run, from its folder alone."""
