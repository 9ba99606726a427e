"""The report: all that is known of a package as one page, for whoever decides on it or asks about it later."""
