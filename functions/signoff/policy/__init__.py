"""What a group demands: its policy, read, explained fault by fault."""
