"""The engine's lineage keeps the rules of SageMaker's documentation for entities that people make."""

from typing import Any

import pytest

from local.sagemaker import lineage
from local.sagemaker.account import RequestRefused
from tests.support.local_sagemaker import OWN, REGION, LocalSageMaker

PREFIX = f"arn:aws:sagemaker:{REGION}:{OWN}"
SOURCE = {"SourceUri": f"{PREFIX}:model-package/tumours/1"}


@pytest.fixture
def local() -> LocalSageMaker:
    return LocalSageMaker()


def action(local: LocalSageMaker, name: str = "approved", **more: Any) -> str:
    asked = {"ActionName": name, "Source": SOURCE, "ActionType": "Approval", **more}
    return str(local.ask("CreateAction", **asked)["ActionArn"])


def artifact(local: LocalSageMaker, uri: str = "s3://data/a", kind: str = "DataSet") -> str:
    return str(local.ask("CreateArtifact", Source={"SourceUri": uri}, ArtifactType=kind)["ArtifactArn"])


def test_an_action_is_described_as_it_was_made(local: LocalSageMaker) -> None:
    arn = action(local, Properties={"reason": "better"}, Status="Completed")

    described = local.ask("DescribeAction", ActionName="approved")

    assert arn == f"{PREFIX}:action/approved"
    assert (described["Source"], described["Properties"]) == (SOURCE, {"reason": "better"})
    assert described == local.ask("DescribeAction", ActionName=arn)


def test_an_update_keeps_what_it_is_not_given_and_adds_or_removes_properties(local: LocalSageMaker) -> None:
    action(local, Properties={"a": "1", "b": "1"}, Status="Completed", Description="d")

    local.ask(
        "UpdateAction", ActionName="approved", Status="Stopped", Properties={"b": "2"}, PropertiesToRemove=["a", "x"]
    )

    described = local.ask("DescribeAction", ActionName="approved")
    assert (described["Status"], described["Description"], described["Properties"]) == ("Stopped", "d", {"b": "2"})


def test_what_is_there_is_not_made_again(local: LocalSageMaker) -> None:
    made, data = action(local), artifact(local)
    ends = {"SourceArn": data, "DestinationArn": made}
    local.ask("AddAssociation", **ends)

    refused = [
        local.refusal("CreateAction", ActionName="Approved", Source=SOURCE, ActionType="Approval"),
        local.refusal("CreateArtifact", Source={"SourceUri": "s3://data/a"}, ArtifactType="Other"),
        local.refusal("AddAssociation", **ends, AssociationType="Produced"),
    ]

    assert [(code, "already exists" in message) for code, message in refused] == [("ValidationException", True)] * 3


@pytest.mark.parametrize(
    ("operation", "request_of"),
    [
        ("DescribeAction", {"ActionName": "none"}),
        ("UpdateAction", {"ActionName": "none"}),
        ("DescribeArtifact", {"ArtifactArn": f"{PREFIX}:artifact/none"}),
        ("AddAssociation", {"SourceArn": f"{PREFIX}:action/none", "DestinationArn": f"{PREFIX}:action/none"}),
    ],
)
def test_what_is_not_there_is_named(local: LocalSageMaker, operation: str, request_of: dict[str, Any]) -> None:
    code, message = local.refusal(operation, **request_of)

    assert (code, "none does not exist" in message) == ("ResourceNotFound", True)


def test_artifacts_are_listed_by_source_and_type_the_latest_first(local: LocalSageMaker) -> None:
    first, second = artifact(local), artifact(local, "s3://data/b")
    artifact(local, "s3://data/c", "Model")

    by_source = local.ask("ListArtifacts", SourceUri="s3://data/b")["ArtifactSummaries"]
    by_type = local.ask("ListArtifacts", ArtifactType="DataSet")["ArtifactSummaries"]

    assert [each["ArtifactArn"] for each in by_source] == [second]
    assert [each["ArtifactArn"] for each in by_type] == [second, first]


def test_associations_are_listed_by_their_ends_and_types_in_pages(local: LocalSageMaker) -> None:
    made, data = action(local), [artifact(local, f"s3://data/{number}") for number in range(3)]
    for each in data:
        local.ask("AddAssociation", SourceArn=each, DestinationArn=made, AssociationType="ContributedTo")

    page = local.ask("ListAssociations", DestinationArn=made, SourceType="DataSet", MaxResults=2)
    rest = local.ask(
        "ListAssociations", DestinationArn=made, SourceType="DataSet", MaxResults=2, NextToken=page["NextToken"]
    )

    found = [each["SourceArn"] for each in (*page["AssociationSummaries"], *rest["AssociationSummaries"])]
    assert (found, rest.get("NextToken")) == (data[::-1], None)
    assert local.ask("ListAssociations", AssociationType="Produced")["AssociationSummaries"] == []


@pytest.mark.parametrize(("most", "made"), [("actions", action), ("artifacts", artifact)])
def test_quotas_are_low(local: LocalSageMaker, monkeypatch: pytest.MonkeyPatch, most: str, made: Any) -> None:
    monkeypatch.setitem(lineage._MOST, most, 0)

    with pytest.raises(RequestRefused, match=f"0 {most}, and 0 are allowed") as refused:
        made(local)

    assert refused.value.code == "ResourceLimitExceeded"


def test_both_ends_of_an_association_have_to_be_allowed(local: LocalSageMaker) -> None:
    ends = {"SourceArn": action(local), "DestinationArn": artifact(local)}
    local.forbidden.add(("sagemaker:AddAssociation", ends["DestinationArn"]))

    assert local.refusal("AddAssociation", **ends)[0] == "AccessDeniedException"
