"""The command in an account beside the registry's: what it finds there, what it refuses, what it can see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from signoff.approval.annotations import Annotation, parse
from signoff_cli import workload
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.progress import Deadline, TimedOut
from signoff_cli.stack import Stack
from signoff_cli.statements.decision import DecisionRequest
from signoff_cli.workload import RegistryLocation

CENTRAL = RegistryLocation("123456789012", "us-east-1")
GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/churn"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/3"
ANN = "arn:aws:iam::222222222222:user/ann"
OUTPUTS = {"CentralAccount": CENTRAL.account, "CentralRegion": CENTRAL.region, "ArtifactsBucket": "central-artifacts"}
PASSED = {"signoff:verdict": "passed", "signoff:evidence": "e" * 64}


class Registry:
    """The registry as another account sees it: groups by ARN, and one package whose descriptions follow one another."""

    def __init__(self, *descriptions: dict[str, Any]) -> None:
        self._descriptions: Iterator[dict[str, Any]] = iter(descriptions)
        self._last: dict[str, Any] = {}
        self.groups = {GROUP: "Churn"}

    def describe(self, arn: str) -> dict[str, Any]:
        assert arn == PACKAGE
        self._last = next(self._descriptions, self._last)
        return self._last

    def group_name(self, group: str) -> str | None:
        return self.groups.get(group)


def shown(status: str, why: str = "", **metadata: str) -> dict[str, Any]:
    facts = {"ModelPackageGroupName": "Churn", "ModelPackageVersion": 3, "ApprovalDescription": why}
    return {"ModelApprovalStatus": status, "CustomerMetadataProperties": metadata, **facts}


def deadline(pauses: int = 5) -> Deadline:
    """A patience that ends after that many pauses, without a real one."""
    moments: Sequence[float] = [0.0] * (2 * pauses) + [9.0] * 10
    ticks = iter(moments)
    return Deadline(1.0, clock=lambda: next(ticks), sleep=lambda _: None)


def test_a_group_is_named_by_name_or_arn_and_submitted_to_as_it_was_written():
    assert workload.resolve_group("churn", CENTRAL, Registry()) == "Churn"
    assert workload.resolve_group(GROUP, CENTRAL, Registry()) == "Churn"


@pytest.mark.parametrize(
    ("group", "complaint"),
    [
        (GROUP.replace("123456789012", "999999999999"), "not a model package group of the registry in account 1234"),
        (GROUP.replace("us-east-1", "eu-west-1"), "not a model package group of the registry"),
        (PACKAGE, "not a model package group"),
        ("other", "no access to a group other"),
    ],
)
def test_a_group_elsewhere_or_one_that_is_not_open_is_refused(group, complaint):
    with pytest.raises(CommandFailed, match=complaint):
        workload.resolve_group(group, CENTRAL, Registry())


def test_a_package_is_named_by_its_version_in_the_registrys_account():
    assert workload.package_arn("Churn/3", CENTRAL) == PACKAGE
    assert workload.package_arn(PACKAGE, CENTRAL) == PACKAGE


def test_a_package_is_waited_for_until_its_metadata_says_how_it_was_judged():
    registry = Registry(shown("PendingManualApproval"), shown("PendingManualApproval", **PASSED))
    assert workload.failure_reason(workload.wait_until_validated(registry, PACKAGE, deadline())) is None


def test_why_a_package_did_not_pass_stands_in_its_description():
    registry = Registry(shown("Rejected", "Signoff refused this package. accuracy: below"))
    assert workload.failure_reason(workload.wait_until_validated(registry, PACKAGE, deadline())) == (
        "Signoff refused this package. accuracy: below"
    )


def test_a_package_that_is_not_judged_in_time_is_told_of():
    with pytest.raises(TimedOut, match="timed out waiting for the validation"):
        workload.wait_until_validated(Registry(shown("PendingManualApproval")), PACKAGE, deadline())


@pytest.mark.parametrize(
    ("decision", "status"),
    [("approve", "Approved"), ("reject", "Rejected"), ("revoke", "Rejected"), ("reopen", "PendingManualApproval")],
)
def test_a_decision_is_seen_by_the_packages_status(decision, status):
    asked = DecisionRequest(PACKAGE, decision, ANN, "because")
    before = "Rejected" if decision == "reopen" else "PendingManualApproval"
    registry = Registry(shown(before), shown(status, "by ann"))
    assert workload.wait_until_decided(registry, asked, deadline())["ApprovalDescription"] == "by ann"
    assert workload.shows_decision(shown(status), asked)


def test_a_package_is_shown_as_sagemaker_describes_it_and_where_more_is_told():
    why = "Signoff refused this package. artifact:a: 1 error: why [rule]. Details: `signoff show Churn/3`."
    facts = {"ModelPackageArn": PACKAGE, **shown("Rejected", why, **{"signoff:verdict": "failed"})}
    assert workload.package_page(facts, CENTRAL) == [
        "Churn/3",
        f"package       {PACKAGE}",
        "in SageMaker  Rejected",
        f"reason        {why}",
        "verdict       failed",
        "ledger        in account 123456789012 (us-east-1): `signoff show` shows more there",
    ]


def test_a_decision_that_changes_nothing_says_where_its_refusal_is():
    asked = DecisionRequest(PACKAGE, "approve", ANN, "because")
    with pytest.raises(TimedOut, match=r"still PendingManualApproval.*`Decision Refused` on this account's bus"):
        workload.wait_until_decided(Registry(shown("PendingManualApproval")), asked, deadline())


def test_what_is_decided_here_is_on_the_evidence_that_the_package_shows():
    described, decision = workload.describe_for_decision(
        Registry(shown("PendingManualApproval", **PASSED)),
        DecisionRequest("Churn/3", "approve", ANN, "because"),
        CENTRAL,
    )
    assert described["CustomerMetadataProperties"] == PASSED
    assert (decision.package, decision.statement["evidence"]) == (PACKAGE, "e" * 64)


def test_what_is_decided_is_shown_before_it_is_sent():
    lines = workload.decision_summary(
        shown("PendingManualApproval", **PASSED), DecisionRequest(PACKAGE, "approve", ANN, "because")
    )
    assert lines[0] == "approve Churn/3"
    assert any("PendingManualApproval, verdict passed" in line for line in lines)


def annotation(**said: Any) -> Annotation:
    return parse({"package": PACKAGE, "by": ANN, **said})


def test_what_a_model_loads_is_not_added_from_here():
    said = annotation(set={"ticket": "CHG-1"})
    assert workload.require_metadata_only(said) is said
    with pytest.raises(CommandFailed, match="only be added from the registry's account"):
        workload.require_metadata_only(annotation(add_specifications=[{"Name": "gpu"}]))


def test_an_annotation_is_seen_by_the_packages_metadata():
    said = annotation(set={"ticket": "CHG-1"}, remove=["draft"])
    pending = "PendingManualApproval"
    steps = [shown(pending, draft="yes"), shown(pending, ticket="CHG-1", draft="yes"), shown(pending, ticket="CHG-1")]
    assert [workload.shows_annotation(each, said) for each in steps] == [False, False, True]
    assert workload.wait_until_annotated(Registry(*steps), said, deadline()) == steps[-1]


def test_an_annotation_that_changes_nothing_says_where_its_refusal_is():
    with pytest.raises(TimedOut, match=r"does not show it.*`Decision Refused`.*on this account's bus"):
        workload.wait_until_annotated(Registry(shown("Approved")), annotation(set={"ticket": "CHG-1"}), deadline())


def test_what_is_annotated_is_shown_before_it_is_sent():
    said = annotation(set={"ticket": "CHG-1"}, remove=["draft"])
    lines = workload.annotation_summary(shown("Approved"), said, ANN)
    assert lines[0] == "annotate Churn/3"
    assert [line.split(maxsplit=1) for line in lines[3:5]] == [["set", "ticket = CHG-1"], ["remove", "draft"]]


def test_what_only_the_registrys_account_knows_is_refused_with_where_to_ask():
    stack = Stack(OUTPUTS)
    assert stack.registry_location == CENTRAL
    assert stack.output("ArtifactsBucket") == "central-artifacts"
    with pytest.raises(
        CommandFailed, match=r"registry, which is in account 123456789012 \(us-east-1\).*`signoff submit`"
    ):
        stack.output("LedgerTable")


def test_the_registrys_own_stack_knows_of_no_other():
    stack = Stack({"ArtifactsBucket": "artifacts"})
    assert stack.registry_location is None
    with pytest.raises(CommandFailed, match="has no output LedgerTable"):
        stack.output("LedgerTable")
