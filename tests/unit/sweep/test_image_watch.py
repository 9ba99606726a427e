"""A later scan that finds more in the champion's image is told once, and revokes where a policy says so."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.errors import ScanMissing, ScanPending
from signoff.ledger.entries import Entry, Kind, Status
from signoff.model_package.image_scans import Finding
from signoff.notification.announcements import announcements
from signoff.notification.notifications import notifications
from tests.support.image_scans import scanned
from tests.support.world import APPROVER, PINNED, REPOSITORY, ROLE, World

LOW, HIGH = Finding("CVE-1", "LOW"), Finding("CVE-2", "HIGH", "openssl 1.1", "1.2")
CRITICAL = Finding("CVE-3", "CRITICAL")
NEXT_DOOR = "222222222222/us-east-1"


def deployed(*found: Finding, **policy: Any) -> tuple[World, str]:
    images = {"block_at": "HIGH", **policy.pop("images", {})}
    world = World(images=images, **policy)
    world.scans.results[PINNED] = [scanned(*found)]
    return world, world.approved()


def finds(world: World, *found: Finding | Exception) -> dict[str, int]:
    """Let the next scan find these, and sweep at the time of day at which images are looked at."""
    failed = [each for each in found if isinstance(each, Exception)]
    world.scans.results[PINNED] = [*failed] or [scanned(*found)]  # type: ignore[arg-type]
    return world.sweep_images()


def told(world: World, arn: str) -> list[Entry]:
    return [entry for entry in world.history(arn).entries if entry.kind is Kind.IMAGE_FINDINGS_CHANGED]


def test_what_a_later_scan_finds_is_told_by_name_and_revokes_nothing_by_itself():
    world, arn = deployed(LOW)
    assert finds(world, LOW, HIGH, CRITICAL) == {"image findings": 1}
    (entry,) = told(world, arn)
    assert entry.details["found"] == ["CVE-3", "CVE-2"]
    (image,) = entry.details["images"]
    assert (image["image"], image["refused"]) == (PINNED, 2)
    assert image["scan"]["counts"] == {"CRITICAL": 1, "HIGH": 1, "LOW": 1}
    assert entry.details["evidence"] == world.state(arn).evidence["sha256"]
    assert world.state(arn).status is Status.APPROVED
    assert [event.type for event in announcements(entry)] == ["Image Findings Changed"]
    (message,) = notifications(entry)
    assert "CVE-2 HIGH in openssl 1.1 (fixed in 1.2)" in message.text


def test_it_is_told_once_and_again_only_when_there_is_more():
    world, arn = deployed()
    for found in ((HIGH,), (HIGH,), (), (HIGH,), (HIGH, CRITICAL)):
        finds(world, *found)
    assert [entry.details["found"] for entry in told(world, arn)] == [["CVE-2"], ["CVE-3"]]


def test_images_are_looked_at_once_a_day():
    world, _ = deployed()
    asked: list[str] = []
    scan = world.scans.scan
    world.scans.scan = lambda image: (asked.append(image), scan(image))[1]  # type: ignore[method-assign]
    for _ in range(2 * 96):
        world.sweep(minutes=15)
    assert asked == [PINNED, PINNED]


def test_what_the_policy_does_not_refuse_is_not_told():
    world, arn = deployed(images={"accepted": [{"id": "CVE-2", "until": "2026-03-31"}]})
    finds(world, LOW, HIGH)
    assert told(world, arn) == []


def test_what_was_accepted_is_told_when_that_is_over():
    world, arn = deployed(HIGH, images={"accepted": [{"id": "CVE-2", "until": "2026-03-03"}]})
    finds(world, HIGH)
    assert told(world, arn) == []
    world.clock.forward(days=1)
    finds(world, HIGH)
    assert [entry.details["found"] for entry in told(world, arn)] == [["CVE-2"]]


def test_what_the_evidence_named_is_not_told_when_the_policy_gets_stricter():
    world, arn = deployed(HIGH, images={"block_at": "CRITICAL"})
    world.set_policy("default", images={"block_at": "HIGH"})
    finds(world, HIGH, CRITICAL)
    assert [entry.details["found"] for entry in told(world, arn)] == [["CVE-3"]]


def test_in_report_mode_it_is_told_and_nothing_revoked():
    world, arn = deployed(images={"revoke": True}, mode="report")
    finds(world, HIGH)
    assert (len(told(world, arn)), world.state(arn).status) == (1, Status.APPROVED)


def test_many_findings_are_told_a_hundred_a_day():
    world, arn = deployed()
    many = [Finding(f"CVE-{number:03}", "HIGH") for number in range(130)]
    for _ in range(3):
        finds(world, *many)
    assert [len(entry.details["found"]) for entry in told(world, arn)] == [100, 30]
    assert len(told(world, arn)[0].details["images"][0]["findings"]) == 20


def test_a_policy_may_revoke_for_it():
    world, arn = deployed(images={"revoke": True})
    assert finds(world, HIGH) == {"image findings": 1, "deadline": 1}
    state = world.state(arn)
    assert (state.status, state.revoked_for, state.model) == (Status.REVOKED, "images", None)
    assert state.decision["reason"] == "a scan found more in its image than was approved: CVE-2"
    assert world.registry.described[arn]["ModelApprovalStatus"] == "Rejected"


def test_nothing_is_revoked_for_what_the_policy_has_accepted_since():
    world, arn = deployed()
    finds(world, HIGH)
    accepted = [{"id": "CVE-2", "until": "2026-12-31"}]
    world.set_policy("default", images={"block_at": "HIGH", "revoke": True, "accepted": accepted})
    world.sweep()
    assert world.state(arn).status is Status.APPROVED
    world.set_policy("default", images={"block_at": "HIGH", "revoke": True})
    world.sweep()
    assert world.state(arn).status is Status.REVOKED


def test_who_rolls_back_to_it_in_spite_of_it_is_not_undone():
    world, arn = deployed(images={"revoke": True})
    finds(world, HIGH)
    world.clock.forward(minutes=1)
    world.decide(arn, "rollback", APPROVER)
    world.deliver()
    finds(world, HIGH)
    assert (world.state(arn).status, len(told(world, arn))) == (Status.APPROVED, 1)
    finds(world, HIGH, CRITICAL)
    assert world.state(arn).status is Status.REVOKED


def test_only_champions_are_looked_at():
    world, first = deployed()
    world.clock.forward(minutes=1)
    second = world.approved(prefix="churn/run-8")
    finds(world, HIGH)
    assert (told(world, first), len(told(world, second))) == ([], 1)


def test_the_champion_of_each_place_is_looked_at():
    account, region = NEXT_DOOR.split("/")
    target = {"account": account, "region": region, "execution_role": f"arn:aws:iam::{account}:role/models"}
    world, first = deployed(deployment={"execution_role": ROLE, "targets": [target]})
    world.places.closed.add(NEXT_DOOR)
    world.clock.forward(minutes=1)
    second = world.approved(prefix="churn/run-8")
    finds(world, HIGH)
    assert (world.state(first).superseded, world.state(second).targets[NEXT_DOOR].model) == (True, None)
    assert (len(told(world, first)), len(told(world, second))) == (1, 1)


def test_an_image_that_has_no_scan_any_more_is_a_problem_and_one_that_is_scanned_again_is_none():
    world, arn = deployed()
    assert finds(world, ScanMissing("the scan has expired")) == {"problem": 1}
    assert finds(world, ScanPending("the scan is running")) == {}
    assert told(world, arn) == []


@pytest.mark.parametrize("images", [{"block_at": None}, {"exempt": [REPOSITORY]}])
def test_nobody_is_asked_about_what_the_policy_does_not_ask(images: dict[str, Any]):
    world, arn = deployed(images=images)
    assert finds(world, ScanMissing("nobody should ask")) == {}
    assert told(world, arn) == []
