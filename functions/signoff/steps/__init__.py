"""What each function does, step by step; the handlers beside this package only parse, call and return."""
