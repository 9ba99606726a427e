"""What the command reads of packages."""
