"""CloudFormation: the types of AWS::ServiceCatalog that a portfolio of SageMaker project templates is made of.

What `Ref` and `Fn::GetAtt` return is as in CloudFormation's resource schemas. A version of a product is known by its
name: one that stays in the template keeps its id and its template, whatever the template says of it now.
"""

from collections.abc import Callable
from typing import Any

from local.projects.service_catalog import Catalog, Portfolio, Product, made_up_id
from local.sagemaker.account import RequestRefused

Properties = dict[str, Any]
Mine = Callable[[], Catalog]
Answer = tuple[str, Properties]
Apply = Callable[[Portfolio, Properties], None]

_TYPE = "AWS::ServiceCatalog::"


def install(mine: Mine) -> None:
    """Have the running emulator make the types in the catalog that `mine` returns: that of the stack's account."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    products, portfolios = ProductResource(mine), PortfolioResource(mine)
    for kind, resources in (("CloudFormationProduct", products), ("Portfolio", portfolios)):
        handlers[f"{_TYPE}{kind}"] = {
            "create": resources.create,
            "update": resources.update,
            "delete": resources.delete,
        }
    for kind, (put, drop) in _PARTS.items():
        part = AssociationResource(mine, put, drop)
        handlers[f"{_TYPE}{kind}"] = {"create": part.create, "update": part.update, "delete": part.delete}


class ProductResource:
    """CloudFormation's handler of products."""

    def __init__(self, mine: Mine) -> None:
        self._mine = mine

    def create(self, logical_id: str, properties: Properties, stack: str) -> Answer:
        """Add the product with every version that the template lists."""
        catalog = self._mine()
        product = catalog.add_product(properties["Name"], properties["Owner"], properties.get("Description", ""))
        self._set_versions(catalog, product, properties)
        return _product(product)

    def update(self, product_id: str, old: Properties, new: Properties, *_: Any) -> Answer:
        """Add versions that are new in the template, drop those that are gone from it, keep the others."""
        catalog = self._mine()
        product = catalog.product(product_id)
        product.name, product.owner = new["Name"], new["Owner"]
        product.description = new.get("Description", "")
        self._set_versions(catalog, product, new)
        return _product(product)

    def delete(self, product_id: str, properties: Properties) -> None:
        """Drop the product."""
        self._mine().products.pop(product_id, None)

    def _set_versions(self, catalog: Catalog, product: Product, properties: Properties) -> None:
        wanted = properties.get("ProvisioningArtifactParameters") or []
        names = [given.get("Name", "") for given in wanted]
        product.versions = [version for version in product.versions if version.name in names]
        known = {version.name for version in product.versions}
        for name, given in zip(names, wanted, strict=True):
            if name not in known:
                url = given["Info"]["LoadTemplateFromURL"]
                catalog.add_version(product, name, url, given.get("Description", ""))


class PortfolioResource:
    """CloudFormation's handler of portfolios."""

    def __init__(self, mine: Mine) -> None:
        self._mine = mine

    def create(self, logical_id: str, properties: Properties, stack: str) -> Answer:
        """Add the portfolio."""
        return _portfolio(self._mine().add_portfolio(properties["DisplayName"]))

    def update(self, portfolio_id: str, old: Properties, new: Properties, *_: Any) -> Answer:
        """Rename the portfolio."""
        portfolio = self._mine().portfolio(portfolio_id)
        portfolio.name = new["DisplayName"]
        return _portfolio(portfolio)

    def delete(self, portfolio_id: str, properties: Properties) -> None:
        """Drop the portfolio. Raises RequestRefused while it has products."""
        catalog = self._mine()
        if portfolio_id in catalog.portfolios and catalog.portfolios[portfolio_id].products:
            raise RequestRefused(f"Portfolio {portfolio_id} has products", "ResourceInUseException")
        catalog.portfolios.pop(portfolio_id, None)


class AssociationResource:
    """CloudFormation's handler of a portfolio's associations: a product, a principal, a constraint."""

    def __init__(self, mine: Mine, put: Apply, drop: Apply) -> None:
        self._mine = mine
        self._put = put
        self._drop = drop

    def create(self, logical_id: str, properties: Properties, stack: str) -> Answer:
        """Add it to the portfolio that it names."""
        catalog = self._mine()
        if "ProductId" in properties:
            catalog.product(properties["ProductId"])
        self._put(catalog.portfolio(properties["PortfolioId"]), properties)
        return made_up_id("cons"), {}

    def update(self, physical_id: str, old: Properties, new: Properties, *_: Any) -> Answer:
        """Put the new one in the old one's place."""
        self.delete(physical_id, old)
        self.create("", new, "")
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Take it from its portfolio, if that is still there."""
        portfolio = self._mine().portfolios.get(properties["PortfolioId"])
        if portfolio:
            self._drop(portfolio, properties)


def _product(product: Product) -> Answer:
    ids, names = ([getattr(version, field) for version in product.versions] for field in ("id", "name"))
    attributes = {"ProvisioningArtifactIds": ",".join(ids), "ProvisioningArtifactNames": ",".join(names)}
    return product.id, attributes | {"ProductName": product.name}


def _portfolio(portfolio: Portfolio) -> Answer:
    return portfolio.id, {"PortfolioName": portfolio.name}


def _principal(properties: Properties) -> tuple[str, str]:
    return properties["PrincipalARN"], properties["PrincipalType"]


def _add_product(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.products.add(properties["ProductId"])


def _remove_product(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.products.discard(properties["ProductId"])


def _add_principal(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.principals.append(_principal(properties))


def _remove_principal(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.principals.remove(_principal(properties))


def _set_launch_role(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.launch_roles[properties["ProductId"]] = properties["RoleArn"]


def _drop_launch_role(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.launch_roles.pop(properties["ProductId"], None)


def _set_tag_updates(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.tag_updates[properties["ProductId"]] = properties["TagUpdateOnProvisionedProduct"] == "ALLOWED"


def _drop_tag_updates(portfolio: Portfolio, properties: Properties) -> None:
    portfolio.tag_updates.pop(properties["ProductId"], None)


_PARTS: dict[str, tuple[Apply, Apply]] = {
    "PortfolioProductAssociation": (_add_product, _remove_product),
    "PortfolioPrincipalAssociation": (_add_principal, _remove_principal),
    "LaunchRoleConstraint": (_set_launch_role, _drop_launch_role),
    "ResourceUpdateConstraint": (_set_tag_updates, _drop_tag_updates),
}
