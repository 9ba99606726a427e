"""What a submission uploads, under which names, and the upload itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.failures import CommandFailed
from signoff.errors import ManifestRefused
from signoff.submission import MANIFEST, SUBMISSION, Submission

if TYPE_CHECKING:
    from signoff.manifest import Manifest

# ModelDataQuality, which is a metric, is none.
_MODEL_DATA = re.compile(r"ModelDataUrl|ModelDataSource")
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Upload:
    """One object of a submission: its name relative to the submission, and the file it comes from."""

    name: str
    path: Path


@dataclass(frozen=True)
class Plan:
    """All that a submission uploads beside `submission.json`, in this order."""

    uploads: tuple[Upload, ...]

    @property
    def size(self) -> int:
        """The bytes in all."""
        return sum(upload.path.stat().st_size for upload in self.uploads)


def submission_name(now: datetime, suffix: str) -> str:
    """Return a submission's name, which sorts by time (UTC): `20261120T180000Z-6f3a9c2e`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{suffix}"


def plan(artifact: Path, manifest: Path | None, files: Mapping[str, Path]) -> Plan:
    """Return what to upload: the manifest, and the local file of every object that it names.

    An object's file is the one that `files` gives for its name; the artifact, for the model data of another name when
    there is one only; otherwise the file of that name in the manifest's folder. Objects that Signoff will refuse for
    where they point are left to it. Raises `CommandFailed` naming every file that is not there.
    """
    _must_exist([artifact, *files.values(), *([manifest] if manifest else [])])
    if manifest is None:
        return Plan(_uploads({artifact.name: artifact, **files}))
    model_data, others = _names(manifest.read_bytes())
    chosen = {**files}
    name = _artifact_name(artifact, model_data, others, files)
    chosen.setdefault(name, artifact)
    for wanted in (*model_data, *others):
        chosen.setdefault(wanted, manifest.parent / wanted)
    _must_all_be_there(chosen, manifest)
    return Plan((Upload(MANIFEST, manifest), *_uploads(chosen)))


def _uploads(files: Mapping[str, Path]) -> tuple[Upload, ...]:
    return tuple(Upload(name, files[name]) for name in sorted(files))


def _must_exist(paths: Sequence[Path]) -> None:
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise CommandFailed(f"there is no file {', '.join(missing)}")


def _must_all_be_there(chosen: Mapping[str, Path], manifest: Path) -> None:
    missing = [name for name, path in chosen.items() if not path.is_file()]
    if missing:
        names = ", ".join(sorted(missing))
        raise CommandFailed(
            f"{manifest} names {names}, which is not in {manifest.parent}; put it there, or say where it is with "
            "--file NAME=PATH. Nothing was uploaded"
        )


def _names(data: bytes) -> tuple[list[str], list[str]]:
    """Return the names of the objects that a manifest means: of model data, and of anything else.

    What is wrong with a manifest is for the pipeline to say, completely and where everybody sees it: here it names
    nothing.
    """
    try:
        manifest = _manifest(data)
    except ManifestRefused:
        return [], []
    names: dict[str, bool] = {}
    for path, value in manifest.locations():
        name = _plain_name(path, value)
        if name is not None:
            names[name] = names.get(name, False) or _MODEL_DATA.search(path) is not None
    return [name for name, model in names.items() if model], [name for name, model in names.items() if not model]


def _manifest(data: bytes) -> Manifest:
    from signoff.manifest import Manifest, manifest_shape, read
    from signoff.service_model import sagemaker_shape

    shape = manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))
    return Manifest(read(data), "", "", shape)


def _plain_name(path: str, value: str) -> str | None:
    from signoff.locations import relative_name

    try:
        return relative_name(path, value, "", "")
    except ManifestRefused:
        return None


def _artifact_name(artifact: Path, model_data: list[str], others: list[str], files: Mapping[str, Path]) -> str:
    if artifact.name in {*model_data, *others}:
        return artifact.name
    free = [name for name in model_data if name not in files]
    if len(free) > 1:
        raise CommandFailed(
            f"the manifest names the model data {', '.join(free)}, and none of it is called {artifact.name}; say which "
            f"is which with --file NAME=PATH. Nothing was uploaded"
        )
    return free[0] if free else artifact.name


def upload(s3: Any, bucket: str, submission: Submission, plan: Plan, submitter: str, progress: Progress) -> None:
    """Upload who submits, then the manifest and all objects, each by multipart when it is large.

    `progress` is told each number of bytes sent, from several threads.
    """
    # Before everything else: whichever object completes the submission, who submits must be there to be read.
    body = json.dumps({"submitter": submitter}).encode()
    s3.put_object(Bucket=bucket, Key=submission.key(SUBMISSION), Body=body, ContentType="application/json")
    for each in plan.uploads:
        s3.upload_file(str(each.path), bucket, submission.key(each.name), Callback=progress)
