"""Approval: what people decide of a package, and what becomes due by itself."""
