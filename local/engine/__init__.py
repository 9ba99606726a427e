"""The engine: a process of its own, and who may call it."""
