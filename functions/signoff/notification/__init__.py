"""What the bus and people are told of the ledger's entries."""
