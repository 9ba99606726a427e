"""SageMaker's projects in the engine: constraints, statuses, errors and pages, over stacks that a test moves."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from local.projects.projects import LIMIT, ProjectsApi
from local.projects.service_catalog import Catalog, Product, ProductVersion
from local.projects.stacks import StackOrder, StackState
from local.sagemaker.account import AccountState, ApiCall, RequestRefused

CALLER = "arn:aws:iam::123456789012:user/ann"
URL = "https://s3.us-east-1.amazonaws.com/templates/v1.json"


class FakeStackService:
    """Stacks whose operations end when a test says so."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, StackOrder | str]] = []
        self.states: dict[str, StackState] = {}
        self.refuse = ""

    def create(self, order: StackOrder) -> None:
        self._begin("create", order.name, order, "CREATE_IN_PROGRESS")

    def update(self, order: StackOrder) -> None:
        self._begin("update", order.name, order, "UPDATE_IN_PROGRESS")

    def delete(self, name: str) -> None:
        self._begin("delete", name, name, "DELETE_IN_PROGRESS")

    def state(self, name: str) -> StackState:
        return self.states.get(name, StackState("DELETE_COMPLETE"))

    def end(self, status: str, failure: str = "") -> None:
        """Let the newest operation end."""
        name = next(reversed(self.states))
        self.states[name] = StackState(status, failure, f"arn:aws:cloudformation:us-east-1:1:stack/{name}/1")

    def _begin(self, act: str, name: str, order: StackOrder | str, status: str) -> None:
        if self.refuse:
            raise RequestRefused(self.refuse)
        self.orders.append((act, order))
        self.states.pop(name, None)
        self.states[name] = StackState(status)

    @property
    def last(self) -> StackOrder:
        order = self.orders[-1][1]
        assert isinstance(order, StackOrder)
        return order


def template_at(url: str) -> str:
    return f"template at {url}"


class ProjectsWorld:
    """An account with a product of two versions that its people may launch."""

    def __init__(self, limit: int = LIMIT) -> None:
        ticks = itertools.count(1)
        self.stacks = FakeStackService()
        self.account = AccountState("123456789012", "us-east-1", lambda: float(next(ticks)))
        self.catalog = Catalog(template_at)
        self.product: Product = self.catalog.add_product("Signoff project", "us")
        self.first: ProductVersion = self.catalog.add_version(self.product, "v1", "https://s3/t/1")
        self.portfolio = self.catalog.add_portfolio("ours")
        self.portfolio.products.add(self.product.id)
        self.portfolio.principals.append((CALLER, "IAM"))
        self._rules = ProjectsApi(self.stacks, lambda account, region: self.catalog, template_at, limit).rules

    def __call__(self, action: str, caller: str = CALLER, **request: Any) -> dict[str, Any]:
        return self._rules[action](ApiCall(self.account, action, request, caller))

    def create(self, name: str = "churn", **request: Any) -> dict[str, Any]:
        """Create a project, from the product by default."""
        details = {"ServiceCatalogProvisioningDetails": {"ProductId": self.product.id}}
        return self("CreateProject", ProjectName=name, **({} if "TemplateProviders" in request else details), **request)

    def created(self, name: str = "churn", **request: Any) -> dict[str, Any]:
        """Create a project and let that succeed; returns its description."""
        self.create(name, **request)
        self.stacks.end("CREATE_COMPLETE")
        return self.described(name)

    def described(self, name: str = "churn") -> dict[str, Any]:
        return self("DescribeProject", ProjectName=name)

    def newer(self) -> ProductVersion:
        """A newer version of the product."""
        return self.catalog.add_version(self.product, "v2", "https://s3/t/2")


@pytest.fixture
def world() -> ProjectsWorld:
    return ProjectsWorld()


def refused(call: Any, *arguments: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(RequestRefused) as caught:
        call(*arguments, **request)
    return caught.value.code, caught.value.message


def provider(url: str = URL, **more: Any) -> list[dict[str, Any]]:
    return [{"CfnTemplateProvider": {"TemplateName": "signoff", "TemplateURL": url, **more}}]


def test_a_project_is_made_of_the_products_newest_version_unless_one_is_named(world: ProjectsWorld) -> None:
    newest = world.newer()
    assert world.created()["ServiceCatalogProvisioningDetails"] == {
        "ProductId": world.product.id,
        "ProvisioningArtifactId": newest.id,
    }
    details = {"ProductId": world.product.id, "ProvisioningArtifactId": world.first.id}
    world("CreateProject", ProjectName="older", ServiceCatalogProvisioningDetails=details)
    assert world.stacks.last.template == "template at https://s3/t/1"


def test_the_template_is_given_the_projects_name_and_id_beside_its_own_parameters(world: ProjectsWorld) -> None:
    given = [{"Key": "Policy", "Value": "strict"}, {"Key": "SageMakerProjectId", "Value": "p-forged"}]
    details = {"ProductId": world.product.id, "ProvisioningParameters": given}
    answer = world("CreateProject", ProjectName="churn", ServiceCatalogProvisioningDetails=details)
    identity = {"SageMakerProjectName": "churn", "SageMakerProjectId": answer["ProjectId"]}
    assert world.stacks.last.parameters == {"Policy": "strict", **identity}


def test_its_stack_is_tagged_with_the_projects_name_and_id_and_the_tags_it_was_given(world: ProjectsWorld) -> None:
    answer = world.create(Tags=[{"Key": "team", "Value": "fraud"}])
    expected = {"team": "fraud", "sagemaker:project-name": "churn", "sagemaker:project-id": answer["ProjectId"]}
    assert world.stacks.last.tags == expected


def test_a_project_goes_through_the_documented_statuses(world: ProjectsWorld) -> None:
    statuses = []
    world.create()
    steps = [
        ("CREATE_COMPLETE", lambda: world("UpdateProject", ProjectName="churn")),
        ("UPDATE_COMPLETE", lambda: world("DeleteProject", ProjectName="churn")),
        ("DELETE_COMPLETE", lambda: None),
    ]
    for end, then in steps:
        statuses.append(world.described()["ProjectStatus"])
        world.stacks.end(end)
        statuses.append(world.described()["ProjectStatus"])
        then()
    assert statuses == [
        *("CreateInProgress", "CreateCompleted", "UpdateInProgress"),
        *("UpdateCompleted", "DeleteInProgress", "DeleteCompleted"),
    ]


def test_a_project_of_a_product_says_why_it_failed(world: ProjectsWorld) -> None:
    world.create()
    world.stacks.end("ROLLBACK_COMPLETE", "Group: already exists")
    described = world.described()
    assert described["ProjectStatus"] == "CreateFailed"
    product = described["ServiceCatalogProvisionedProductDetails"]
    assert product["ProvisionedProductStatusMessage"] == "Group: already exists"


def test_what_cloudformation_refuses_at_once_fails_the_project_too(world: ProjectsWorld) -> None:
    world.stacks.refuse = "Parameter 'Policy' must match pattern"
    world.create(TemplateProviders=provider())
    (detail,) = world.described()["TemplateProviderDetails"]
    assert world.described()["ProjectStatus"] == "CreateFailed"
    assert "must match pattern" in detail["CfnTemplateProviderDetail"]["StackDetail"]["StatusMessage"]


def test_a_project_of_a_template_in_s3_is_described_with_its_stack(world: ProjectsWorld) -> None:
    role = "arn:aws:iam::123456789012:role/signoff/projects/Launch"
    given = {"RoleARN": role, "Parameters": [{"Key": "Policy", "Value": "strict"}]}
    described = world.created(TemplateProviders=provider(**given))
    detail = described["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
    stack = detail.pop("StackDetail")
    assert detail == {"TemplateName": "signoff", "TemplateURL": URL, **given}
    assert stack["StatusMessage"] == "CREATE_COMPLETE"
    assert stack["Name"] in stack["Id"]
    assert "ServiceCatalogProvisioningDetails" not in described


def test_an_update_takes_the_newest_version_unless_one_is_named_and_no_parameter_but_those_given(
    world: ProjectsWorld,
) -> None:
    details = {"ProductId": world.product.id, "ProvisioningParameters": [{"Key": "Policy", "Value": "strict"}]}
    world("CreateProject", ProjectName="churn", ServiceCatalogProvisioningDetails=details)
    world.stacks.end("CREATE_COMPLETE")
    newer = world.newer()
    world("UpdateProject", ProjectName="churn", ServiceCatalogProvisioningUpdateDetails={})
    world.stacks.end("UPDATE_COMPLETE")
    assert world.described()["ServiceCatalogProvisioningDetails"]["ProvisioningArtifactId"] == newer.id
    assert "Policy" not in world.stacks.last.parameters
    back = {"ProvisioningArtifactId": world.first.id}
    world("UpdateProject", ProjectName="churn", ServiceCatalogProvisioningUpdateDetails=back)
    assert world.stacks.last.template == "template at https://s3/t/1"


def test_a_project_whose_update_failed_is_still_made_of_what_it_was(world: ProjectsWorld) -> None:
    world.created()
    newer = world.newer()
    for _ in range(2):
        world("UpdateProject", ProjectName="churn", ServiceCatalogProvisioningUpdateDetails={})
        world.stacks.end("UPDATE_ROLLBACK_COMPLETE", "GroupPolicy: denied")
        described = world.described()
        assert described["ProjectStatus"] == "UpdateFailed"
        assert described["ServiceCatalogProvisioningDetails"]["ProvisioningArtifactId"] == world.first.id
    world("UpdateProject", ProjectName="churn", ServiceCatalogProvisioningUpdateDetails={})
    world.stacks.end("UPDATE_COMPLETE")
    assert world.described()["ServiceCatalogProvisioningDetails"]["ProvisioningArtifactId"] == newer.id


def test_an_update_changes_description_and_tags_and_says_who_did_it(world: ProjectsWorld) -> None:
    world.portfolio.tag_updates[world.product.id] = True
    before = world.created(ProjectDescription="old", Tags=[{"Key": "team", "Value": "fraud"}])
    assert "LastModifiedTime" not in before
    tags = [{"Key": "cost", "Value": "7"}]
    world("UpdateProject", ProjectName="churn", ProjectDescription="new", Tags=tags)
    described = world.described()
    assert described["ProjectDescription"] == "new"
    assert described["LastModifiedTime"] > described["CreationTime"]
    assert described["LastModifiedBy"]["IamIdentity"]["Arn"] == CALLER
    assert world.account.tags[described["ProjectArn"]] == {"team": "fraud", "cost": "7"}


def test_a_project_of_a_product_takes_new_tags_only_if_a_constraint_allows_it(world: ProjectsWorld) -> None:
    world.created()
    request = {"ProjectName": "churn", "Tags": [{"Key": "cost", "Value": "7"}]}
    assert "no tag update constraint" in refused(world, "UpdateProject", **request)[1]
    world.created("fraud", TemplateProviders=provider())
    assert world("UpdateProject", **{**request, "ProjectName": "fraud"})["ProjectArn"].endswith("/fraud")


def test_another_template_in_s3_takes_the_place_of_the_first_and_its_role_stays(world: ProjectsWorld) -> None:
    role = "arn:aws:iam::123456789012:role/signoff/projects/Launch"
    world.created(TemplateProviders=provider(RoleARN=role))
    world("UpdateProject", ProjectName="churn", TemplateProvidersToUpdate=provider("https://s3/t/2"))
    world.stacks.end("UPDATE_COMPLETE")
    detail = world.described()["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
    assert (detail["TemplateURL"], detail["RoleARN"]) == ("https://s3/t/2", role)
    assert world.stacks.last.template == "template at https://s3/t/2"


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"ServiceCatalogProvisioningDetails": {"ProductId": "p"}, "TemplateProviders": provider()},
        {"TemplateProviders": [{}]},
        {"ServiceCatalogProvisioningDetails": {"ProductId": "prod-none"}},
    ],
)
def test_a_project_is_made_of_one_thing_that_is_there(world: ProjectsWorld, request_: dict[str, Any]) -> None:
    assert refused(world, "CreateProject", ProjectName="churn", **request_)[0] == "ValidationException"


def test_a_version_that_is_gone_or_not_active_makes_no_project(world: ProjectsWorld) -> None:
    for version in ("pa-none", world.first.id):
        world.first.active = False
        details = {"ProductId": world.product.id, "ProvisioningArtifactId": version}
        request = {"ProjectName": "churn", "ServiceCatalogProvisioningDetails": details}
        assert refused(world, "CreateProject", **request)[0] == "ValidationException"


def test_who_may_not_use_the_portfolio_launches_nothing_from_it(world: ProjectsWorld) -> None:
    details = {"ProductId": world.product.id}
    request = {"ProjectName": "churn", "ServiceCatalogProvisioningDetails": details}
    assert "No launch paths" in refused(world, "CreateProject", "arn:aws:iam::123456789012:user/bob", **request)[1]


@pytest.mark.parametrize("made_from", [{}, {"TemplateProviders": provider()}])
def test_a_project_is_updated_in_the_way_it_was_made(world: ProjectsWorld, made_from: dict[str, Any]) -> None:
    world.created(**made_from)
    other = (
        {"ServiceCatalogProvisioningUpdateDetails": {}}
        if made_from
        else {"TemplateProvidersToUpdate": provider("https://s3/t/2")}
    )
    assert "The project was made from" in refused(world, "UpdateProject", ProjectName="churn", **other)[1]


def test_a_name_is_taken_until_its_project_is_deleted(world: ProjectsWorld) -> None:
    world.created()
    assert "already exists" in refused(world.create)[1]
    world("DeleteProject", ProjectName="churn")
    world.stacks.end("DELETE_COMPLETE")
    assert world.create()["ProjectArn"] == "arn:aws:sagemaker:us-east-1:123456789012:project/churn"


@pytest.mark.parametrize("action", ["UpdateProject", "DeleteProject"])
def test_nothing_else_is_begun_while_something_is_under_way(world: ProjectsWorld, action: str) -> None:
    world.create()
    assert refused(world, action, ProjectName="churn")[0] == "ConflictException"


def test_a_project_that_was_never_made_or_is_gone_is_not_updated(world: ProjectsWorld) -> None:
    world.create()
    world.stacks.end("ROLLBACK_COMPLETE", "Group: already exists")
    assert "CreateFailed" in refused(world, "UpdateProject", ProjectName="churn")[1]
    world("DeleteProject", ProjectName="churn")
    world.stacks.end("DELETE_COMPLETE")
    assert "DeleteCompleted" in refused(world, "UpdateProject", ProjectName="churn")[1]


@pytest.mark.parametrize("action", ["DescribeProject", "UpdateProject", "DeleteProject"])
def test_a_project_that_is_not_there_is_refused_by_its_arn(world: ProjectsWorld, action: str) -> None:
    code, message = refused(world, action, ProjectName="none")
    assert (code, message) == (
        "ValidationException",
        "Project arn:aws:sagemaker:us-east-1:123456789012:project/none does not exist",
    )


def test_an_account_has_so_many_projects_and_no_more() -> None:
    world = ProjectsWorld(limit=2)
    world.created("one")
    world.created("two")
    assert refused(world.create, "three")[0] == "ResourceLimitExceeded"


def test_projects_are_listed_by_their_creation_in_pages(world: ProjectsWorld) -> None:
    for number in range(5):
        world.created(f"project-{number}")
    first = world("ListProjects", MaxResults=3)
    second = world("ListProjects", MaxResults=3, NextToken=first["NextToken"])
    names = [each["ProjectName"] for page in (first, second) for each in page["ProjectSummaryList"]]
    assert names == [f"project-{number}" for number in range(5)]
    assert "NextToken" not in second
    assert set(first["ProjectSummaryList"][0]) == {
        *("ProjectName", "ProjectArn", "ProjectId", "CreationTime", "ProjectStatus")
    }


def test_a_list_is_filtered_and_sorted_as_asked(world: ProjectsWorld) -> None:
    for name in ("beta", "alpha", "gamma", "alphabet"):
        world.created(name)
    named = world("ListProjects", NameContains="alpha", SortBy="Name", SortOrder="Descending")["ProjectSummaryList"]
    assert [each["ProjectName"] for each in named] == ["alphabet", "alpha"]
    times = {each["ProjectName"]: each["CreationTime"] for each in world("ListProjects")["ProjectSummaryList"]}
    between = {"CreationTimeAfter": times["beta"], "CreationTimeBefore": times["alphabet"]}
    assert [e["ProjectName"] for e in world("ListProjects", **between)["ProjectSummaryList"]] == ["alpha", "gamma"]
