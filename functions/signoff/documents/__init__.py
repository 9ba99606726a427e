"""Building blocks of documents: strict and canonical JSON, faults by path, timestamps, and untrusted text."""
