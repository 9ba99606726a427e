"""Signoff: the gate between a trained model and production on AWS."""
