"""`signoff manifest`: what can be known of a manifest before anything is uploaded. Asks nothing of AWS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.options import AsJson
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.manifests.check import Destination, ManifestCheck

File = Annotated[str, typer.Argument(metavar="FILE", help="The manifest; - reads standard input.")]
Group = Annotated[str | None, typer.Option(metavar="GROUP", help="The model package group it is for.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="The group's policy, for its registration defaults and the choices it offers."
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="S3URI",
        help="Where it will be uploaded (s3://bucket/group/submission/), if it contains S3 URIs.",
    ),
]


def check(file: File, group: Group = None, policy: PolicyFile = None, at: At = None, json: AsJson = False) -> None:
    """List every error of a manifest, by its path, before anything is uploaded.

    Needs no AWS account, network or credentials. Shows what would be registered, which objects
    have to be uploaded with it, and what is checked only when it is registered.

    Exits 1 when there are errors, with each on standard error.
    """
    from signoff_cli.manifests import check as checking
    from signoff_cli.output import console

    home = _home(group, at)
    checked = checking.check(_bytes(file), home, checking.read_policy(policy) if policy else None)
    if json:
        console.print_json(checked.document)
    name = "the manifest" if file == "-" else file
    if checked.faults:
        raise checking.InvalidManifest(name, checked.faults)
    if not json:
        _print(name, checked)


def schema() -> None:
    """Print the JSON Schema of manifests, with which an editor completes, explains and checks them.

    It is generated from SageMaker's own service model (draft 2020-12). It rejects nothing that `signoff manifest check`
    accepts; the check covers more.
    """
    from signoff_cli.manifests.check import load_shape
    from signoff_cli.manifests.schema import manifest_schema
    from signoff_cli.output import console

    console.print_json(manifest_schema(load_shape()))


def _home(group: str | None, at: str | None) -> Destination:
    from signoff_cli.manifests.check import Destination

    if at is None:
        return Destination.of_group(group)
    home = Destination.of_uri(at)
    if home is None:
        raise typer.BadParameter(f"--at must be s3://bucket/group/submission/, not {at}")
    if group not in {None, home.submission.group}:
        raise typer.BadParameter(f"--at {at} is in the group {home.submission.group}, not {group}")
    return home


def _bytes(file: str) -> bytes:
    from signoff_cli.manifests.check import read_limited

    if file == "-":
        return read_limited(sys.stdin.buffer)
    try:
        with Path(file).open("rb") as opened:
            return read_limited(opened)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error


def _print(name: str, checked: ManifestCheck) -> None:
    from signoff.documents.text import clean
    from signoff_cli.output import console

    containers, objects = _count(checked.containers, "container"), _count(len(checked.objects), "object")
    console.print_line(clean(f"{name} is valid: {containers} to register, {objects} to upload"))
    for title, items in (("upload", checked.objects), ("image", checked.images), ("later check", checked.notes)):
        for item in items:
            console.print_line(f"  {title:<12}{clean(item)}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
