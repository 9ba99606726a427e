"""Service Catalog in the engine: who sees a product, and what versions it has."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from local.patches.service_catalog_resources import _PARTS, AssociationResource, PortfolioResource, ProductResource
from local.projects.service_catalog import Catalog, Product, ServiceCatalogApi
from local.projects.stacks import _bucket_and_key, _first_failure
from local.sagemaker.account import RequestRefused

ACCOUNT, REGION = "123456789012", "us-east-1"
ANN, BOB = f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:user/bob"


class CatalogWorld:
    """Service Catalog with one product in one portfolio."""

    def __init__(self) -> None:
        self.service = ServiceCatalogApi(lambda headers: (ACCOUNT, REGION, ANN), lambda url: f"at {url}", lambda: 1.0)
        self.catalog: Catalog = self.service.catalog(ACCOUNT, REGION)
        self.product: Product = self.catalog.add_product("Signoff project", "us", "for all")
        self.portfolio = self.catalog.add_portfolio("ours")
        self.portfolio.products.add(self.product.id)

    def __call__(self, action: str, caller: str = ANN, **request: Any) -> dict[str, Any]:
        return self.service.ask(action, request, ACCOUNT, REGION, caller)


@pytest.fixture
def world() -> CatalogWorld:
    return CatalogWorld()


@pytest.mark.parametrize(
    ("principal", "kind", "caller", "admitted"),
    [
        (ANN, "IAM", ANN, True),
        (ANN, "IAM", BOB, False),
        ("arn:aws:iam:::user/*", "IAM_PATTERN", BOB, True),
        ("arn:aws:iam:::role/Team*", "IAM_PATTERN", BOB, False),
        (f"arn:aws:iam::{ACCOUNT}:role/Data", "IAM", f"arn:aws:sts::{ACCOUNT}:assumed-role/Data/session", True),
        ("arn:aws:iam:::role/D*", "IAM_PATTERN", f"arn:aws:sts::{ACCOUNT}:assumed-role/Data/session", True),
    ],
)
def test_a_product_is_seen_by_the_principals_of_its_portfolio(
    world: CatalogWorld, principal: str, kind: str, caller: str, admitted: bool
) -> None:
    world.portfolio.principals.append((principal, kind))
    assert world.catalog.visible(world.product, caller) is admitted
    if admitted:
        assert world("DescribeProduct", caller, Id=world.product.id)["ProductViewSummary"]["Name"] == "Signoff project"
    else:
        with pytest.raises(RequestRefused, match="not found") as caught:
            world("DescribeProduct", caller, Id=world.product.id)
        assert caught.value.code == "ResourceNotFoundException"


def test_a_product_is_described_by_name_with_its_active_versions_in_order(world: CatalogWorld) -> None:
    world.portfolio.principals.append((ANN, "IAM"))
    for name in ("v1", "v2", "v3"):
        parameters = {"Name": name, "Info": {"LoadTemplateFromURL": f"https://s3/t/{name}"}}
        world("CreateProvisioningArtifact", ProductId=world.product.id, Parameters=parameters, IdempotencyToken=name)
    second = world.product.versions[1]
    world("UpdateProvisioningArtifact", ProductId=world.product.id, ProvisioningArtifactId=second.id, Active=False)
    described = world("DescribeProduct", Name="Signoff project")["ProvisioningArtifacts"]
    listed = world("ListProvisioningArtifacts", ProductId=world.product.id)["ProvisioningArtifactDetails"]
    assert [each["Name"] for each in described] == ["v1", "v3"]
    assert [(each["Name"], each["Active"]) for each in listed] == [("v1", True), ("v2", False), ("v3", True)]
    assert described[0]["CreatedTime"] < described[1]["CreatedTime"]


def test_a_request_that_breaks_the_service_model_is_refused_over_the_wire(world: CatalogWorld) -> None:
    headers = {"x-amz-target": "AWS242ServiceCatalogService.CreateProvisioningArtifact"}
    status, answered, body = asyncio.run(world.service.handle("POST", "/", headers, b"{}", {}))
    assert (status, answered["x-amzn-errortype"]) == (400, "InvalidParametersException")
    assert "ProductId" in json.loads(body)["Message"]


def test_what_the_engine_has_not_got_it_says(world: CatalogWorld) -> None:
    with pytest.raises(RequestRefused, match="not available"):
        world("ProvisionProduct")


def test_a_version_that_stays_in_a_template_keeps_its_id_and_its_content(world: CatalogWorld) -> None:
    products = ProductResource(lambda: world.catalog)

    def versions(*names: str, at: str) -> dict[str, Any]:
        given = [{"Name": name, "Info": {"LoadTemplateFromURL": f"{at}/{name}"}} for name in names]
        return {"Name": "P", "Owner": "us", "ProvisioningArtifactParameters": given}

    product_id, attributes = products.create("Product", versions("v1", "v2", at="https://a"), "stack")
    before = {version.name: version.id for version in world.catalog.product(product_id).versions}
    products.update(product_id, {}, versions("v2", "v3", at="https://b"))
    after = {version.name: (version.id, version.template) for version in world.catalog.product(product_id).versions}
    assert attributes["ProvisioningArtifactNames"] == "v1,v2"
    assert after.keys() == {"v2", "v3"}
    assert after["v2"] == (before["v2"], "at https://a/v2")
    products.delete(product_id, {})
    assert product_id not in world.catalog.products


def test_what_a_portfolio_has_by_resources_of_their_own_comes_and_goes_with_them(world: CatalogWorld) -> None:
    portfolios = PortfolioResource(lambda: world.catalog)
    portfolio_id, _ = portfolios.create("Portfolio", {"DisplayName": "ours"}, "stack")
    portfolio = world.catalog.portfolio(portfolio_id)
    both = {"PortfolioId": portfolio_id, "ProductId": world.product.id}
    properties: dict[str, dict[str, Any]] = {
        "PortfolioProductAssociation": both,
        "PortfolioPrincipalAssociation": {"PortfolioId": portfolio_id, "PrincipalARN": ANN, "PrincipalType": "IAM"},
        "LaunchRoleConstraint": {**both, "RoleArn": "arn:role"},
        "ResourceUpdateConstraint": {**both, "TagUpdateOnProvisionedProduct": "ALLOWED"},
    }
    parts = {kind: AssociationResource(lambda: world.catalog, *_PARTS[kind]) for kind in properties}
    made = {kind: parts[kind].create(kind, given, "stack")[0] for kind, given in properties.items()}
    assert (portfolio.products, portfolio.principals) == ({world.product.id}, [(ANN, "IAM")])
    assert (portfolio.launch_roles, portfolio.tag_updates) == (
        {world.product.id: "arn:role"},
        {world.product.id: True},
    )
    with pytest.raises(RequestRefused, match="has products"):
        portfolios.delete(portfolio_id, {})
    for kind, physical_id in made.items():
        parts[kind].delete(physical_id, properties[kind])
    portfolios.delete(portfolio_id, {})
    assert portfolio_id not in world.catalog.portfolios


@pytest.mark.parametrize(
    "url", ["https://s3.eu-west-1.amazonaws.com/bucket/a/b.json", "https://bucket.s3.eu-west-1.amazonaws.com/a/b.json"]
)
def test_a_template_is_found_by_both_forms_of_its_url(url: str) -> None:
    assert _bucket_and_key(url) == ("bucket", "a/b.json")


def test_a_failure_is_the_first_of_the_newest_operation() -> None:
    def event(status: str, reason: str, name: str = "Group") -> dict[str, Any]:
        return {"ResourceStatus": status, "ResourceStatusReason": reason, "LogicalResourceId": name}

    events = [
        event("CREATE_IN_PROGRESS", "User Initiated"),
        event("CREATE_FAILED", "old"),
        event("UPDATE_IN_PROGRESS", "User Initiated"),
        event("UPDATE_FAILED", "denied", "GroupPolicy"),
        event("UPDATE_FAILED", "cancelled"),
    ]
    assert _first_failure(events) == "GroupPolicy: denied"
    assert _first_failure(events[:1]) == ""
