"""The videos of a run as datasets that others read, and its jobs as tables."""
