"""Files by their name that make a server fetch or run something when it starts: what they ask for."""
