"""`signoff evidence`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.completion import COMPLETE_PACKAGE
from signoff_cli.commands.options import AsJson, StackName, package_name
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.vault import Vault
    from signoff.ledger.history import History
    from signoff_cli.audit.digests import Comparison


def _named(text: str | None) -> str | None:
    return None if text is None else package_name(text)


OptionalPackage = Annotated[
    str | None,
    typer.Argument(metavar="PACKAGE", help="The package's ARN, or group/version.", callback=_named, **COMPLETE_PACKAGE),
]


def evidence(
    package: OptionalPackage = None,
    verifying: Annotated[
        bool, typer.Option("--verify", help="Read whatever it names by a digest from the vault, and hash it again.")
    ] = False,
    sha256: Annotated[
        str | None, typer.Option(metavar="SHA256", help="Earlier evidence, such as a decision names; else the newest.")
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of evidence instead; asks nothing of AWS.")
    ] = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Print the evidence of a package: what was checked, measured and compared, and what an approval signs.

    docs/evidence.md explains each field. With --json it prints the very bytes in the vault, whose SHA-256 is the
    evidence's name.

    With --verify it prints what was compared instead, and exits 1 if anything differs or cannot be read.
    """
    if schema != (package is None):
        raise typer.BadParameter("name a package, or give --schema alone")
    if package is None:
        print_schema()
        return
    from signoff_cli.commands.show import history_of
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    history, show = history_of(found.ledger, package), verify if verifying else print_evidence
    show(history, found.vault, sha256, json)


def print_schema() -> None:
    """Print the JSON Schema of evidence."""
    from signoff_cli.audit.evidence_format import evidence_schema
    from signoff_cli.output import console

    console.print_json(evidence_schema())


def print_evidence(history: History, vault: Vault, sha256: str | None, json: bool) -> None:
    """Print evidence of a package for people, or its very bytes. Raises `DocumentMissing` if it is not in the vault."""
    from signoff.documents.canonical_json import canonical
    from signoff_cli.audit.digests import recorded_evidence
    from signoff_cli.output import console

    document = vault.read("evidence", str(recorded_evidence(history, sha256)[0].details["sha256"]))
    if json and not sys.stdout.isatty():
        sys.stdout.buffer.write(canonical(document))  # and no line feed: the digest is of these bytes
        sys.stdout.buffer.flush()
    else:
        console.print_json(document)


def verify(history: History, vault: Vault, sha256: str | None, json: bool) -> None:
    """Print what comes of hashing evidence of a package again. Raises `CommandFailed` if anything does not fit."""
    from signoff_cli.audit.digests import EvidenceVerifier, recorded_evidence, size
    from signoff_cli.audit.facts import evidence_key, parsed
    from signoff_cli.output import console

    entry, before = recorded_evidence(history, sha256)
    named = str(entry.details["sha256"])
    with console.progress(size(parsed(vault.data(evidence_key(named)))), "verifying") as read:
        compared = list(EvidenceVerifier(vault, read).verify(entry, before))
    if json:
        about = {"package": entry.about, "evidence": named, "entry": entry.sequence}
        console.print_json({**about, "compared": [each.document for each in compared]})
    else:
        for each in compared:
            console.print_line(_line(each))
    wrong = [each for each in compared if not each.fits]
    if wrong:
        raise CommandFailed(f"{len(wrong)} of {len(compared)} comparisons failed: {_names(wrong)}")


def _line(compared: Comparison) -> str:
    from signoff.documents.text import clean

    said = {
        "same": compared.expected,
        "differs": f"is {compared.found}, and not {compared.expected}",
        "unreadable": compared.because,
        "outside": f"is not in the vault, and was not compared with {compared.expected}",
    }[compared.result]
    return clean(f"{compared.result:<10} {compared.what} ({compared.where}): {said}")


def _names(wrong: list[Comparison]) -> str:
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return ", ".join(each.what for each in wrong[:5]) + more
