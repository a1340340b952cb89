"""Settling submits of unknown outcome: what the provider's list, or a repeated key, proves about them. Pure."""
