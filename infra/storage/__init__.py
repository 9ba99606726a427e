"""What is kept: buckets, tables, keys."""
