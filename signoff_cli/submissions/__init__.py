"""Submissions: uploads and their registration."""
