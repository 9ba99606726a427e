"""Sweep: whatever lacks its next step is moved on, every 15 minutes."""
