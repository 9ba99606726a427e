"""Submission: from objects under a prefix to a registered model package."""
