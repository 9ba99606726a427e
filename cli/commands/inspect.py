"""`signoff inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import CommandFailed
from cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from signoff.archive import Inspection

Artifact = Annotated[
    str, typer.Argument(metavar="FILE|S3URI", help="The archive (.tar.gz): a file, or s3://bucket/key.")
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="The group's policy; without one it is the default policy's demands."
    ),
]


def inspect(artifact: Artifact, policy: PolicyFile = None, json: AsJson = False) -> None:
    """Inspect a model artifact as Signoff will, before it is submitted.

    Reads it once, as a stream; nothing is unpacked, and nothing in it is run. A file needs no AWS account.

    --json prints an object with `verdict` (passed or failed), `sha256`, `findings` (each with member, rule, severity
    and reason), `kinds` (how many files there are of each kind of content, and with how many bytes) and `inventory`
    (each with name, size, type and kind).

    Exits 1 when it would be refused, with the number of reasons on standard error.
    """
    from cli import inspecting, printing
    from cli.checking import policy_of

    judged_by = policy_of(policy) if policy else inspecting.default_policy()
    with inspecting.opened(artifact) as source, printing.progress(source.size, "inspecting") as progress:
        found = inspecting.inspected(source, judged_by, progress)
    if json:
        printing.as_json(found.document())
    else:
        _print(artifact, found, printing.console())
    if not found.passed:
        errors = sum(finding.severity == "error" for finding in found.findings)
        raise CommandFailed(f"{artifact} would be refused, for {errors} reason{'s' if errors > 1 else ''}")


def _print(artifact: str, found: Inspection, to: Console) -> None:
    from cli import printing
    from cli.sentences import clean

    verdict = "passed" if found.passed else "failed"
    printing.line(f"{clean(artifact)}: {verdict}")
    printing.line(f"sha256    {found.sha256}")
    printing.line(f"size      {found.size:,} bytes, {found.expanded_size:,} expanded, in {found.members:,} members")
    most = sorted(found.kinds.items(), key=lambda each: -each[1].size)
    if most:
        printing.table(("kind", "files", "bytes"), [(kind, f"{n:,}", f"{size:,}") for kind, (n, size) in most], to)
        printing.line("")
    if found.findings:
        rows = [(each.severity, each.member or "(archive)", each.rule, each.reason) for each in found.findings]
        printing.table(("severity", "member", "rule", "reason"), rows, to)
    else:
        printing.table(
            ("member", "type", "kind", "bytes"),
            [(each.name, each.type, each.kind, f"{each.size:,}") for each in found.inventory],
            to,
        )
