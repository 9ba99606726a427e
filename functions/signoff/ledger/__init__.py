"""The ledger: the append-only, hash-chained list of all that happened to a package, and the resulting state."""
