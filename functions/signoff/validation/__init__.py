"""Validation: from a registered package to the evidence about it."""
