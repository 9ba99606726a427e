"""Zip archives, read forward once and then held against their directory."""
