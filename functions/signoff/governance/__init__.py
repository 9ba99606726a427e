"""Which packages are governed, what they were registered with, and how the registry shows what the ledger says."""
