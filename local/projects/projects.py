"""SageMaker projects: what CreateProject, DescribeProject, UpdateProject, ListProjects and DeleteProject do.

A project is a CloudFormation stack, made of the version of a Service Catalog product or of a template in S3
(CfnTemplateProvider); its status is its stack's. To the template SageMaker gives the project's name and id, as "Create
Custom Project Templates" in SageMaker's guide says; constraints and errors are those of the API reference.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from local.projects.service_catalog import Catalog, made_up_id
from local.projects.stacks import StackOrder, StackState
from local.sagemaker import pagination
from local.sagemaker.account import AccountState, ApiCall, Document, RequestRefused

# https://docs.aws.amazon.com/general/latest/gr/sagemaker.html: projects of an account in a region
LIMIT = 500
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SUMMARY = ("ProjectName", "ProjectDescription", "ProjectArn", "ProjectId", "CreationTime", "ProjectStatus")


class StackService(Protocol):
    """What is made of stacks (`local.projects.stacks.ProjectStacks`)."""

    def create(self, order: StackOrder) -> None: ...  # noqa: D102
    def update(self, order: StackOrder) -> None: ...  # noqa: D102
    def delete(self, name: str) -> None: ...  # noqa: D102
    def state(self, name: str) -> StackState: ...  # noqa: D102


@dataclass
class ProjectTemplate:
    """What a project is made of: the fields that describe it, its text, and its parameters by key."""

    described: Document
    text: str
    parameters: dict[str, str]

    @property
    def product(self) -> str | None:
        """The product that it is a version of, if it is not a template in S3."""
        found: str | None = self.described.get("ProductId")
        return found


@dataclass
class ProjectRecord:
    """One project: its fixed fields, what it is made of now and was before, and its newest operation."""

    fields: Document
    template: ProjectTemplate
    stack: str
    before: ProjectTemplate
    operation: str = "Create"
    refusal: str = ""
    provisioned: str = field(default_factory=lambda: made_up_id("pp"))

    @property
    def arn(self) -> str:
        """The project's ARN."""
        return str(self.fields["ProjectArn"])

    def status(self, state: StackState) -> str:
        """The project's status, from its stack's."""
        if self.refusal:
            return f"{self.operation}Failed"
        if state.status.endswith("IN_PROGRESS"):
            return f"{self.operation}InProgress"
        good = {"Create": {"CREATE_COMPLETE"}, "Delete": {"DELETE_COMPLETE"}}
        done = good.get(self.operation, {"CREATE_COMPLETE", "UPDATE_COMPLETE"})
        return f"{self.operation}{'Completed' if state.status in done else 'Failed'}"


class ProjectsApi:
    """The rules for projects; `catalog` returns an account's Service Catalog, `fetch` the template at a URL."""

    def __init__(
        self,
        stacks: StackService,
        catalog: Callable[[str, str], Catalog],
        fetch: Callable[[str], str],
        limit: int = LIMIT,
    ) -> None:
        self._stacks = stacks
        self._catalog = catalog
        self._fetch = fetch
        self._limit = limit
        self._projects: dict[tuple[str, str], dict[str, ProjectRecord]] = {}

    @property
    def rules(self) -> dict[str, Callable[[ApiCall], Document]]:
        """The rule for each action."""
        return {
            "CreateProject": self.create,
            "DescribeProject": self.describe,
            "UpdateProject": self.update,
            "ListProjects": self.list,
            "DeleteProject": self.delete,
        }

    def create(self, call: ApiCall) -> Document:
        """CreateProject from a product or from a template in S3, one of them."""
        mine, request, account = self._mine(call.account), call.request, call.account
        name = request["ProjectName"]
        if name in mine and self._status(mine[name]) != "DeleteCompleted":
            raise RequestRefused(f"Project already exists: {mine[name].arn}")
        if sum(self._status(project) != "DeleteCompleted" for project in mine.values()) >= self._limit:
            raise RequestRefused(f"The account has {self._limit} projects, which is its limit", "ResourceLimitExceeded")
        template = self._chosen(call)
        project_id = "p-" + "".join(secrets.choice(_LETTERS) for _ in range(12))
        fields = {"ProjectName": name, "ProjectArn": account.arn("project", name), "ProjectId": project_id}
        fields |= {field: request[field] for field in ("ProjectDescription",) if field in request}
        fields |= {"CreationTime": account.now(), "CreatedBy": call.identity}
        # As Service Catalog names its stacks; how SageMaker names those of a template in S3 is not documented.
        prefix = f"SC-{account.account_id}-" if template.product else "sagemaker-"
        mine[name] = project = ProjectRecord(fields, template, f"{prefix}{project_id}", template)
        account.tags[project.arn] = _tags(request)
        self._begin(account, project, "Create", self._stacks.create)
        return {"ProjectArn": project.arn, "ProjectId": project_id}

    def describe(self, call: ApiCall) -> Document:
        """DescribeProject, which shows what the project is made of after its last success."""
        project = self._named(call)
        state = self._stacks.state(project.stack)
        status = project.status(state)
        template = project.before if status == "UpdateFailed" else project.template
        message = project.refusal or (state.failure if status.endswith("Failed") else "")
        made_of = _provisioned(project, template, message) if template.product else _stacked(template, state, message)
        return project.fields | {"ProjectStatus": status} | made_of

    def update(self, call: ApiCall) -> Document:
        """UpdateProject: another version of the product or another template, in the project's own way."""
        project, request = self._settled(call), call.request
        template = self._changed(project, call)
        if "Tags" in request:
            self._may_be_tagged(project, call)
            call.account.tags[project.arn] = call.account.tags[project.arn] | _tags(request)
        if "ProjectDescription" in request:
            project.fields["ProjectDescription"] = request["ProjectDescription"]
        project.fields |= {"LastModifiedTime": call.account.now(), "LastModifiedBy": call.identity}
        if self._status(project) != "UpdateFailed":
            project.before = project.template
        project.template = template
        self._begin(call.account, project, "Update", self._stacks.update)
        return {"ProjectArn": project.arn}

    def list(self, call: ApiCall) -> Document:
        """ListProjects, by CreationTime or Name, in pages."""
        summaries = [
            {**project.fields, "ProjectStatus": self._status(project)} for project in self._mine(call.account).values()
        ]
        found = pagination.matching(summaries, call.request, _name)
        shown, token = pagination.sorted_page(found, call.request, _name)
        kept = [{name: each[name] for name in _SUMMARY if name in each} for each in shown]
        return {"ProjectSummaryList": kept, **token}

    def delete(self, call: ApiCall) -> Document:
        """DeleteProject, and with it what its stack does not retain."""
        project = self._settled(call)
        self._begin(call.account, project, "Delete", lambda order: self._stacks.delete(order.name))
        return {}

    def _mine(self, account: AccountState) -> dict[str, ProjectRecord]:
        return self._projects.setdefault((account.account_id, account.region), {})

    def _named(self, call: ApiCall) -> ProjectRecord:
        name = call.request["ProjectName"]
        project = self._mine(call.account).get(name)
        if project is None:
            raise RequestRefused(f"Project {call.account.arn('project', name)} does not exist")
        return project

    def _settled(self, call: ApiCall) -> ProjectRecord:
        """The project, which must have no operation in progress, and whose stack must exist."""
        project = self._named(call)
        status = self._status(project)
        if status.endswith("InProgress"):
            raise RequestRefused(f"Project {project.fields['ProjectName']} is {status}", "ConflictException")
        if status == "DeleteCompleted" or (status == "CreateFailed" and call.action == "UpdateProject"):
            raise RequestRefused(f"Project {project.fields['ProjectName']} is {status} and cannot be changed")
        return project

    def _status(self, project: ProjectRecord) -> str:
        return project.status(self._stacks.state(project.stack))

    def _begin(
        self, account: AccountState, project: ProjectRecord, operation: str, act: Callable[[StackOrder], None]
    ) -> None:
        project.operation, project.refusal = operation, ""
        name, project_id = str(project.fields["ProjectName"]), str(project.fields["ProjectId"])
        parameters = project.template.parameters | {"SageMakerProjectName": name, "SageMakerProjectId": project_id}
        tags = account.tags[project.arn] | {"sagemaker:project-name": name, "sagemaker:project-id": project_id}
        try:
            act(StackOrder(project.stack, project.template.text, parameters, tags))
        except RequestRefused as refusal:
            project.refusal = refusal.message

    def _chosen(self, call: ApiCall) -> ProjectTemplate:
        details = call.request.get("ServiceCatalogProvisioningDetails")
        providers = call.request.get("TemplateProviders")
        if bool(details) == bool(providers):
            raise RequestRefused(
                "Either ServiceCatalogProvisioningDetails or TemplateProviders must be given, and not both"
            )
        return self._version(call, details) if details else self._file(_provider(providers or []))

    def _changed(self, project: ProjectRecord, call: ApiCall) -> ProjectTemplate:
        details = call.request.get("ServiceCatalogProvisioningUpdateDetails")
        providers = call.request.get("TemplateProvidersToUpdate")
        template = project.template
        if template.product and providers:
            raise RequestRefused("The project was made from a product: give ServiceCatalogProvisioningUpdateDetails")
        if not template.product and details is not None:
            raise RequestRefused("The project was made from a template in S3: give TemplateProvidersToUpdate")
        if details is not None:
            return self._version(call, {"ProductId": template.product, **details})
        if not providers:
            return template
        kept = {name: template.described[name] for name in ("RoleARN",) if name in template.described}
        return self._file(_provider(providers) | kept)

    def _version(self, call: ApiCall, details: Document) -> ProjectTemplate:
        """The version of the product that the details name, or its newest; parameters are those given, no others."""
        catalog = self._catalog(call.account.account_id, call.account.region)
        try:
            product = catalog.product(details["ProductId"])
            catalog.path(product, call.caller)
            wanted = details.get("ProvisioningArtifactId")
            version = product.version(wanted) if wanted else product.newest
        except RequestRefused as missing:
            raise RequestRefused(missing.message) from missing
        if version is None or not version.active:
            raise RequestRefused(f"Product {product.id} has no such active version")
        given = details.get("ProvisioningParameters") or []
        return ProjectTemplate(details | {"ProvisioningArtifactId": version.id}, version.template, _parameters(given))

    def _file(self, provider: Document) -> ProjectTemplate:
        text = self._fetch(provider["TemplateURL"])
        return ProjectTemplate(provider, text, _parameters(provider.get("Parameters") or []))

    def _may_be_tagged(self, project: ProjectRecord, call: ApiCall) -> None:
        """UpdateProject takes tags of a product's project only if a tag update constraint of the product allows it."""
        product_id = project.template.product
        if product_id:
            catalog = self._catalog(call.account.account_id, call.account.region)
            portfolio = catalog.path(catalog.product(product_id), call.caller)
            if not portfolio.tag_updates.get(product_id):
                raise RequestRefused(
                    f"Product {product_id} has no tag update constraint that allows Tags to be updated"
                )


def _provider(providers: Sequence[Document]) -> Document:
    provider = providers[0].get("CfnTemplateProvider")
    if not provider:
        raise RequestRefused("A template provider must be a CfnTemplateProvider")
    return dict(provider)


def _provisioned(project: ProjectRecord, template: ProjectTemplate, message: str) -> Document:
    product = {"ProvisionedProductId": project.provisioned}
    product |= {"ProvisionedProductStatusMessage": message} if message else {}
    return {
        "ServiceCatalogProvisioningDetails": template.described,
        "ServiceCatalogProvisionedProductDetails": product,
    }


def _stacked(template: ProjectTemplate, state: StackState, message: str) -> Document:
    stack = {"StatusMessage": message or state.status}
    if state.id:
        stack |= {"Name": state.id.split("/")[1], "Id": state.id}
    return {"TemplateProviderDetails": [{"CfnTemplateProviderDetail": {**template.described, "StackDetail": stack}}]}


def _parameters(given: Sequence[Document]) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in given if "Key" in each}


def _tags(request: Document) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}


def _name(project: Document) -> str:
    return str(project["ProjectName"])
