"""Which packages are governed, how they were registered, and the ledger's projection to the registry."""
