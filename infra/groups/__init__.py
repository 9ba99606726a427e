"""Model package groups: their policies, and projects that make them."""
