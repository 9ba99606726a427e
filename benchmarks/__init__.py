"""How fast Signoff is and what it weighs, measured on this machine."""
