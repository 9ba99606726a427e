"""Policies before they are deployed: checks, explanations, and their JSON Schema."""
