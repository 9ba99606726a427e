"""Which objects a manifest names, and which of them the artifact is that somebody submits with it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from signoff.documents.text import clean, joined
from signoff.errors import ManifestRefused
from signoff.model_package.artifacts import without_model
from signoff.model_package.data_sources import ALGORITHMS, CONTAINERS, is_prefix
from signoff.service_model.shapes import objects
from signoff.submission.locations import relative_name, spelling_fault
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.submission.manifest import Manifest

# ModelDataQuality, which is a metric, is none.
_MODEL_DATA = re.compile(r"ModelDataUrl|ModelDataSource")


@dataclass(frozen=True)
class ManifestNames:
    """A manifest's `document`, and the names of the objects that it means: of `model_data`, and of `others`."""

    document: dict[str, Any] = field(default_factory=dict)
    model_data: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @cached_property
    def running(self) -> dict[str, dict[str, Any]]:
        """The containers and algorithms that it defines, by path; a policy may define those of a manifest without."""
        return dict(objects(self.document, *CONTAINERS, ALGORITHMS))

    @cached_property
    def vacant(self) -> list[str]:
        """The paths of those that have no model data."""
        return without_model(self.document, *CONTAINERS, ALGORITHMS)

    def with_model_data(self, path: str, name: str) -> bytes:
        """Return the manifest with the object of that name as the ModelDataUrl of the container at `path`."""
        changed = ManifestNames(copy.deepcopy(self.document))
        changed.running[path]["ModelDataUrl"] = name
        return json.dumps(changed.document, indent=2).encode()


def names_of(data: bytes, defaults: Mapping[str, Any] | None = None) -> ManifestNames:
    """Return the names in a manifest, with a policy's registration `defaults` for the fields that it leaves out.

    What is wrong with a manifest is for the pipeline to say, completely and where everybody sees it: here it names
    nothing. Raises `CommandFailed` for a name that could be read as another one.
    """
    try:
        manifest = _manifest(data, defaults)
    except ManifestRefused:
        return ManifestNames()
    names: dict[str, bool] = {}
    for path, value in manifest.locations():
        name = _plain_name(path, value)
        if name is None and (fault := spelling_fault(value)):
            raise CommandFailed(f"{path}: {clean(value)} {fault}. Nothing was uploaded")
        if name is not None:
            names[name] = names.get(name, False) or _MODEL_DATA.search(path) is not None
    model_data = tuple(name for name, model in names.items() if model)
    return ManifestNames(manifest.document, model_data, tuple(name for name, model in names.items() if not model))


def _manifest(data: bytes, defaults: Mapping[str, Any] | None) -> Manifest:
    from signoff.service_model.sagemaker import sagemaker_shape
    from signoff.submission.json_objects import read
    from signoff.submission.manifest import Manifest, with_defaults
    from signoff.submission.manifest_shape import manifest_shape

    shape = manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))
    return Manifest(with_defaults(read(data), defaults), "", "", shape)


def _plain_name(path: str, value: str) -> str | None:
    try:
        return relative_name(path, value, "", "")
    except ManifestRefused:
        return None


def place(own: str, names: ManifestNames, files: Collection[str], present: Collection[str]) -> tuple[str, str | None]:
    """Return the name of the object that an artifact of the name `own` is; with a path, it is that container's model.

    A folder's name ends in `/`. `files` are the names that have a file of their own, `present` those that there is a
    file for beside the manifest. Raises `CommandFailed` when it cannot be told which object the artifact is.
    """
    if own in names.model_data:
        return own, None
    free = [name for name in names.model_data if name not in files]
    fitting = [name for name in free if is_prefix(name) == is_prefix(own)]
    if len(fitting) > 1:
        raise CommandFailed(
            f"the manifest names the model data {', '.join(fitting)}, and none of it is called {own}; assign the "
            "files with --file NAME=PATH. Nothing was uploaded"
        )
    if fitting and not (names.vacant and fitting[0] in present):
        return fitting[0], None
    return _unnamed(own, names, free, fitting)


def _unnamed(own: str, names: ManifestNames, free: list[str], fitting: list[str]) -> tuple[str, str | None]:
    """Return the place of an artifact that has no name in the manifest."""
    if free and not names.vacant:
        raise CommandFailed(
            f"{own} is a {'folder' if is_prefix(own) else 'file'}, and the manifest's model data is "
            f"{', '.join(free)}: a name that ends in / means a folder, and any other one file. Nothing was uploaded"
        )
    if not names.running or (own in names.others and not names.vacant):
        return own, None
    if len(names.vacant) == 1 and not (fitting or is_prefix(own) or own in names.others):
        return own, names.vacant[0]
    raise CommandFailed(_whose(own, names.vacant, fitting))


def _whose(own: str, vacant: list[str], fitting: list[str]) -> str:
    """Return what to write into the manifest, so that it says whose model data an artifact is."""
    many = [*(f"{name}, which lies beside the manifest," for name in fitting), *vacant]
    where = f"it may be meant for {joined(many, 'or')}" if many else "every container has model data of another name"
    source = {"S3DataSource": {"S3Uri": own, "S3DataType": "S3Prefix", "CompressionType": "None"}}
    written = {"ModelDataSource": source} if is_prefix(own) else {"ModelDataUrl": own}
    return (
        f"the manifest does not say whose model data {own} is: {where}. Write {json.dumps(written)[1:-1]} into its "
        "container. Nothing was uploaded"
    )
