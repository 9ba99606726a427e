"""Storage: buckets, tables, keys."""
