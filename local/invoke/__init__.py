"""Functions invoked by hand, in a container."""
