"""People who decide, and a world in which a package awaits their decision."""

from typing import Any

from signoff.approval.decisions import Refusal
from tests.support.world import APPROVER, World

ACCOUNT = "123456789012"
ANN, BEN, EVE = APPROVER, f"arn:aws:iam::{ACCOUNT}:user/ben", f"arn:aws:iam::{ACCOUNT}:user/eve"
JOB = f"arn:aws:sts::{ACCOUNT}:assumed-role/training/job-7"
TWO_ROLES = {"roles": {"risk": {"members": [ANN, BEN]}, "owners": {"members": [BEN, EVE]}}}
TICKETS = {"identity": "asserted", "publishers": {"tickets": [f"arn:aws:iam::{ACCOUNT}:role/tickets"]}}


def sso(name: str, permission_set: str = "Approver", account: str = ACCOUNT) -> str:
    return f"arn:aws:sts::{account}:assumed-role/AWSReservedSSO_{permission_set}_0123456789abcdef/{name}"


def asking(**approvals: Any) -> tuple[World, str]:
    """A world with a package that awaits a decision under a policy with those `approvals`."""
    world = World(approvals=approvals)
    return world, world.pending()


def refused(outcome: Any) -> str:
    assert isinstance(outcome, Refusal)
    return outcome.name
