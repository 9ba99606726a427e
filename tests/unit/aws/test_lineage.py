"""The lineage's adapter on the engine's SageMaker, which refuses what AWS's own model does not allow."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from local.sagemaker.account import RequestRefused, service_model
from signoff.aws.lineage import Lineage
from tests.support.fake_lineage import FakeLineage
from tests.support.local_sagemaker import OWN, REGION, LocalSageMaker

PACKAGE = f"arn:aws:sagemaker:{REGION}:{OWN}:model-package/tumours/1"
APPROVAL = {"Source": {"SourceUri": PACKAGE, "SourceType": "ARN"}, "ActionType": "Approval", "Status": "Completed"}
OPERATIONS = {xform_name(name): name for name in service_model().operation_names}


class Client:
    """A client of the engine's SageMaker, as boto3 makes one; `asked` are the operations it was asked for."""

    def __init__(self, local: LocalSageMaker) -> None:
        self._local = local
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append(OPERATIONS[name])
            try:
                return self._local.ask(OPERATIONS[name], **request)
            except RequestRefused as refused:
                error = {"Error": {"Code": refused.code, "Message": refused.message}}
                raise ClientError(error, OPERATIONS[name]) from refused

        return call


@pytest.fixture
def local() -> LocalSageMaker:
    return LocalSageMaker()


@pytest.fixture
def client(local: LocalSageMaker) -> Client:
    return Client(local)


@pytest.fixture(params=[Lineage, lambda _: FakeLineage()], ids=["adapter", "fake"])
def either(request: pytest.FixtureRequest, client: Client) -> Any:
    return request.param(client)


def test_an_action_that_is_not_there_is_not_changed(either: Any) -> None:
    assert either.update_action("signoff-tumours-1", {"Status": "Stopped"}) is None


def test_an_action_that_is_there_is_changed_under_its_arn(either: Any) -> None:
    arn = either.create_action("signoff-tumours-1", APPROVAL)

    assert either.update_action("signoff-tumours-1", {"Status": "Stopped"}) == arn


def test_an_artifact_is_made_once_for_a_uri(either: Any) -> None:
    assert either.artifact(PACKAGE, "Model") == either.artifact(PACKAGE, "Model")


def test_the_artifact_that_sagemaker_made_is_taken_whatever_its_type(local: LocalSageMaker, client: Client) -> None:
    made = local.ask("CreateArtifact", Source={"SourceUri": PACKAGE}, ArtifactType="Something")["ArtifactArn"]

    assert Lineage(client).artifact(PACKAGE, "Model") == made
    assert client.asked == ["ListArtifacts"]


def test_an_association_is_made_once(local: LocalSageMaker, client: Client) -> None:
    lineage = Lineage(client)
    action, artifact = lineage.create_action("signoff-tumours-1", APPROVAL), lineage.artifact(PACKAGE, "Model")

    lineage.associate(action, artifact, "ContributedTo")
    lineage.associate(action, artifact, "ContributedTo")

    (found,) = local.ask("ListAssociations", DestinationArn=artifact)["AssociationSummaries"]
    assert (found["SourceArn"], found["SourceType"], found["AssociationType"]) == (action, "Approval", "ContributedTo")
    assert client.asked.count("AddAssociation") == 1


def test_another_error_is_not_taken_for_an_absent_action(client: Client) -> None:
    with pytest.raises(ClientError, match="validation error"):
        Lineage(client).update_action("no name!", {"Status": "Stopped"})
