"""What a submission uploads, under which names, and the upload itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from signoff.documents.text import clean
from signoff.errors import ManifestRefused
from signoff.model_package.data_sources import is_prefix
from signoff.submission import object_list
from signoff.submission.layout import CREATE_GROUP, MANIFEST, SIGNER, SUBMISSION, TO_BE_SIGNED, Submission
from signoff.submission.locations import relative_name
from signoff_cli.errors import CommandFailed
from signoff_cli.submissions import folders, unwanted
from signoff_cli.submissions.folders import Folder
from signoff_cli.submissions.placing import names_of, place

_READERS = 4  # files that are hashed at a time; hashing does not hold Python's lock
_CHUNK = 1024 * 1024
_TOLD = 20  # names that cannot be submitted
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Upload:
    """One object of a submission: its name relative to the submission, and the file it comes from.

    `content` is what is uploaded instead of the file's bytes.
    """

    name: str
    path: Path
    content: bytes | None = None

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size if self.content is None else len(self.content)

    def open(self) -> BinaryIO:
        """Open what is uploaded, for reading."""
        return self.path.open("rb") if self.content is None else BytesIO(self.content)


@dataclass(frozen=True)
class UploadPlan:
    """All that a submission uploads beside `submission.json`, and what of the folders given it leaves out, and why.

    `model_data` is what was added to the manifest: the name of the artifact, by the path of its container's field.
    """

    uploads: tuple[Upload, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    model_data: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> bytes | None:
        """The manifest as it is uploaded, if there is one."""
        for upload in self.uploads:
            if upload.name == MANIFEST:
                with upload.open() as opened:
                    return opened.read()
        return None

    @property
    def size(self) -> int:
        """The bytes in all."""
        return sum(upload.size for upload in self.uploads)


def submission_name(now: datetime, suffix: str) -> str:
    """Return a submission's name, which sorts by time (UTC): `20261120T180000Z-6f3a9c2e`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{suffix}"


def plan(artifact: Path, manifest: Path | None, files: Mapping[str, Path]) -> UploadPlan:
    """Return what to upload: the manifest, and the local file of every object that it names.

    An object's file is the one that `files` gives for its name; the artifact, for the model data of another name when
    there is one only; otherwise the file of that name in the manifest's folder. A name that ends in `/` means all files
    of a folder. An artifact without a name becomes the model data of the one container that has none. Objects that
    Signoff will refuse for where they point are left to it. Raises `CommandFailed` naming every file that is not there,
    or that cannot be an object, and when it cannot be told whose model the artifact is.
    """
    _must_exist([artifact, *files.values()])
    if manifest and not manifest.is_file():
        raise CommandFailed(f"there is no file {manifest}")
    chosen = {_as_folder(name, path): path for name, path in files.items()}
    own = _own_name(artifact)
    if manifest is None:
        return _planned(_with_artifact(own, artifact, chosen), ())
    names = names_of(manifest.read_bytes())
    beside = {wanted: manifest.parent / wanted for wanted in (*names.model_data, *names.others)}
    name, container = place(own, names, chosen, [each for each in beside if _is_there(beside[each])])
    chosen = {**beside, **_with_artifact(name, artifact, chosen)}
    _must_all_be_there(chosen, manifest)
    content = names.with_model_data(container, name) if container else None
    added = {f"{container}.ModelDataUrl": name} if container else {}
    return replace(_planned(chosen, (Upload(MANIFEST, manifest, content),)), model_data=added)


def _with_artifact(name: str, artifact: Path, chosen: Mapping[str, Path]) -> dict[str, Path]:
    if name in chosen:
        raise CommandFailed(
            f"{name} is {artifact}, and with --file also {chosen[name]}: give one of them. Nothing was uploaded"
        )
    return {**chosen, name: artifact}


def _as_folder(name: str, path: Path) -> str:
    return f"{name}/" if path.is_dir() and not is_prefix(name) else name


def _own_name(artifact: Path) -> str:
    # Not resolved: a link is called as it is called, but `.` and `..` have no name.
    return _as_folder(Path(os.path.abspath(artifact)).name, artifact)


def _planned(chosen: Mapping[str, Path], first: tuple[Upload, ...]) -> UploadPlan:
    found: dict[str, Path] = {}
    left_out: dict[str, str] = {}
    faults: dict[str, str] = {}
    # A name within a folder that has a file of its own comes later, and its own file stands.
    for name in sorted(chosen, key=len):
        folder = folders.read(chosen[name]) if is_prefix(name) else Folder({"": chosen[name]})
        found |= {f"{name}{within}": path for within, path in folder.files.items()}
        left_out |= {f"{name}{within}": why for within, why in folder.left_out.items()}
        faults |= {f"{name}{within}": why for within, why in folder.faults.items()}
        if not (folder.files or folder.faults):
            faults[name] = f"{chosen[name]} holds no file"
    _must_be_objects(found, [name for name in chosen if is_prefix(name)], faults)
    return UploadPlan((*first, *(Upload(name, found[name]) for name in sorted(found))), left_out)


def _must_be_objects(found: Mapping[str, Path], prefixes: Sequence[str], faults: dict[str, str]) -> None:
    """Raise `CommandFailed` with `faults` and with every name that cannot be an object's, or a file's of a model."""
    for name in found:
        try:
            relative_name(name, name, "", "")
        except ManifestRefused as refused:
            faults[name] = refused.faults[0].message
        if unwelcome := unwanted.refused(name):
            faults[unwelcome[0]] = unwelcome[1]
    for prefix in prefixes:
        within = [name.removeprefix(prefix) for name in found if name.startswith(prefix) and name not in faults]
        faults |= {f"{prefix}{name}": reason for name, _, reason in object_list.file_faults(within)}
    problems = [f"  {clean(name)}: {reason}" for name, reason in sorted(faults.items())]
    if len(problems) > _TOLD:
        problems[_TOLD:] = [f"  and {len(problems) - _TOLD:,} more"]
    if len(found) > object_list.MAX_OBJECTS:
        problems.append(
            f"  {len(found):,} files: a submission may have {object_list.MAX_OBJECTS:,}; put them into archives"
        )
    if problems:
        raise CommandFailed("\n".join(["these cannot be submitted, and nothing was uploaded:", *problems]))


def _must_exist(paths: Sequence[Path]) -> None:
    missing = [str(path) for path in paths if not _is_there(path)]
    if missing:
        raise CommandFailed(f"there is no file or folder {', '.join(missing)}")


def _is_there(path: Path) -> bool:
    return path.is_file() or path.is_dir()


def _must_all_be_there(chosen: Mapping[str, Path], manifest: Path) -> None:
    missing = [name for name, path in chosen.items() if not _is_there(path)]
    if missing:
        names = ", ".join(sorted(missing))
        raise CommandFailed(
            f"{manifest} names {names}, which is not in {manifest.parent}; put it there, or give its path with "
            "--file NAME=PATH. Nothing was uploaded"
        )
    for name, path in sorted(chosen.items()):
        if is_prefix(name) and not path.is_dir():
            raise CommandFailed(f"{name} is a prefix (it ends in /), and {path} is not a folder. Nothing was uploaded")
        if path.is_dir() and not is_prefix(name):
            raise CommandFailed(
                f"{path} is a folder, and {name} is one object; a name that means a folder ends in /. Nothing was "
                "uploaded"
            )


def digests(plan: UploadPlan, progress: Progress) -> dict[str, str]:
    """Return the SHA-256 (hexadecimal) of each object by its name, several read at a time and none kept in memory.

    `progress` gets each number of bytes read, from several threads.
    """
    with ThreadPoolExecutor(max_workers=_READERS) as readers:
        found = readers.map(lambda each: _sha256(each, progress), plan.uploads)
        return dict(zip((each.name for each in plan.uploads), found, strict=True))


def _sha256(upload: Upload, progress: Progress) -> str:
    digest = hashlib.sha256()
    with upload.open() as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            progress(len(chunk))
    return digest.hexdigest()


def statement(
    audience: str, submission: Submission, digests: Mapping[str, str], *, create_group: bool = False
) -> dict[str, Any]:
    """Return what the submitter signs: which objects the submission consists of, for the registry of that bus.

    `create_group` asks for the group to be created if it does not exist.
    """
    said = {"statement": "submission", "audience": audience, "submission": submission.prefix}
    return {**said, **({CREATE_GROUP: True} if create_group else {}), "objects": dict(digests)}


def upload(
    s3: Any,
    bucket: str,
    submission: Submission,
    plan: UploadPlan,
    sign: Callable[[], dict[str, Any]],
    progress: Progress,
    signer: str,
) -> None:
    """Upload the manifest, all objects, several at a time and large ones in parts, and last the statement of them.

    `sign` makes it, signed by `signer` (an ARN), once all else is there: a signature can be used for a quarter of an
    hour. `progress` is
    given each number of bytes sent, from several threads. Raises what S3 refused first; what was not sent by then is
    not sent any more.
    """
    from s3transfer.manager import TransferManager

    subscribers = [_subscriber(progress)]
    # So that nothing is registered before it is signed, and nobody else finishes it.
    marked = {"Metadata": {**TO_BE_SIGNED, SIGNER: signer}}
    manifests = [each for each in plan.uploads if each.name == MANIFEST]
    objects = [each for each in plan.uploads if each.name != MANIFEST]
    with TransferManager(s3) as manager:
        for several in (manifests, objects):
            sent = [manager.upload(_sent(it), bucket, submission.key(it.name), marked, subscribers) for it in several]
            for each in sent:
                each.result()
    body = json.dumps(sign()).encode()
    s3.put_object(Bucket=bucket, Key=submission.key(SUBMISSION), Body=body, ContentType="application/json")


def _sent(upload: Upload) -> Any:
    """Return what is uploaded as s3transfer takes it; it reads a file that it is given by name in parts at once."""
    return str(upload.path) if upload.content is None else upload.open()


def _subscriber(progress: Progress) -> Any:
    from s3transfer.subscribers import BaseSubscriber

    class ProgressSubscriber(BaseSubscriber):  # type: ignore[misc]
        def on_progress(self, future: Any, bytes_transferred: int, **_: Any) -> None:
            progress(bytes_transferred)

    return ProgressSubscriber()
