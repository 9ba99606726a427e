"""Pickles: what one would do when it is loaded, without loading it."""
