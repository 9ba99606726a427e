"""Submissions as whole sets of objects, uploaded to a World and signed by whoever a test wants."""

import json
from typing import Any

from signoff.submission.layout import REPORT
from tests.support.world import MANIFEST, MODEL, QUALITY, World

PREFIX, OTHER = "churn/run-7", "churn/run-8"
MANIFEST_KEY, MODEL_KEY, SIGNED_KEY = (
    f"{PREFIX}/{name}" for name in ("manifest.json", "model.tar.gz", "submission.json")
)
OBJECTS = {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}
EVE, JOB = "arn:aws:iam::123456789012:user/eve", "arn:aws:sts::123456789012:assumed-role/Training/job-1"
PROFILE = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-1/eve"
THEIRS = "210987654321"
STRANGERS = f"arn:aws:iam::{THEIRS}:user/sam"


def faults(world: World, prefix: str = PREFIX) -> dict[str, str]:
    report = json.loads(world.inbox.versions[f"{prefix}/{REPORT}"][-1].data)
    return {fault["path"]: fault["message"] for fault in report["faults"]}


def upload(world: World, files: dict[str, Any]) -> str:
    """Upload objects in their order and return what came of the last."""
    return [world.upload(key, data) for key, data in files.items()][-1]


def refused(world: World, signed: Any) -> str:
    """Upload all objects and then `signed` as submission.json; return what its sender reads of it."""
    upload(world, {**world.signed(PREFIX, OBJECTS), SIGNED_KEY: signed})
    assert world.registry.described == {}
    assert world.inbox.tags(SIGNED_KEY)["signoff:registration"] == "refused"
    return faults(world)["submission.json"]


def registration(world: World, prefix: str = PREFIX) -> dict[str, Any]:
    document: dict[str, Any] = world.vault.read_named(f"registrations/{world.submissions.rows[prefix]['attempt']}.json")
    return document
