"""Tar archives, read forward once: headers, names, links and contents."""
