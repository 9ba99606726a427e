"""Auditing: all that is known of a ledger compared, decision by decision."""
