"""What runs: functions, the workflow, builds, and what each may do."""
