"""Attacks the inspection: composes disguised code, runs the real loaders on it, and tells what passes all the same."""
