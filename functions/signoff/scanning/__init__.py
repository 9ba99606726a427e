"""What is in an artifact's members: code that would run on load, and whether a format is what it says, as streams."""
