"""What a shell completes: the names of groups and packages, from the index of the ledger.

A person waits after pressing the tab key: after two seconds, or on any error, nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from signoff_cli.packages.lookup import Head, LedgerReader

Proposal = tuple[str, str]
_SECONDS = 2.0
_MOST = 2000  # heads that are read to propose something: a shell asks about more than it can show


def groups(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """Return the groups whose names begin so."""
    return with_timeout(lambda: groups_of(_ledger(ctx), incomplete))


def packages(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """Return the packages, as group/version, that begin so, each with where it stands."""
    return with_timeout(lambda: packages_of(_ledger(ctx), incomplete))


# What typer's parameters take to be completed so.
COMPLETE_GROUP: dict[str, Any] = {"autocompletion": groups}
COMPLETE_PACKAGE: dict[str, Any] = {"autocompletion": packages}


def groups_of(ledger: LedgerReader, incomplete: str) -> list[Proposal]:
    """Return the groups in the index whose names begin with `incomplete`."""
    names = {str(head["group"]) for head in islice(ledger.rows(), _MOST) if head.get("group")}
    return [(name, "") for name in sorted(names) if name.startswith(incomplete)]


def packages_of(ledger: LedgerReader, incomplete: str) -> list[Proposal]:
    """Return the packages in the index that begin with `incomplete`, the newest first, and where each stands."""
    group, slash, _ = incomplete.partition("/")
    heads: Iterable[Head] = ledger.rows_by_group(group) if slash else ledger.rows()
    known = [head for head in islice(heads, _MOST) if head.get("group") and head.get("version")]
    known.sort(key=lambda head: (str(head["group"]), -int(head["version"])))
    named = ((f"{head['group']}/{head['version']}", str(head.get("status") or "")) for head in known)
    return [(name, status) for name, status in named if name.startswith(incomplete)]


def with_timeout(find: Callable[[], list[Proposal]], seconds: float = _SECONDS) -> list[Proposal]:
    """Return what `look` finds within `seconds`, and nothing when it takes longer or fails."""
    found: list[Proposal] = []

    def quietly() -> None:
        with suppress(Exception):
            found.extend(find())

    thread = Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
    return found.copy()


def _ledger(ctx: typer.Context) -> LedgerReader:
    from signoff_cli.stack import REGISTRY, Stack

    return Stack.find(ctx.params.get("stack") or REGISTRY).ledger
