"""Finds what is stuck in a deployed Signoff, and returns dead letters to where they are handled."""
