"""Faults of single calls to AWS, from upload to retirement: `make sweep`. docs/reliability.md has what came of each."""
