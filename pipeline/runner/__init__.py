"""Carrying out a plan: the submit, watch and collect lanes in one task group."""
