"""The part of AWS Service Catalog that SageMaker projects need: products with versions, and portfolios.

CloudFormation creates a catalog's content (`local.patches.service_catalog_resources`); the API too creates versions.
A version (Service Catalog: a provisioning artifact) keeps its template as it was when the version was made. Names and
rules are those of Service Catalog's API reference and administrator guide.
"""

from __future__ import annotations

import functools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from local.sagemaker.account import Document, RequestRefused
from signoff.service_model.constraints import faults

Response = tuple[int, dict[str, str], bytes]
Identify = Callable[[Mapping[str, str]], tuple[str, str, str]]
Fetch = Callable[[str], str]

TYPE = "CLOUD_FORMATION_TEMPLATE"
_JSON = {"Content-Type": "application/x-amz-json-1.1"}


def made_up_id(kind: str) -> str:
    """An id in Service Catalog's format: `prod-`, `pa-`, `port-`, `pp-` and 13 letters and digits."""
    return f"{kind}-{secrets.token_hex(7)[:13]}"


@dataclass
class ProductVersion:
    """One version of a product: a CloudFormation template by a name."""

    id: str
    name: str
    description: str
    url: str
    template: str
    created: float
    active: bool = True
    guidance: str = "DEFAULT"

    @property
    def summary(self) -> Document:
        """The version as DescribeProduct lists it."""
        described = {"Id": self.id, "Name": self.name, "Description": self.description}
        return described | {"CreatedTime": self.created, "Guidance": self.guidance}

    @property
    def detail(self) -> Document:
        """The version as the calls about one version describe it."""
        more = {"ProvisioningArtifactDetail": self.summary | {"Type": TYPE, "Active": self.active}}
        return more | {"Info": {"TemplateUrl": self.url}, "Status": "AVAILABLE"}


@dataclass
class Product:
    """A product and its versions, the oldest first."""

    id: str
    name: str
    owner: str
    description: str = ""
    versions: list[ProductVersion] = field(default_factory=list)

    @property
    def newest(self) -> ProductVersion | None:
        """The version used by a project that names none."""
        return next((version for version in reversed(self.versions) if version.active), None)

    def version(self, version_id: str) -> ProductVersion:
        """The version of that id. Raises RequestRefused."""
        found = next((version for version in self.versions if version.id == version_id), None)
        if found is None:
            raise _missing(f"Provisioning artifact {version_id} not found for product {self.id}")
        return found


@dataclass
class Portfolio:
    """A portfolio: its products, who may use them, and under which constraints, by product."""

    id: str
    name: str
    products: set[str] = field(default_factory=set)
    principals: list[tuple[str, str]] = field(default_factory=list)
    launch_roles: dict[str, str] = field(default_factory=dict)
    tag_updates: dict[str, bool] = field(default_factory=dict)

    def admits(self, caller: str) -> bool:
        """Whether the caller, an ARN, is one of the portfolio's principals."""
        role = _role_of(caller)
        return any(_is(name, kind, principal) for name in {caller, role} for principal, kind in self.principals)


class Catalog:
    """One account's catalog in one region; `fetch` returns the template at a URL."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        self.products: dict[str, Product] = {}
        self.portfolios: dict[str, Portfolio] = {}
        self._fetch = fetch
        self._clock = clock
        self._last = 0.0

    def add_product(self, name: str, owner: str, description: str = "") -> Product:
        """Add a product that has no version yet."""
        product = Product(made_up_id("prod"), name, owner, description)
        self.products[product.id] = product
        return product

    def add_version(self, product: Product, name: str, url: str, description: str = "") -> ProductVersion:
        """Add a version whose template is at `url`. Raises RequestRefused when it cannot be read."""
        # Creation order is sort order, however fast versions follow.
        self._last = max(self._clock(), self._last + 0.001)
        version = ProductVersion(made_up_id("pa"), name, description, url, self._fetch(url), self._last)
        product.versions.append(version)
        return version

    def add_portfolio(self, name: str) -> Portfolio:
        """Add an empty portfolio."""
        portfolio = Portfolio(made_up_id("port"), name)
        self.portfolios[portfolio.id] = portfolio
        return portfolio

    def product(self, product_id: str) -> Product:
        """The product of that id. Raises RequestRefused."""
        if product_id not in self.products:
            raise _missing(f"Product {product_id} not found.")
        return self.products[product_id]

    def portfolio(self, portfolio_id: str) -> Portfolio:
        """The portfolio of that id. Raises RequestRefused."""
        if portfolio_id not in self.portfolios:
            raise _missing(f"Portfolio {portfolio_id} not found.")
        return self.portfolios[portfolio_id]

    def path(self, product: Product, caller: str) -> Portfolio:
        """The portfolio by which the caller may launch the product. Raises RequestRefused when there is none."""
        for portfolio in self._offering(product):
            if portfolio.admits(caller):
                return portfolio
        raise _missing(f"No launch paths found for resource: {product.id}")

    def visible(self, product: Product, caller: str) -> bool:
        """Whether the product is in any portfolio that the caller may use."""
        return any(portfolio.admits(caller) for portfolio in self._offering(product))

    def _offering(self, product: Product) -> Iterator[Portfolio]:
        return (portfolio for portfolio in self.portfolios.values() if product.id in portfolio.products)


class ServiceCatalogApi:
    """Service Catalog for every account and region of one engine."""

    def __init__(self, identify: Identify, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        """Take how to know a request's account, region and caller's ARN, and how to read the template at a URL."""
        self._identify = identify
        self._fetch = fetch
        self._clock = clock
        self._catalogs: dict[tuple[str, str], Catalog] = {}

    def catalog(self, account_id: str, region: str) -> Catalog:
        """The catalog of an account in a region."""
        return self._catalogs.setdefault((account_id, region), Catalog(self._fetch, self._clock))

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | str, query: Mapping[str, Any]
    ) -> Response:
        """Answer one request in the way the emulator's other services do: status, headers, body."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            answer = self.ask(action, json.loads(body or b"{}"), *self._identify(headers))
        except RequestRefused as refusal:
            error = {"__type": refusal.code, "Message": refusal.message}
            return 400, {**_JSON, "x-amzn-errortype": refusal.code}, json.dumps(error).encode()
        return 200, dict(_JSON), json.dumps(answer).encode()

    def ask(self, action: str, request: Document, account_id: str, region: str, caller: str) -> Document:
        """Answer one request of the caller, an ARN; raises RequestRefused."""
        operation = _OPERATIONS.get(action)
        if operation is None:
            raise RequestRefused(f"{action} is not available in the local engine", "UnknownOperationException")
        found = faults(_service_model().operation_model(action).input_shape, request)
        if found:
            raise RequestRefused(
                "; ".join(f"{fault.path}: {fault.message}" for fault in found), "InvalidParametersException"
            )
        return operation(self.catalog(account_id, region), request, caller)


def _describe_product(catalog: Catalog, request: Document, caller: str) -> Document:
    """DescribeProduct: the versions that are active, of a product that the caller may use."""
    product = _named(catalog, request)
    if not catalog.visible(product, caller):
        raise _missing(f"Product {product.id} not found.")
    summary: Document = {
        "Id": f"prodview-{product.id[5:]}",
        "ProductId": product.id,
        "Name": product.name,
        "Type": TYPE,
    }
    summary |= {"Owner": product.owner, "ShortDescription": product.description, "HasDefaultPath": False}
    versions = [version.summary for version in product.versions if version.active]
    paths = [{"Id": f"lpv2-{each.id[5:]}", "Name": each.name} for each in catalog._offering(product)]
    return {"ProductViewSummary": summary, "ProvisioningArtifacts": versions, "Budgets": [], "LaunchPaths": paths}


def _list_versions(catalog: Catalog, request: Document, caller: str) -> Document:
    """ListProvisioningArtifacts: all versions, for those who administer the product."""
    product = catalog.product(request["ProductId"])
    details = [version.detail["ProvisioningArtifactDetail"] for version in product.versions]
    return {"ProvisioningArtifactDetails": details}


def _create_version(catalog: Catalog, request: Document, caller: str) -> Document:
    """CreateProvisioningArtifact from the template at LoadTemplateFromURL."""
    product, given = catalog.product(request["ProductId"]), request["Parameters"]
    url = (given.get("Info") or {}).get("LoadTemplateFromURL")
    if not url:
        raise RequestRefused("Info must hold LoadTemplateFromURL", "InvalidParametersException")
    return catalog.add_version(product, given.get("Name", ""), url, given.get("Description", "")).detail


def _update_version(catalog: Catalog, request: Document, caller: str) -> Document:
    """UpdateProvisioningArtifact: the name, the guidance, whether it is active; never the template."""
    version = catalog.product(request["ProductId"]).version(request["ProvisioningArtifactId"])
    version.name = request.get("Name", version.name)
    version.description = request.get("Description", version.description)
    version.active = request.get("Active", version.active)
    version.guidance = request.get("Guidance", version.guidance)
    return version.detail


_OPERATIONS = {
    "DescribeProduct": _describe_product,
    "ListProvisioningArtifacts": _list_versions,
    "CreateProvisioningArtifact": _create_version,
    "UpdateProvisioningArtifact": _update_version,
}


def _named(catalog: Catalog, request: Document) -> Product:
    if request.get("Id"):
        return catalog.product(request["Id"])
    named = [product for product in catalog.products.values() if product.name == request.get("Name")]
    if not named:
        raise _missing(f"Product {request.get('Name')} not found.")
    return named[0]


def _missing(message: str) -> RequestRefused:
    return RequestRefused(message, "ResourceNotFoundException")


def _is(caller: str, kind: str, principal: str) -> bool:
    """Whether a principal association names the caller; a pattern has no account, and `*` in its last part."""
    if kind == "IAM_PATTERN":
        head, _, tail = caller.partition("::")
        return fnmatchcase(f"{head}:::{tail.partition(':')[2]}", principal)
    return caller == principal


def _role_of(caller: str) -> str:
    """The role behind a session's ARN, without the path that the session does not show."""
    if ":assumed-role/" not in caller:
        return caller
    return caller.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/").rpartition("/")[0]


@functools.cache
def _service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("servicecatalog", "service-2"))
