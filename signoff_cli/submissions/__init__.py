"""What the command uploads, and what becomes of it."""
