"""`signoff audit`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signoff_cli.commands.moments import Since, Until
from signoff_cli.commands.options import AsJson, StackName
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from datetime import datetime

    from signoff.ledger.history import History
    from signoff_cli.audit.auditor import Auditor, VerificationResult
    from signoff_cli.audit.checkpoints import CheckpointHistory
    from signoff_cli.audit.deployed_policies import PolicyAuditor


def audit(
    what: Annotated[
        str | None, typer.Argument(metavar="PACKAGE|GROUP", help="A package's ARN, group/version, or a group.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All packages, and everything else that has a ledger.")
    ] = False,
    verifying: Annotated[
        bool, typer.Option("--verify", help="Compare chain, heads, index, evidence, policies, registry and models.")
    ] = False,
    bytes_too: Annotated[
        bool, typer.Option("--bytes", help="With --verify: also hash the vault's artifacts again, which reads them.")
    ] = False,
    since: Since = None,
    until: Until = None,
    json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV: one row for each decision, vote and refusal.")] = False,
    stack: StackName = "Signoff",
) -> None:
    """Report who decided what, on which evidence, and how each of them was identified.

    With --since and --until report what happened in that time, and read only the ledgers in which something did; by
    default of all packages.

    With --verify report discrepancies instead, and exit 1 if there are any: each finding names the first entry that is
    affected. It only reads; docs/audit.md has the IAM policy that it needs.
    """
    timely = bool(since or until)
    _usage(what, everything or (timely and what is None), json, csv, bytes_too and not verifying)
    if timely and verifying:
        raise typer.BadParameter("--since and --until are not for --verify: a chain is verified from its first entry")
    from signoff.runtime.clock import utc_now
    from signoff_cli.audit.auditor import Auditor
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    auditor = Auditor(found.ledger, found.vault, found.registry, bytes_too=bytes_too)
    if verifying:
        verify(auditor, found.policy_auditor(), what, json, csv, utc_now())
    else:
        report(auditor, what, json, csv, since, until)


def _usage(what: str | None, everything: bool, json: bool, csv: bool, bytes_alone: bool) -> None:
    if (what is None) == (not everything):
        raise typer.BadParameter("name a package or a group, or give --all")
    if json and csv:
        raise typer.BadParameter("--json and --csv cannot be used together")
    if bytes_alone:
        raise typer.BadParameter("--bytes needs --verify")


def report(
    auditor: Auditor, what: str | None, json: bool, csv: bool, since: str | None = None, until: str | None = None
) -> None:
    """Print who decided what of the ledgers that `what` names, or all, from `since` on and before `until`.

    One ledger after the other is read and printed. Raises `CommandFailed` if a chain is broken.
    """
    from signoff_cli.audit import report as audit_report
    from signoff_cli.audit.auditor import unknown_name
    from signoff_cli.output import console

    keys = _keys(auditor, what, since, until)
    if what and not keys and not (since or until):
        raise unknown_name(what)
    broken: list[str] = []

    def read() -> Iterator[tuple[History, dict[str, Any]]]:
        for history in console.count_progress(auditor.histories(keys), "ledgers read", len(keys)):
            document = audit_report.document(history, since, until)
            broken.extend([history.package] if document["chain"]["broken_at"] else ())
            yield history, document

    if csv:
        audit_report.print_csv(document for _, document in read())
    elif json:
        console.print_json_list(document for _, document in read())
    else:
        audit_report.print_ledgers(read(), console.console(), since, until)
    if broken:
        raise CommandFailed(f"the chain of {', '.join(broken)} is broken: verify it with --verify")


def _keys(auditor: Auditor, what: str | None, since: str | None, until: str | None) -> list[str]:
    if since or until:
        return auditor.keys_between(since, until, what)
    return auditor.find_keys(what) if what else auditor.all_keys()


def verify(auditor: Auditor, policies: PolicyAuditor, what: str | None, json: bool, csv: bool, now: datetime) -> None:
    """Print what does not fit of the ledgers that `what` names, or all. Raises `CommandFailed` if anything does not.

    The policies in force are looked at with all.
    """
    from signoff_cli.audit import report as audit_report
    from signoff_cli.audit.auditor import unknown_name
    from signoff_cli.output import console

    known = auditor.find_keys(what) if what else auditor.all_keys()
    checkpoint_history = auditor.checkpoint_history(now, known, what)
    keys = _with_those_that_only_heads_know(auditor, what, known, checkpoint_history)
    beside = []
    if what is None:
        keys = sorted({*keys, *auditor.unrecorded_keys(keys, now)})
        beside = [*auditor.models_without_ledger(), *policies.findings()]
    if what and not keys:
        raise unknown_name(what)
    _note(checkpoint_history)
    verified = list(_counted(auditor, keys, checkpoint_history))
    findings = [*checkpoint_history.findings, *(finding for each in verified for finding in each.findings), *beside]
    heads = checkpoint_history.heads if what is None else sum(each.heads for each in verified)
    if csv:
        audit_report.print_discrepancies_csv(findings)
    elif json:
        packages, entries = audit_report.package_count(verified), sum(each.entries for each in verified)
        counts = {"packages": packages, "ledgers": len(verified), "entries": entries, "heads": heads}
        console.print_json({"verified": counts, "findings": [finding.document for finding in findings]})
    else:
        for finding in findings:
            console.print_line(audit_report.describe_discrepancy(finding))
        if not findings:
            console.print_line(audit_report.summary(verified, heads))
    if findings:
        count = "1 discrepancy" if len(findings) == 1 else f"{len(findings)} discrepancies"
        raise CommandFailed(f"found {count} (docs/audit.md explains each)")


def _with_those_that_only_heads_know(
    auditor: Auditor, what: str | None, known: Sequence[str], checkpoint_history: CheckpointHistory
) -> list[str]:
    """Return `known` and the ledgers that the vault's heads name beside: somebody may have removed those."""
    also = auditor.matching_keys(what, checkpoint_history.named) if what else list(checkpoint_history.named)
    return sorted({*known, *also})


def _counted(
    auditor: Auditor, keys: Sequence[str], checkpoint_history: CheckpointHistory
) -> Iterator[VerificationResult]:
    from signoff_cli.output import console

    yield from console.count_progress(auditor.verify(keys, checkpoint_history.named), "ledgers verified", len(keys))


def _note(checkpoint_history: CheckpointHistory) -> None:
    from signoff_cli.output import console

    if checkpoint_history.missing_days:
        days = ", ".join(checkpoint_history.missing_days[:10]) + (
            ", ..." if len(checkpoint_history.missing_days) > 10 else ""
        )
        because = "none was removed, because the next one names the one before"
        console.print_line(f"signoff: no daily checkpoint was written on {days}; {because}", sys.stderr)
