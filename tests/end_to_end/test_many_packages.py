"""Annotations, the queue, and lists of many packages, with the command against the deployed pipeline."""

import json
from typing import Any

import pytest

from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, package_key
from tests.support import entries
from tests.support.counting import Door
from tests.support.depth import deep
from tests.support.groups import Group
from tests.support.pipeline import ANNOTATION
from tests.support.shell import Shell
from tests.support.submissions import IMAGE, as_json, honest, specification

BATCH = 100  # packages that one BatchDescribeModelPackage is asked for
MANY = 2 * BATCH + 50 if deep() else BATCH + 10


@pytest.fixture
def approver(group: Group) -> Shell:
    return Shell(group.pipeline, "approver")


def said(shell: Shell, *arguments: str) -> Any:
    """What the command prints with --json."""
    ended = shell.signoff(*arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_package_is_annotated_and_found_again_by_what_was_said(group: Group, approver: Shell) -> None:
    package = group.pending(honest(CustomerMetadataProperties={"draft": "yes"}, ModelPackageDescription="Tumours"))
    name, ticket = f"{group.name}/1", f"CHG-{group.name}"

    answer = said(approver, "annotate", name, "--set", f"ticket={ticket}", "--remove", "draft", "--yes")
    described = package.described()["CustomerMetadataProperties"]
    (queued,) = said(approver, "queue", "--metadata", f"ticket={ticket}")
    refused = approver.signoff("annotate", name, "--set", "signoff:verdict=passed", "--yes")

    assert (answer["outcome"], answer["set"], answer["removed"]) == ("recorded", {"ticket": ticket}, ["draft"])
    assert (described["ticket"], "draft" in described, described["signoff:verdict"]) == (ticket, False, "passed")
    assert (queued["package"], queued["metadata"], queued["verdict"]) == (package.arn, {"ticket": ticket}, "passed")
    assert queued["registry"]["ModelPackageDescription"] == "Tumours"
    assert refused.returncode == 1
    assert "NotAllowed" in refused.stderr
    assert group.pipeline.event("Package Annotated", package.arn)["detail"]["actor"] == group.pipeline.user("approver")
    assert package.status == "PendingApproval"


@pytest.mark.deep
def test_a_specification_added_to_a_pending_package_is_validated_and_to_an_approved_one_refused(
    group: Group, approver: Shell, tmp_path: Any
) -> None:
    package = group.pending()
    url = package.described()["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    for name in ("gpu", "arm"):
        (tmp_path / f"{name}.json").write_bytes(as_json({"Name": name, **specification(url, IMAGE)}))
    annotate = ("annotate", f"{group.name}/1", "--yes", "--add-specification")

    added = approver.signoff(*annotate, str(tmp_path / "gpu.json"))
    group.pipeline.quiet()
    attempts = package.until("PendingApproval").state.attempt
    package.approve(by="reviewer")  # the approver added to what is approved
    refused = approver.signoff(*annotate, str(tmp_path / "arm.json"))

    assert (added.returncode, attempts) == (0, 2)
    assert [each["Name"] for each in package.described()["AdditionalInferenceSpecifications"]] == ["gpu"]
    assert refused.returncode == 1
    assert "AlreadyDecided" in refused.stderr
    assert package.status == "Approved"


@pytest.mark.deep
def test_the_same_annotation_delivered_twice_is_made_once(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    said = {"package": package.arn, "set": {"a": "b"}}
    pipeline.say(pipeline.signed(said, statement="annotation"), kind=ANNOTATION)
    event = pipeline.witness.hears("Model Annotation", package.arn)
    pipeline.quiet()

    pipeline.deliver("Decision", event)

    assert package.kinds().count("Annotated") == 1


def many(group: Group) -> list[str]:
    """A group of many versions that await a decision, which were validated so long ago that nothing is left to do."""
    sagemaker, ledger = group.pipeline.aws("sagemaker"), group.pipeline.ledger
    url = f"s3://{group.pipeline.outputs['VaultBucket']}/models/{group.name}/model.tar.gz"
    group.create()
    with group.pipeline.without_rule("PackageRegistered"):
        arns = [group.register(InferenceSpecification=specification(url)).arn for _ in range(MANY)]
    for version, arn in enumerate(arns, 1):
        created = sagemaker.describe_model_package(ModelPackageName=arn)["CreationTime"]
        first = entries.registered(group=group.name, version=version)
        ledger.append(History(package_key(arn, created)), [first, entries.started(), entries.evidence()])
    return arns


def test_a_large_group_is_listed_without_describing_its_packages_one_by_one(group: Group) -> None:
    arns = many(group)
    group.pipeline.aws("sagemaker").delete_model_package(ModelPackageName=arns[6])

    with Door(group.pipeline.stack.engine.url).open() as door:
        listed = said(Shell(group.pipeline, "approver", door.url), "list", "--group", group.name.upper(), "--all")
        asked = dict(door.operations)
        queued = said(Shell(group.pipeline, "approver", door.url), "queue", "--group", group.name, "--limit", "0")
    group.pipeline.sweep()

    assert [row["version"] for row in listed] == list(range(MANY, 0, -1))
    assert [row["version"] for row in listed if row["error"]] == [7]
    assert "does not exist" in listed[-7]["error"]["ErrorResponse"]
    assert all(row["registry"]["ModelPackageStatus"] == "Completed" for row in listed if not row["error"])
    assert len(queued) == MANY
    assert asked["BatchDescribeModelPackage"] == -(-MANY // BATCH)
    assert "DescribeModelPackage" not in asked
    head = next(head for head in group.pipeline.ledger.rows_by_group(group.name) if head["version"] == 7)
    assert head["status"] == "Deleted"


@pytest.mark.deep
def test_what_awaits_a_decision_longest_comes_first(group: Group, approver: Shell) -> None:
    first, second = group.pending(), group.pending()
    first.pipeline.ledger.append(
        first.pipeline.history(first.arn),
        [Draft(Kind.DECISION_REFUSED, entries.APPROVER, {"decision": "approve", "refusal": "Test", "because": "-"})],
    )

    queued = said(approver, "queue", "--group", group.name)
    second.decide("reject")
    left = said(approver, "queue", "--group", group.name)

    assert [row["package"] for row in queued] == [first.arn, second.arn]
    assert [row["package"] for row in left] == [first.arn]
