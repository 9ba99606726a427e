"""SageMaker projects: how one stands, which version of its template it is made of, and whether it may be updated.

What is asked of SageMaker is ListProjects, DescribeProject and UpdateProject, and of Service Catalog DescribeProduct,
for the names of a product's versions. SageMaker's fields keep SageMaker's names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, error_message
from signoff.ledger.entries import Status
from signoff.model_package.projects import ID_TAG
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.packages.progress import Deadline

Document = dict[str, Any]

# UpdateProject must not be called on a project that is being created or updated, or that was left half made.
SETTLED = ("CreateCompleted", "UpdateCompleted")
# SageMaker gives these to every template itself.
_SAGEMAKERS = {"SageMakerProjectName", "SageMakerProjectId"}
_PAGE = 100  # ListProjects' own maximum


class GroupTags(Protocol):
    """What is asked about model package groups (`signoff.aws.sagemaker.Registry`)."""

    def groups(self) -> Iterator[tuple[str, dict[str, str]]]: ...  # noqa: D102


class PackageStatuses(Protocol):
    """What is asked about packages (`signoff.aws.ledger_table.LedgerTable`)."""

    def rows_by_status(self, status: Status) -> Iterator[dict[str, Any]]: ...  # noqa: D102


@dataclass(frozen=True)
class TemplateSource:
    """What a project's resources are made from: a version of a product, or a template in S3.

    `version` and `newest` are names of versions of the product, or URLs of templates; `newest` is None when it is
    unknown. `versions` are the ids of the product's versions by name, the oldest first.
    """

    kind: str
    version: str
    newest: str | None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def behind(self) -> bool:
        """Whether there is something newer."""
        return self.newest is not None and self.newest != self.version


@dataclass(frozen=True)
class Project:
    """A project, as DescribeProject describes it, and what it is made from."""

    described: Document
    source: TemplateSource

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.described["ProjectName"])

    @property
    def status(self) -> str:
        """Its ProjectStatus."""
        return str(self.described["ProjectStatus"])

    @property
    def settled(self) -> bool:
        """Whether it may be updated, as far as SageMaker is concerned."""
        return self.status in SETTLED

    @property
    def failure(self) -> str | None:
        """Why its last operation failed, as Service Catalog or CloudFormation report it."""
        if not self.status.endswith("Failed"):
            return None
        product = self.described.get("ServiceCatalogProvisionedProductDetails") or {}
        stack = template_of(self.described).get("StackDetail") or {}
        return str(product.get("ProvisionedProductStatusMessage") or stack.get("StatusMessage") or "") or None

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that its template was given, beside those that SageMaker gives."""
        product = self.described.get("ServiceCatalogProvisioningDetails") or {}
        given = product.get("ProvisioningParameters") or template_of(self.described).get("Parameters") or ()
        pairs = {each["Key"]: each.get("Value", "") for each in given if "Key" in each}
        return {key: value for key, value in pairs.items() if key not in _SAGEMAKERS}

    @property
    def row(self) -> Document:
        """What `list` shows of it."""
        names = ("ProjectName", "ProjectStatus", "ProjectId", "ProjectArn", "ProjectDescription", "CreationTime")
        shown = {name: _plain(self.described.get(name)) for name in names}
        return {**shown, "template_version": self.source.version, "newest_version": self.source.newest}


class ProjectClient:
    """An account's projects, through its SageMaker and Service Catalog clients.

    `newest_url` is the newest template in S3 that the stack offers, if it offers projects at all.
    """

    def __init__(
        self, sagemaker: Any, servicecatalog: Any, registry: GroupTags, ledger: PackageStatuses, newest_url: str | None
    ) -> None:
        self._sagemaker = sagemaker
        self._servicecatalog = servicecatalog
        self._registry = registry
        self._ledger = ledger
        self._newest_url = newest_url
        self._products: dict[str, list[Document]] = {}

    def list_projects(self, limit: int | None = None, **filters: Any) -> Iterator[Project]:
        """Yield the projects that ListProjects lists, `limit` of them at most, each described.

        `filters` are ListProjects' own: NameContains, CreationTimeAfter, CreationTimeBefore, SortBy, SortOrder.
        """
        request = {name: value for name, value in filters.items() if value is not None}
        request["MaxResults"] = min(limit or _PAGE, _PAGE)
        left = limit
        while True:
            page = self._sagemaker.list_projects(**request)
            for summary in page["ProjectSummaryList"][:left]:
                yield self.project(summary["ProjectName"])
            left = None if left is None else left - len(page["ProjectSummaryList"])
            if not page.get("NextToken") or (left is not None and left <= 0):
                return
            request["NextToken"] = page["NextToken"]

    def project(self, name: str) -> Project:
        """Return the project of that name. Raises `CommandFailed` when there is none."""
        try:
            described = self._sagemaker.describe_project(ProjectName=name)
        except ClientError as error:
            if "does not exist" in error_message(error):
                raise CommandFailed(
                    f"there is no project {name}; `signoff projects list` shows those there are"
                ) from error
            raise
        described.pop("ResponseMetadata", None)
        return Project(described, self._source(described))

    def groups(self, project: Project) -> list[str]:
        """Return the names of the project's model package groups: those that are tagged with its id."""
        project_id = project.described["ProjectId"]
        return sorted(name for name, tags in self._registry.groups() if tags.get(ID_TAG) == project_id)

    def validating(self, groups: Sequence[str]) -> list[str]:
        """Return the packages of these groups that are being validated, as `group/version`."""
        heads = self._ledger.rows_by_status(Status.VALIDATING)
        return sorted(f"{head['group']}/{head['version']}" for head in heads if head.get("group") in groups)

    def document(self, project: Project) -> Document:
        """Return all that is known of a project, as `show --json` prints it."""
        groups = self.groups(project)
        return {
            **_plain(project.described),
            "template": {
                "kind": project.source.kind,
                "version": project.source.version,
                "newest": project.source.newest,
            },
            "groups": groups,
            "validating": self.validating(groups),
            "failure": project.failure,
        }

    def require_updatable(self, project: Project) -> None:
        """Raise `CommandFailed` when the project must not be updated now, with what to do about it."""
        if not project.settled:
            raise CommandFailed(f"{project.name} is {project.status}: {_what_to_do(project)}")
        validating = self.validating(self.groups(project))
        if validating:
            raise CommandFailed(
                f"{project.name} has packages that are being validated ({', '.join(validating)}), and an update may "
                f"change their policy meanwhile; wait with `signoff watch {validating[0]}`, then update again"
            )

    def update(self, request: Document) -> None:
        """Send an UpdateProject. Raises `CommandFailed` when something else is under way after all."""
        try:
            self._sagemaker.update_project(**request)
        except ClientError as error:
            if error_code(error) == "ConflictException":
                raise CommandFailed(f"{error_message(error)}; try again when that is over") from error
            raise

    def wait_until_finished(self, name: str, deadline: Deadline) -> Project:
        """Wait until nothing is under way with a project and return it. Raises `TimedOut`."""
        while True:
            project = self.project(name)
            if not project.status.endswith("InProgress"):
                return project
            deadline.pause(
                f"timed out: {name} is still {project.status}. Look again with `signoff projects show {name}`"
            )

    def _source(self, described: Document) -> TemplateSource:
        product = described.get("ServiceCatalogProvisioningDetails")
        if not product:
            return TemplateSource("template", template_of(described).get("TemplateURL", ""), self._newest_url)
        artifacts = self._artifacts(product["ProductId"])
        versions = {artifact["Name"]: artifact["Id"] for artifact in artifacts}
        current = product.get("ProvisioningArtifactId", "")
        name = next((name for name, artifact in versions.items() if artifact == current), current)
        wanted = [artifact["Name"] for artifact in artifacts if artifact.get("Guidance") != "DEPRECATED"]
        return TemplateSource("product", name, wanted[-1] if wanted else None, versions)

    def _artifacts(self, product_id: str) -> list[Document]:
        """Return a product's versions, the oldest first; none of a product that one may not use."""
        if product_id not in self._products:
            try:
                answer = self._servicecatalog.describe_product(Id=product_id)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                answer = {}
            found = answer.get("ProvisioningArtifacts") or ()
            self._products[product_id] = sorted(found, key=lambda artifact: artifact["CreatedTime"])
        return self._products[product_id]


def _what_to_do(project: Project) -> str:
    if project.status.endswith("InProgress") or project.status == "Pending":
        return f"wait until that is over (`signoff projects show {project.name}`), then update again"
    if project.status == "DeleteCompleted":
        return "it is deleted; create a new one in SageMaker"
    because = f" ({project.failure})" if project.failure else ""
    if project.status == "UpdateFailed":
        return f"fix the cause{because} and finish that update in Service Catalog or CloudFormation first"
    return f"fix the cause{because}, delete the project in SageMaker and create it again"


def template_of(described: Document) -> Document:
    """Return what DescribeProject says of a project's template in S3, or nothing of a project of a product."""
    for provider in described.get("TemplateProviderDetails") or ():
        return dict(provider.get("CfnTemplateProviderDetail") or {})
    return {}


def _plain(value: Any) -> Any:
    """Return `value` with times as ISO 8601 text, as JSON takes them."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
