"""Bytes that are read forward once, in bounded memory: readers, limits, and what stops the reading."""
