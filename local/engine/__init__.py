"""The engine's process and users."""
