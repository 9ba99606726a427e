"""`signoff inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.options import AsJson
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from rich.console import Console

    from signoff.artifact.report import Inspection

Artifact = Annotated[
    str,
    typer.Argument(
        metavar="FILE|FOLDER|S3URI",
        help="The archive (.tar.gz), a single file or a folder as uncompressed model data has them, or s3://bucket/key.",
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="The group's policy; by default what the default policy requires."),
]


def inspect(artifact: Artifact, policy: PolicyFile = None, json: AsJson = False) -> None:
    """Inspect a model artifact as Signoff will, before it is submitted.

    Reads it once, as a stream; nothing is unpacked, and nothing in it is run. A file needs no AWS account. A folder is
    inspected as `signoff submit` uploads it, file by file, with one digest for all.

    Examples: `signoff inspect model.tar.gz`, `signoff inspect model/`, `signoff inspect model.onnx --policy p.json`.

    Prints a block for each rule that is broken: what is wrong, in which members, and what to do; for an artifact that
    would pass also its contents. --json prints an object with `verdict` (passed or failed), `sha256`, `findings` (each
    with member, rule, severity, reason and remedy), `kinds` (how many files there are of each kind of content, and with
    how many bytes) and `inventory` (each with name, size, type and kind).

    Exits 1 when the artifact would be refused, with the number of reasons on standard error.
    """
    from signoff_cli.manifests.check import read_policy
    from signoff_cli.output import console
    from signoff_cli.submissions import inspection

    judged_by = read_policy(policy) if policy else inspection.default_policy()
    with inspection.open_artifact(artifact) as source, console.progress(source.size, "inspecting") as progress:
        found = inspection.inspect_artifact(source, judged_by, progress)
    if json:
        console.print_json(found.document())
    else:
        _print(artifact, found, console.console())
    if not found.passed:
        raise CommandFailed(f"{artifact} would be refused, for {found.errors:,} reason{'s' * (found.errors > 1)}")


def _print(artifact: str, found: Inspection, to: Console) -> None:
    from signoff.documents.text import clean
    from signoff_cli.output import console, findings

    verdict, number = "passed" if found.passed else "failed", findings.describe_counts(found.errors, found.warnings)
    console.print_line(f"{clean(artifact)}: {verdict}{', ' if number else ''}{number}")
    console.print_line(f"sha256    {found.sha256}")
    console.print_line(
        f"size      {found.size:,} bytes, {found.expanded_size:,} expanded, in {found.members:,} members"
    )
    most = sorted(found.kinds.items(), key=lambda each: -each[1].size)
    if most:
        console.print_line("")
        console.print_table(("kind", "files", "bytes"), [(kind, f"{n:,}", f"{size:,}") for kind, (n, size) in most], to)
    findings.print_findings(found.findings, to)
    if found.passed:
        console.print_line("")
        console.print_table(
            ("member", "type", "kind", "bytes"),
            [(each.name, each.type, each.kind, f"{each.size:,}") for each in found.inventory],
            to,
        )
        if found.members > len(found.inventory):
            console.print_line(f"and {found.members - len(found.inventory):,} more members")
