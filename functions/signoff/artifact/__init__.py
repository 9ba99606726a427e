"""Looks into the bytes of model artifacts, and knows no policy, no AWS and no clock."""
