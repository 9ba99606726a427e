"""What whoever listens on the bus is told: one event for each thing that happens, all in one shape."""

from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.groups import Group, Package
from tests.support.submissions import honest
from tests.support.witness import Event


def assert_announces(event: Event, package: Package, group: Group, **facts: Any) -> None:
    """Assert that an event has the shape that all of Signoff's have, and states `facts`."""
    detail = event["detail"]
    entry = package.pipeline.history(package.arn).entries[detail["sequence"] - 1]
    assert event["source"] == "signoff"
    assert (detail["package"], detail["group"], detail["version"]) == (package.arn, group.name, 1)
    assert (detail["time"], detail["entry"], detail["actor"]) == (entry.time, str(entry.kind), entry.actor)
    assert datetime.fromisoformat(detail["time"]).tzinfo is not None
    assert {name: detail[name] for name in facts} == facts


def test_a_package_that_passes_is_announced_at_every_step(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    model = package.approve()
    package.decide("revoke", reason="Drifts on the new cohort")
    evidence, approver = package.state.evidence or {}, pipeline.user("approver")
    proof = {"uri": evidence["uri"], "sha256": evidence["sha256"], "verdict": "passed", "checks": evidence["checks"]}

    told = {kind: pipeline.event(kind, package.arn) for kind in ("Validation Completed", "Approval Requested")}
    approved = pipeline.event("Decision Recorded", package.arn, decision="approve")
    revoked = pipeline.event("Decision Recorded", package.arn, decision="revoke")
    created = pipeline.event("Model Created", package.arn)
    retired = pipeline.event("Model Retired", package.arn)

    assert_announces(told["Validation Completed"], package, group, **proof)
    assert_announces(told["Approval Requested"], package, group, **proof)
    assert_announces(approved, package, group, actor=approver, evidence=evidence["sha256"])
    assert_announces(revoked, package, group, actor=approver, reason="Drifts on the new cohort")
    assert_announces(created, package, group, model={"name": model["ModelName"], "arn": model["ModelArn"]})
    assert_announces(retired, package, group, model=model["ModelName"])


@pytest.mark.deep
def test_a_refused_decision_is_announced(group: Group) -> None:
    package = group.pending()

    package.decide("approve", by="submitter")

    submitter = group.pipeline.user("submitter")
    event = group.pipeline.event("Decision Refused", package.arn)
    assert_announces(event, package, group, refusal="OwnModel", actor=submitter, decision="approve")


def test_a_refused_registration_is_announced_under_its_submission(group: Group) -> None:
    submission = group.submit(honest() | {"manifest.json": b"{"})

    event = group.pipeline.event("Registration Failed", submission.prefix)

    detail = event["detail"]
    assert event["source"] == "signoff"
    assert (detail["package"], detail["group"], detail["version"]) == (submission.prefix, group.name, None)
    assert (detail["submission"], detail["sequence"], detail["fault_count"]) == (submission.prefix, 1, 1)


def test_each_announcement_comes_once_and_in_the_ledgers_order(group: Group) -> None:
    package = group.pending()
    package.approve()
    pipeline = group.pipeline
    pipeline.event("Model Created", package.arn)

    types = ("Validation Completed", "Approval Requested", "Decision Recorded", "Model Created")
    heard = [event["detail"]["sequence"] for kind in types for event in pipeline.witness.heard(kind, package.arn)]

    assert heard == [3, 3, 4, 6]


def test_nobody_but_the_announcer_speaks_as_signoff(group: Group) -> None:
    package, bus = group.pending(), group.pipeline.outputs["BusName"]
    entry = {"EventBusName": bus, "Source": "signoff", "DetailType": "Model Created", "Detail": "{}"}

    with pytest.raises(ClientError, match="AccessDenied"):
        group.pipeline.aws("events", "submitter").put_events(Entries=[entry])

    assert group.pipeline.witness.heard("Model Created", package.arn) == []
