"""Compute: functions, the workflow, builds, and their permissions."""
