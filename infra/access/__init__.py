"""Who may do what: roles, permissions for others, guardrails."""
