"""What a policy asks of images is checked, waited for, and in the evidence."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.errors import ScanMissing, ScanPending
from signoff.ledger.entries import Status
from signoff.model_package.image_scans import Finding, Scan
from tests.support.image_scans import scanned
from tests.support.validations import checks, evidence
from tests.support.world import IMAGE, PINNED, REPOSITORY, SPECIFICATION, World

HIGH = Finding("CVE-1", "HIGH", "openssl 1.1", "1.2")
RELEASE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/release"
PENDING = ScanPending(f"{PINNED} has not been scanned")


def world(*results: Scan | Exception, signed: Any = None, **images: Any) -> World:
    made = World(images=images)
    made.scans.results[PINNED] = list(results)
    made.scans.signed = {PINNED: signed} if signed is not None else {}
    return made


def validated(made: World) -> dict[str, tuple[str, str]]:
    arn = made.submit()
    made.deliver()
    return {name: each for name, each in checks(made, arn).items() if name.split(":")[0] in OURS}


OURS = ("registry", "scan", "signature")


def test_a_policy_that_asks_nothing_of_images_asks_ecr_nothing():
    made = world(ScanMissing("nobody should ask"))
    arn = made.pending()
    assert evidence(made, arn)["images"] == [
        {"image": PINNED, "digest": PINNED.partition("@")[2], "scan": None, "signed": None}
    ]


def test_an_image_without_refused_findings_passes_and_its_scan_is_in_the_evidence():
    made = world(scanned(HIGH), block_at="CRITICAL")
    arn = made.pending()
    assert checks(made, arn)[f"scan:{PINNED}"] == (
        "passed",
        "nothing refused at CRITICAL or above: 1 HIGH (enhanced scan of 2026-03-01T08:00:00.000Z)",
    )
    (image,) = evidence(made, arn)["images"]
    assert image["scan"] == {
        "kind": "enhanced",
        "status": "ACTIVE",
        "completed": "2026-03-01T08:00:00.000Z",
        "source_updated": "2026-02-28T00:00:00.000Z",
        "counts": {"HIGH": 1},
        "findings": [{"id": "CVE-1", "severity": "HIGH", "package": "openssl 1.1", "fixed_in": "1.2"}],
    }


def test_an_image_with_a_refused_finding_is_rejected_by_the_findings_name():
    made = world(scanned(HIGH), block_at="HIGH")
    status, reason = validated(made)[f"scan:{PINNED}"]
    assert status == "failed"
    assert reason.startswith("1 finding at HIGH or above: CVE-1 HIGH in openssl 1.1 (fixed in 1.2); use an image")
    assert made.state(next(iter(made.registry.described))).status is Status.VALIDATION_FAILED


def test_a_check_says_what_was_expected_and_what_was_observed():
    made = world(
        scanned(HIGH), signed={RELEASE: "COMPLETE"}, block_at="HIGH", signed_by=[RELEASE], repositories=["*/a"]
    )
    arn = made.submit()
    made.deliver()
    found = {each["name"].partition(":")[0]: each for each in evidence(made, arn)["checks"]}
    assert {name: (found[name]["expected"], found[name]["observed"]) for name in OURS} == {
        "registry": ("*/a", REPOSITORY),
        "scan": ("no finding at HIGH or above", "1 HIGH"),
        "signature": (RELEASE, f"{RELEASE}: COMPLETE"),
    }


def test_an_image_that_two_containers_run_is_asked_about_once():
    made = world(scanned(HIGH), scanned(), block_at="HIGH")
    containers = [{"Image": image, "ModelDataUrl": "model.tar.gz"} for image in (IMAGE, PINNED)]
    arn = made.submit(InferenceSpecification={**SPECIFICATION, "Containers": containers})
    made.deliver()
    assert made.scans.results[PINNED] == [scanned()]
    assert [name for name in checks(made, arn) if name.startswith("scan:")] == [f"scan:{PINNED}"]


def test_many_findings_are_counted_and_the_worst_named():
    made = world(scanned(*[Finding(f"CVE-{number:03}", "HIGH", "p" * 90) for number in range(100)]), block_at="HIGH")
    arn = made.submit()
    made.deliver()
    _, reason = checks(made, arn)[f"scan:{PINNED}"]
    assert reason.startswith("100 findings at HIGH or above: CVE-000 HIGH in")
    assert " and 96 more; use an image" in reason
    assert len(evidence(made, arn)["images"][0]["scan"]["findings"]) == 20


def test_a_finding_is_accepted_until_its_day():
    rules: dict[str, Any] = {"block_at": "HIGH", "accepted": [{"id": "CVE-1", "until": "2026-03-02"}]}
    status, reason = validated(world(scanned(HIGH), **rules))[f"scan:{PINNED}"]
    assert (status, "1 HIGH; accepted: CVE-1 until 2026-03-02 (" in reason) == ("passed", True)
    late = world(scanned(HIGH), **rules)
    late.clock.forward(days=1)
    assert validated(late)[f"scan:{PINNED}"][0] == "failed"


def test_a_scan_that_is_not_finished_is_waited_for():
    made = world(PENDING, PENDING, scanned(), block_at="HIGH")
    assert validated(made)[f"scan:{PINNED}"][0] == "passed"


def test_a_scan_that_never_finishes_fails_the_candidate_and_ends_the_validation():
    made = world(PENDING, block_at="HIGH", wait_minutes=10)
    before = made.clock()
    status, reason = validated(made)[f"scan:{PINNED}"]
    assert (status, (made.clock() - before).total_seconds()) == ("errored", 600)
    assert reason == f"{PINNED} has not been scanned; the policy waits for 10 minutes"


def test_a_scan_that_cannot_be_had_fails_the_candidate_at_once():
    status, reason = validated(world(ScanMissing("allow ecr:DescribeImageScanFindings"), block_at="LOW"))[
        f"scan:{PINNED}"
    ]
    assert (status, reason) == ("errored", "allow ecr:DescribeImageScanFindings")


def test_images_of_exempt_repositories_need_neither_scan_nor_signature():
    found = validated(world(ScanMissing("AWS's"), exempt=[REPOSITORY], block_at="LOW", signed_by=[RELEASE]))
    assert {name: status for name, (status, _) in found.items()} == {
        f"scan:{PINNED}": "passed",
        f"signature:{PINNED}": "passed",
    }
    assert all("the policy's images.exempt lists its repository" in reason for _, reason in found.values())


@pytest.mark.parametrize(
    ("allowed", "expected"), [(REPOSITORY, "passed"), (f"{REPOSITORY}/*", "failed"), ("*/sklearn", "passed")]
)
def test_an_image_comes_from_a_repository_that_the_policy_allows(allowed: str, expected: str):
    status, reason = validated(world(repositories=[allowed]))[f"registry:{PINNED}"]
    assert (status, REPOSITORY in reason) == (expected, True)


@pytest.mark.parametrize(
    ("signed", "expected", "reason"),
    [
        ({RELEASE: "COMPLETE", "other": "FAILED (x)"}, "passed", f"ECR says that it signed the image with {RELEASE}"),
        ({RELEASE: "FAILED (AccessDenied)"}, "failed", f"({RELEASE}: FAILED (AccessDenied))"),
        ({"other": "COMPLETE"}, "failed", "(other: COMPLETE)"),
        ({}, "failed", "(none)"),
        (ScanMissing("may not ask"), "errored", "may not ask"),
    ],
)
def test_an_image_is_signed_with_a_profile_that_the_policy_names(signed: Any, expected: str, reason: str):
    made = world(signed=signed, signed_by=[RELEASE])
    arn = made.submit()
    made.deliver()
    status, said = checks(made, arn)[f"signature:{PINNED}"]
    assert (status, reason in said) == (expected, True)
    known = None if isinstance(signed, Exception) else expected == "passed"
    assert evidence(made, arn)["images"][0]["signed"] is known


def test_a_signature_that_is_being_made_is_waited_for():
    made = world(signed=ScanPending("ECR is still signing it"), signed_by=[RELEASE], wait_minutes=4)
    status, reason = validated(made)[f"signature:{PINNED}"]
    assert (status, reason) == ("errored", "ECR is still signing it; the policy waits for 4 minutes")


def test_in_report_mode_what_is_refused_is_told_and_left():
    made = World(mode="report", images={"block_at": "HIGH"})
    made.scans.results[PINNED] = [scanned(HIGH)]
    arn = made.submit()
    made.deliver()
    assert checks(made, arn)[f"scan:{PINNED}"][0] == "failed"
    assert made.registry.described[arn]["ModelApprovalStatus"] == "PendingManualApproval"
