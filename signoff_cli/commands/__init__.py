"""The commands, each a thin shell over the modules beside this package. Each imports what it needs when it runs."""
