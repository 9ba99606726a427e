"""Identities: the person behind an ARN, and the proof of who signed a statement."""
