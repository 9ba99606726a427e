"""Manifests before they are submitted: checks, and their JSON Schema."""
