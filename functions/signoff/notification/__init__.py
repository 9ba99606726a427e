"""Events and notifications about the ledger's entries."""
