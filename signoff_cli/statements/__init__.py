"""Statements that the command signs and sends."""
