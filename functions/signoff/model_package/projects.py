"""SageMaker projects: a project's template tags its group with the project's id, and the group's packages carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.documents.faults import Fault

# SageMaker tags what a project consists of with these two.
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-projects-whatis.html
NAME_TAG = "sagemaker:project-name"
ID_TAG = "sagemaker:project-id"
_PROPERTIES, _ID = "MetadataProperties", "ProjectId"


def in_project(manifest: Mapping[str, Any], group_tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest with the id of the project that its group belongs to, unless it names a project itself.

    Of a group without a project, and where MetadataProperties is no object, it is the manifest as it is.
    """
    project, given = group_tags.get(ID_TAG), manifest.get(_PROPERTIES, {})
    if project is None or not isinstance(given, dict) or _ID in given:
        return dict(manifest)
    return {**manifest, _PROPERTIES: {**given, _ID: project}}


def faults(manifest: Mapping[str, Any], group_tags: Mapping[str, str]) -> list[Fault]:
    """Return a fault when the manifest names another project than the one that its group belongs to."""
    project, given = group_tags.get(ID_TAG), manifest.get(_PROPERTIES, {})
    named = given.get(_ID) if isinstance(given, dict) else None
    if project is None or named is None or named == project:
        return []
    name = group_tags.get(NAME_TAG, "another name")
    message = f"the group belongs to the project {project} ({name}); leave {_ID} out, or submit to a group of {named}"
    return [Fault(f"{_PROPERTIES}.{_ID}", message)]
