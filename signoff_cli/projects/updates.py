"""Moving a SageMaker project to another version of its template: the UpdateProject, and what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from signoff_cli.errors import CommandFailed
from signoff_cli.projects.client import Document, Project, template_of


@dataclass(frozen=True)
class ProjectUpdate:
    """What to make of a project; `version` is a version's name or id, and None the newest. Tags are added."""

    version: str | None = None
    template_url: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def update_request(project: Project, change: ProjectUpdate) -> Document:
    """Return the UpdateProject that makes `change` of a project: just its name, when it is like that already.

    Every parameter that the project has is sent again, for a template takes its defaults for those that are not. Raises
    `CommandFailed` for a version that is not there, or one of the wrong kind.
    """
    request: Document = {"ProjectName": project.name}
    if change.description is not None and change.description != project.described.get("ProjectDescription"):
        request["ProjectDescription"] = change.description
    if change.tags:
        request["Tags"] = _pairs(change.tags)
    parameters = {**project.parameters, **change.parameters}
    same = parameters == project.parameters
    if project.source.kind == "product":
        artifact = _artifact(project, change)
        if not same or artifact != project.described["ServiceCatalogProvisioningDetails"].get("ProvisioningArtifactId"):
            details = {"ProvisioningArtifactId": artifact, "ProvisioningParameters": _pairs(parameters)}
            request["ServiceCatalogProvisioningUpdateDetails"] = details
        return request
    url = _url(project, change)
    if not same or url != project.source.version:
        template = {"TemplateName": template_of(project.described)["TemplateName"], "TemplateURL": url}
        template["Parameters"] = _pairs(parameters)
        request["TemplateProvidersToUpdate"] = [{"CfnTemplateProvider": template}]
    return request


def describe_changes(project: Project, request: Document) -> list[str]:
    """Return what an UpdateProject changes, one line each, for somebody who is asked whether to go on."""
    made_from = request.get("ServiceCatalogProvisioningUpdateDetails") or {}
    for provider in request.get("TemplateProvidersToUpdate") or ():
        made_from = provider["CfnTemplateProvider"]
    lines = []
    names = {artifact: name for name, artifact in project.source.versions.items()}
    artifact = made_from.get("ProvisioningArtifactId", "")
    target = made_from.get("TemplateURL") or names.get(artifact, artifact)
    if target and target != project.source.version:
        lines.append(f"template     {project.source.version} -> {target}")
    for given in made_from.get("ProvisioningParameters") or made_from.get("Parameters") or ():
        before = project.parameters.get(given["Key"])
        if before != given["Value"]:
            lines.append(f"parameter    {given['Key']}: {before or '(not given)'} -> {given['Value']}")
    if "ProjectDescription" in request:
        lines.append(f"description  {request['ProjectDescription']}")
    return lines + [f"tag          {tag['Key']} = {tag['Value']}" for tag in request.get("Tags", ())]


def _artifact(project: Project, change: ProjectUpdate) -> str:
    if change.template_url:
        raise CommandFailed(f"{project.name} was made from a product: use --version, not --template-url")
    source, wanted = project.source, change.version
    current = str(project.described["ServiceCatalogProvisioningDetails"].get("ProvisioningArtifactId"))
    wanted = wanted or source.newest
    if wanted is None or wanted in (source.version, current):
        return current
    if wanted in source.versions:
        return source.versions[wanted]
    if wanted in source.versions.values():
        return wanted
    known = ", ".join(source.versions) or "none that you may use"
    raise CommandFailed(f"the product of {project.name} has no version {wanted}; it has {known}")


def _url(project: Project, change: ProjectUpdate) -> str:
    if change.version:
        raise CommandFailed(f"{project.name} was made from a template in S3: use --template-url, not --version")
    return change.template_url or project.source.newest or project.source.version


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]
