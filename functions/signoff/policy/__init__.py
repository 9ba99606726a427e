"""Policies of model package groups: reading them, and all their faults."""
