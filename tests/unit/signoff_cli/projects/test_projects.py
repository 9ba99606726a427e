"""`signoff projects`: how a project stands, what an update sends, and when it is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.ledger.history import History, package_key
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.progress import Deadline, TimedOut
from signoff_cli.projects.client import Project, ProjectClient
from signoff_cli.projects.updates import ProjectUpdate, describe_changes, update_request
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fake_projects import (
    ANN,
    ARN,
    MONDAY,
    PRODUCT,
    FakeGroups,
    FakeSageMaker,
    FakeServiceCatalog,
    made_from_s3,
    project,
    refused,
)
from tests.support.fakes import FakeLedger

NEWEST = "https://s3/t/v2.json"
STRICT = [{"Key": "Policy", "Value": "strict"}]


class World:
    """An account: its projects, the product's versions, groups by project, and a ledger."""

    def __init__(self, *projects: dict[str, Any], versions: int = 2, groups: FakeGroups | None = None) -> None:
        self.sagemaker = FakeSageMaker(*(projects or (project(),)))
        self.catalog = FakeServiceCatalog(versions)
        self.ledger = FakeLedger(Clock())
        groups = groups or FakeGroups(Churn="churn", churn_two="churn", other="fraud", plain="")
        self.projects = ProjectClient(self.sagemaker, self.catalog, groups, self.ledger, NEWEST)

    @property
    def project(self) -> Project:
        return self.projects.project("churn")

    def request(self, **change: Any) -> dict[str, Any]:
        """The UpdateProject that a change makes of the project `churn`."""
        return update_request(self.project, ProjectUpdate(**change))


def with_parameters(*pairs: tuple[str, str]) -> dict[str, Any]:
    given = [{"Key": key, "Value": value} for key, value in pairs]
    details = {"ProductId": PRODUCT, "ProvisioningArtifactId": "pa-1", "ProvisioningParameters": given}
    return project(ServiceCatalogProvisioningDetails=details)


def test_a_project_of_a_product_names_its_version_and_the_newest() -> None:
    source = World().project.source
    assert (source.kind, source.version, source.newest, source.behind) == ("product", "v1", "v2", True)
    assert not World(versions=1).project.source.behind


def test_a_deprecated_version_is_not_what_a_project_should_be_moved_to() -> None:
    world = World()
    world.catalog = FakeServiceCatalog(3, deprecated=("v3",))
    projects = ProjectClient(world.sagemaker, world.catalog, FakeGroups(), world.ledger, NEWEST)
    assert projects.project("churn").source.newest == "v2"


def test_a_product_that_one_may_not_use_leaves_the_version_an_id() -> None:
    world = World()
    world.catalog.visible = False
    source = world.project.source
    assert (source.version, source.newest, source.behind) == ("pa-1", None, False)


def test_a_project_of_a_template_in_s3_names_its_url_and_the_stacks() -> None:
    source = World(made_from_s3()).project.source
    assert (source.kind, source.version, source.newest) == ("template", "https://s3/t/v1.json", NEWEST)


def test_the_document_says_all_that_sagemaker_does_and_what_signoff_knows() -> None:
    changed = {"LastModifiedTime": MONDAY + timedelta(days=1), "LastModifiedBy": {"IamIdentity": {"Arn": ANN}}}
    described = project(ProjectDescription="Who leaves", **changed)
    world = World(described)
    world.ledger.append(History(entries.PACKAGE), [entries.registered()])
    document = world.projects.document(world.project)
    assert {name: document[name] for name in described if "Time" not in name} == {
        name: value for name, value in described.items() if "Time" not in name
    }
    assert document["CreationTime"] == "2026-03-02T09:00:00+00:00"
    assert document["LastModifiedTime"] == "2026-03-03T09:00:00+00:00"
    assert document["template"] == {"kind": "product", "version": "v1", "newest": "v2"}
    assert document["groups"] == ["Churn", "churn_two"]
    assert document["validating"] == ["Churn/3"]
    assert document["failure"] is None


@pytest.mark.parametrize(
    "failed",
    [
        project(
            status="UpdateFailed", ServiceCatalogProvisionedProductDetails={"ProvisionedProductStatusMessage": "no"}
        ),
        made_from_s3(StackDetail={"StatusMessage": "no"}) | {"ProjectStatus": "CreateFailed"},
    ],
)
def test_a_failure_is_told_in_the_words_of_whoever_failed(failed: dict[str, Any]) -> None:
    world = World(failed)
    assert world.projects.document(world.project)["failure"] == "no"


def test_a_project_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(CommandFailed, match="no project fraud; `signoff projects list`"):
        World().projects.project("fraud")


def test_a_list_asks_for_what_it_is_asked_and_describes_each_project() -> None:
    world = World(project("a"), project("b", "UpdateInProgress"))
    filters = {"NameContains": "a", "CreationTimeAfter": MONDAY, "CreationTimeBefore": None, "SortBy": "Name"}
    rows = [each.row for each in world.projects.list_projects(SortOrder="Descending", **filters)]
    asked = {"NameContains": "a", "CreationTimeAfter": MONDAY, "SortBy": "Name", "SortOrder": "Descending"}
    assert world.sagemaker.lists == [{**asked, "MaxResults": 100}]
    assert rows[1] == {
        "ProjectName": "b",
        "ProjectStatus": "UpdateInProgress",
        "ProjectId": "p-b",
        "ProjectArn": f"{ARN}/b",
        "ProjectDescription": None,
        "CreationTime": "2026-03-02T09:00:00+00:00",
        "template_version": "v1",
        "newest_version": "v2",
    }
    assert world.catalog.asked == 1


def test_a_list_goes_through_all_pages_and_stops_at_its_limit() -> None:
    world = World(*(project(f"p{number:03}") for number in range(250)))
    assert len(list(world.projects.list_projects())) == 250
    assert [request.get("NextToken") for request in world.sagemaker.lists] == [None, "100", "200"]
    world.sagemaker.lists.clear()
    assert [each.name for each in world.projects.list_projects(3)] == ["p000", "p001", "p002"]
    assert world.sagemaker.lists == [{"MaxResults": 3}]
    assert len(list(world.projects.list_projects(120))) == 120


def test_an_update_moves_a_project_to_the_newest_version_with_the_parameters_that_it_has() -> None:
    world = World(with_parameters(("SageMakerProjectId", "p-churn"), ("Policy", "strict"), ("Size", "1")))
    assert world.request(parameters={"Size": "2"}) == {
        "ProjectName": "churn",
        "ServiceCatalogProvisioningUpdateDetails": {
            "ProvisioningArtifactId": "pa-2",
            "ProvisioningParameters": [*STRICT, {"Key": "Size", "Value": "2"}],
        },
    }


@pytest.mark.parametrize(("version", "artifact"), [("v1", "pa-1"), ("pa-1", "pa-1"), ("v3", "pa-3"), ("pa-3", "pa-3")])
def test_a_version_is_named_by_its_name_or_id(version: str, artifact: str) -> None:
    details = World(versions=3).request(version=version, parameters={"Policy": "strict"})
    assert details["ServiceCatalogProvisioningUpdateDetails"]["ProvisioningArtifactId"] == artifact


def test_a_version_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(CommandFailed, match="no version v9; it has v1, v2"):
        World().request(version="v9")


def test_a_project_that_is_like_that_already_is_asked_nothing() -> None:
    assert World(versions=1).request() == {"ProjectName": "churn"}
    assert World(made_from_s3(url=NEWEST)).request() == {"ProjectName": "churn"}
    assert World(versions=1).request(version="v1", description=None) == {"ProjectName": "churn"}


def test_description_and_tags_can_be_changed_without_a_newer_version() -> None:
    request = World(versions=1).request(description="Who leaves", tags={"team": "crm"})
    assert request == {
        "ProjectName": "churn",
        "ProjectDescription": "Who leaves",
        "Tags": [{"Key": "team", "Value": "crm"}],
    }
    described = World(project(ProjectDescription="Who leaves"), versions=1)
    assert described.request(description="Who leaves") == {"ProjectName": "churn"}


def test_a_project_of_a_template_in_s3_is_moved_to_the_stacks_newest_or_the_one_given() -> None:
    world = World(made_from_s3(Parameters=STRICT))
    (newest,) = world.request()["TemplateProvidersToUpdate"]
    assert newest == {
        "CfnTemplateProvider": {"TemplateName": "signoff", "TemplateURL": NEWEST, "Parameters": STRICT},
    }
    (other,) = world.request(template_url="https://s3/t/own.json")["TemplateProvidersToUpdate"]
    assert other["CfnTemplateProvider"]["TemplateURL"] == "https://s3/t/own.json"


def test_each_kind_of_project_is_told_which_option_is_for_it() -> None:
    with pytest.raises(CommandFailed, match="use --version, not --template-url"):
        World().request(template_url=NEWEST)
    with pytest.raises(CommandFailed, match="use --template-url, not --version"):
        World(made_from_s3()).request(version="v2")


def test_whoever_is_asked_sees_each_change() -> None:
    world = World(with_parameters(("Policy", "standard")))
    request = world.request(parameters={"Policy": "strict", "Size": "2"}, description="d", tags={"team": "crm"})
    assert describe_changes(world.project, request) == [
        "template     v1 -> v2",
        "parameter    Policy: standard -> strict",
        "parameter    Size: (not given) -> 2",
        "description  d",
        "tag          team = crm",
    ]
    s3 = World(made_from_s3())
    assert describe_changes(s3.project, s3.request()) == [f"template     https://s3/t/v1.json -> {NEWEST}"]
    assert describe_changes(world.project, {"ProjectName": "churn"}) == []


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("Pending", "wait until that is over"),
        ("CreateInProgress", "wait until that is over"),
        ("UpdateInProgress", "wait until that is over"),
        ("DeleteInProgress", "wait until that is over"),
        ("CreateFailed", "create it again"),
        ("UpdateFailed", "finish that update in Service Catalog or CloudFormation first"),
        ("DeleteFailed", "create it again"),
        ("DeleteCompleted", "it is deleted"),
    ],
)
def test_a_project_that_is_not_completed_is_not_updated(status: str, advice: str) -> None:
    world = World(project(status=status))
    with pytest.raises(CommandFailed, match=f"churn is {status}: .*{advice}"):
        world.projects.require_updatable(world.project)


@pytest.mark.parametrize("status", ["CreateCompleted", "UpdateCompleted"])
def test_a_completed_project_without_a_package_in_validation_may_be_updated(status: str) -> None:
    world = World(project(status=status))
    world.ledger.append(History(entries.PACKAGE), entries.PENDING)
    world.projects.require_updatable(world.project)
    assert world.projects.validating(["Churn"]) == []


def test_a_project_whose_package_is_being_validated_is_not_updated() -> None:
    world = World()
    world.ledger.append(History(entries.PACKAGE), [entries.registered(), entries.started()])
    with pytest.raises(CommandFailed, match=r"being validated \(Churn/3\).*`signoff watch Churn/3`"):
        world.projects.require_updatable(world.project)


def test_packages_of_other_groups_may_be_validated_meanwhile() -> None:
    world = World(groups=FakeGroups(elsewhere="churn", Churn="fraud"))
    key = package_key(f"{entries.ARN}4", MONDAY)
    world.ledger.append(History(key), [entries.registered(version=34)])
    world.projects.require_updatable(world.project)
    assert world.projects.validating(["Churn"]) == ["Churn/34"]


def test_an_update_that_something_else_came_before_says_so() -> None:
    world = World()
    world.sagemaker.refusal = refused("ConflictException", "Project churn is UpdateInProgress", "UpdateProject")
    with pytest.raises(CommandFailed, match="UpdateInProgress; try again when that is over"):
        world.projects.update({"ProjectName": "churn"})
    world.sagemaker.refusal = refused("AccessDeniedException", "no", "UpdateProject")
    with pytest.raises(ClientError):
        world.projects.update({"ProjectName": "churn"})


def test_an_update_is_followed_until_it_is_over() -> None:
    world = World()
    world.sagemaker.then = [{"ProjectStatus": status} for status in ("UpdateInProgress", "UpdateCompleted")]
    world.projects.update(world.request())
    deadline = Deadline(60, clock=lambda: 0.0, sleep=lambda seconds: None)
    assert world.projects.wait_until_finished("churn", deadline).status == "UpdateCompleted"


def test_an_update_that_takes_too_long_says_where_to_look() -> None:
    world = World(project(status="UpdateInProgress"))
    with pytest.raises(TimedOut, match="`signoff projects show churn`"):
        world.projects.wait_until_finished("churn", Deadline(0, clock=lambda: 1.0, sleep=lambda seconds: None))
