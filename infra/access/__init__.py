"""Access: roles, permissions for others, guardrails."""
