"""Runs the real loaders, each in a process of its own that may do little and is ended in time."""
