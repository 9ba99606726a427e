"""`signoff annotate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.decide import Yes, confirm, resolve_arn
from signoff_cli.commands.options import AsJson, Package, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.stack import Stack
    from signoff_cli.statements.annotation import AnnotationRequest, AnnotationResult
    from signoff_cli.workload import RegistryLocation

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set an entry of its customer metadata. Repeatable."),
]
Remove = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="KEY", help="Remove an entry of its customer metadata. Repeatable."),
]
Specifications = Annotated[
    list[Path] | None,
    typer.Option(
        "--add-specification",
        metavar="FILE",
        help="Add further inference specifications: a JSON file with one or a list. Repeatable.",
    ),
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="The reason, which is recorded in the ledger.")]


def annotate(
    package: Package,
    set_: Set = None,
    remove: Remove = None,
    add_specification: Specifications = None,
    reason: Reason = "",
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Change the customer metadata of a package, or add inference specifications to it.

    Metadata keys that begin with `signoff:` are reserved for Signoff.

    A package that is waiting for a decision is validated again when it gets another specification. A package that was
    decided on gets none.
    """
    from signoff_cli.stack import Stack, caller
    from signoff_cli.statements.annotation import annotation_request

    pairs = dict(_pair(text) for text in set_ or ())
    if not (pairs or remove or add_specification):
        raise typer.BadParameter("nothing to change: give --set, --remove or --add-specification")
    added = [each for path in add_specification or () for each in _read(path)]
    found = Stack.find(stack)
    arn = _named(package, found.registry_location) if found.registry_location else resolve_arn(found.ledger, package)
    asked = annotation_request(arn, caller(), set_=pairs, remove=remove or (), specifications=added, reason=reason)
    (_annotate_elsewhere if found.registry_location else _annotate)(found, asked, yes, timeout, json)


def _annotate(found: Stack, asked: AnnotationRequest, yes: bool, timeout: float, json: bool) -> None:
    from signoff_cli.output.annotations import annotation_summary
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.statements.annotation import PendingAnnotation

    pending = PendingAnnotation(found.ledger, asked)
    if not yes:
        confirm(annotation_summary(pending.before[0], asked.annotation, asked.by), "Nothing was changed")
    pending.send(found.statement_bus)
    _print_result(pending.wait_for_result(Deadline(timeout)), json)


def _annotate_elsewhere(found: Stack, asked: AnnotationRequest, yes: bool, timeout: float, json: bool) -> None:
    """Send an annotation to the registry in another account, and wait until SageMaker shows it there."""
    from signoff.documents.text import clean
    from signoff_cli import workload
    from signoff_cli.output import console
    from signoff_cli.packages.progress import Deadline

    annotation = workload.require_metadata_only(asked.annotation)
    described = found.registry.describe(annotation.package)
    outcome = "absorbed" if workload.shows_annotation(described, annotation) else "recorded"
    if outcome == "recorded":
        if not yes:
            confirm(
                [clean(line) for line in workload.annotation_summary(described, annotation, asked.by)],
                "Nothing was changed",
            )
        found.statement_bus.send(asked.type, asked.statement)
        described = workload.wait_until_annotated(found.registry, annotation, Deadline(timeout))
    if json:
        facts = {
            "package": annotation.package,
            "by": asked.by,
            "set": annotation.set,
            "removed": list(annotation.remove),
        }
        console.print_json({**facts, "outcome": outcome})
    else:
        already = " already. Nothing was changed." if outcome == "absorbed" else "."
        console.print_line(clean(f"{workload.package_name(described)} is annotated{already}"))


def _named(package: str, location: RegistryLocation) -> str:
    from signoff_cli import workload

    return workload.package_arn(package, location)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise typer.BadParameter(f"{text} is not KEY=VALUE; remove an entry with --remove KEY", param_hint="--set")
    return key, value


def _read(path: Path) -> list[dict[str, object]]:
    from signoff_cli.statements.annotation import parse_specifications

    return parse_specifications(path.name, path.read_bytes())


def _print_result(result: AnnotationResult, json: bool) -> None:
    from signoff_cli.output import console
    from signoff_cli.output.annotations import describe_annotation

    if json:
        console.print_json(result.document)
    if result.outcome == "refused":
        raise CommandFailed(f"{result.refusal}: {result.because}")
    if not json:
        console.print_line(describe_annotation(result))
