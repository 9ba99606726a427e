"""Constructs for other teams' CDK apps: the model that Signoff has approved, and the one that a group begins with."""

from signoff_cdk.approved_model import CHAMPIONS, ApprovedModel
from signoff_cdk.baseline_model import RECORDER, BaselineModel

__all__ = ["CHAMPIONS", "RECORDER", "ApprovedModel", "BaselineModel"]
