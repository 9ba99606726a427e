"""Sweep: moves on whatever is stuck, every 15 minutes."""
