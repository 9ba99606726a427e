"""`signoff projects`: SageMaker projects whose groups Signoff governs."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signoff_cli.commands.decide import Yes, confirm
from signoff_cli.commands.options import AsJson, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.projects.client import Document, Project, ProjectClient


class SortBy(StrEnum):
    """What ListProjects sorts by."""

    NAME = "Name"
    CREATION_TIME = "CreationTime"


class SortOrder(StrEnum):
    """In which order."""

    ASCENDING = "Ascending"
    DESCENDING = "Descending"


_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

Name = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's name.")]
NameContains = Annotated[str | None, typer.Option(metavar="TEXT", help="Only projects whose name contains it.")]
After = Annotated[
    datetime | None,
    typer.Option("--created-after", formats=_TIMES, help="Only projects created after this time (UTC by default)."),
]
Before = Annotated[
    datetime | None, typer.Option("--created-before", formats=_TIMES, help="Only projects created before it.")
]
By = Annotated[SortBy, typer.Option("--sort-by", help="What to sort by.")]
Order = Annotated[SortOrder, typer.Option("--sort-order", help="The sort order.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="NUMBER", help="The most projects to list.")]
Version = Annotated[
    str | None, typer.Option(metavar="NAME", help="The version of its product, by name or id; by default the newest.")
]
TemplateUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="For a project made from S3: its template; by default the stack's newest."),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter", metavar="KEY=VALUE", help="A parameter of the template; others keep their values. Repeatable."
    ),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Tag the project. Repeatable.")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What the project is for.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is over, and exit 1 if it fails.")]


def list_projects(
    name_contains: NameContains = None,
    created_after: After = None,
    created_before: Before = None,
    sort_by: By = SortBy.CREATION_TIME,
    sort_order: Order = SortOrder.ASCENDING,
    limit: Limit = None,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List SageMaker projects, their status, and the version of the template that they are made from."""
    from signoff_cli.output import console
    from signoff_cli.stack import Stack

    found = Stack.find(stack).projects.list_projects(
        limit,
        NameContains=name_contains,
        CreationTimeAfter=_utc(created_after),
        CreationTimeBefore=_utc(created_before),
        SortBy=str(sort_by),
        SortOrder=str(sort_order),
    )
    rows = [project.row for project in found]
    if json:
        console.print_json(rows)
    elif rows:
        columns = ("project", "status", "template", "newest", "created")
        cells = [_cells(row) for row in rows]
        console.print_table(columns, cells, console.console())
    else:
        console.print_line("No projects.")


def _cells(row: Document) -> tuple[object, ...]:
    newest = row["newest_version"] if row["newest_version"] != row["template_version"] else ""
    names = _brief(row["template_version"]), _brief(newest or "")
    return row["ProjectName"], row["ProjectStatus"], *names, row["CreationTime"][:19]


def _brief(version: str) -> str:
    """Return a version's name, or of a template's URL its last part."""
    return version.rpartition("/")[2] if version.startswith("https://") else version


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def show(project: Name, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Show a SageMaker project.

    Its status and the reason, the version of its template and the newest one, its groups, and which of their packages
    are being validated.
    """
    from signoff_cli.output import console
    from signoff_cli.stack import Stack

    projects = Stack.find(stack).projects
    found = projects.project(project)
    document = projects.document(found)
    if json:
        console.print_json(document)
        return
    for name, value in _facts(found, document):
        console.print_line(f"{name:<14}{value}")


def _facts(project: Project, document: Document) -> list[tuple[str, str]]:
    from signoff.documents.text import clean

    provisioning = project.described.get("ServiceCatalogProvisioningDetails") or {}
    product = f"product {provisioning['ProductId']}" if provisioning else "a template in S3"
    newest = f" (newest: {document['template']['newest']})" if project.source.behind else ""
    facts: dict[str, Any] = {
        "project": project.name,
        "status": project.status,
        "because": document["failure"],
        "id": document["ProjectId"],
        "ARN": document["ProjectArn"],
        "description": document.get("ProjectDescription"),
        "made from": product,
        "version": f"{document['template']['version']}{newest}",
        "parameters": ", ".join(f"{key}={value}" for key, value in project.parameters.items()),
        "groups": ", ".join(document["groups"]),
        "validating": ", ".join(document["validating"]),
        "created": _when(document, "CreationTime", "CreatedBy"),
        "changed": _when(document, "LastModifiedTime", "LastModifiedBy"),
    }
    return [(name, clean(value)) for name, value in facts.items() if value]


def _when(document: Document, time: str, by: str) -> str:
    who = document.get(by) or {}
    actor = (who.get("IamIdentity") or {}).get("Arn") or who.get("UserProfileArn")
    return f"{document[time]}{f' by {actor}' if actor else ''}" if document.get(time) else ""


def update(
    project: Name,
    version: Version = None,
    template_url: TemplateUrl = None,
    parameter: Parameters = None,
    description: Description = None,
    tag: Tags = None,
    wait: Wait = False,
    yes: Yes = False,
    timeout: Timeout = 900,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Move a SageMaker project to another version of its template.

    By default to the newest. Also changes its parameters, description and tags.

    Refused, with exit code 1, while the project is not CreateCompleted or UpdateCompleted, and while a package of its
    groups is being validated.
    """
    from signoff_cli.projects.updates import ProjectUpdate, describe_changes, update_request
    from signoff_cli.stack import Stack

    if version and template_url:
        raise typer.BadParameter("--version and --template-url cannot be used together")
    parameters, tags = _read_pairs(parameter, "--parameter"), _read_pairs(tag, "--tag")
    change = ProjectUpdate(version, template_url, parameters, description, tags)
    projects = Stack.find(stack).projects
    found = projects.project(project)
    projects.require_updatable(found)
    request = update_request(found, change)
    changed = describe_changes(found, request)
    if changed and not yes:
        confirm([f"{found.name}", *changed], "Nothing was changed")
    if changed:
        projects.update(request)
    _follow(projects, found, changed, timeout if wait else None, json)


def _read_pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"{text} is not KEY=VALUE", param_hint=option)
        pairs[key] = value
    return pairs


def _follow(projects: ProjectClient, before: Project, changed: list[str], timeout: float | None, json: bool) -> None:
    """Print the result of an update, after waiting for it if there is a timeout."""
    from signoff_cli.output import console
    from signoff_cli.packages.progress import Deadline

    name = before.name
    waited = bool(changed) and timeout is not None
    after = projects.wait_until_finished(name, Deadline(timeout or 0)) if waited else projects.project(name)
    if json:
        console.print_json({**projects.document(after), "changed": changed})
    if waited and not after.settled:
        raise CommandFailed(f"{name} is {after.status}: {after.failure or 'SageMaker does not say why'}")
    if not json:
        console.print_line(_outcome(before, after, changed, waited))


def _outcome(before: Project, after: Project, changed: list[str], waited: bool) -> str:
    if not changed:
        return f"{before.name} is up to date already, made from {_brief(before.source.version)}. Nothing was changed."
    if waited:
        return f"{after.name} is {after.status}, made from {_brief(after.source.version)}."
    return f"{after.name} is {after.status}. Follow it with `signoff projects show {after.name}`."
