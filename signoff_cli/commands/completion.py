"""What a shell completes: the names of groups, from SageMaker, and of packages, from the index of the ledger.

A person waits after pressing the tab key: after two seconds, or on any error, nothing is proposed. However many groups
and packages there are, no more is read than a shell can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

import typer

from signoff_cli.commands.completion_cache import Proposal, remembered

if TYPE_CHECKING:
    from signoff_cli.packages.lookup import Head, LedgerReader

_SECONDS = 2.0
_MOST = 500  # groups that are looked through, for SageMaker finds a part of a name anywhere in it
_GROUPS, _FEW, _MANY = 20, 5, 200  # groups whose versions are proposed, how many of each, and of one alone


class Groups(Protocol):
    """What is asked of SageMaker (`signoff.aws.sagemaker.Registry`)."""

    def group_names(self, containing: str = "") -> Iterator[str]: ...  # noqa: D102


def groups(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """Return the groups whose names begin so."""
    return with_timeout(lambda: remembered((_stack(ctx), "groups", incomplete), lambda: _groups(ctx, incomplete)))


def packages(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """Return the packages, as group/version, that begin so, each with where it stands."""
    return with_timeout(lambda: remembered((_stack(ctx), "packages", incomplete), lambda: _packages(ctx, incomplete)))


# What typer's parameters take to be completed so.
COMPLETE_GROUP: dict[str, Any] = {"autocompletion": groups}
COMPLETE_PACKAGE: dict[str, Any] = {"autocompletion": packages}


def groups_of(registry: Groups, incomplete: str) -> list[Proposal]:
    """Return the groups in SageMaker whose names begin with `incomplete`."""
    names = islice(registry.group_names(incomplete), _MOST)
    return [(name, "") for name in sorted(names) if name.startswith(incomplete)]


def packages_of(ledger: LedgerReader, registry: Groups, incomplete: str) -> list[Proposal]:
    """Return the newest packages in the index that begin with `incomplete`, and where each stands, by group."""
    group, slash, version = incomplete.partition("/")
    named = [group] if slash else [name for name, _ in groups_of(registry, group)][:_GROUPS]
    most = _MANY if len(named) == 1 else _FEW
    heads = [head for name in named for head in _newest(ledger, name, version, most)]
    return list(dict.fromkeys((f"{head['group']}/{head['version']}", str(head.get("status") or "")) for head in heads))


def _newest(ledger: LedgerReader, group: str, version: str, most: int) -> list[Head]:
    heads = list(islice(ledger.rows_by_group(group, newest_first=True, page=most), most))
    if version.isdecimal() and len(heads) == most:
        heads += ledger.rows_by_group(group, version=int(version))  # which may be an old one
    return [head for head in heads if str(head["version"]).startswith(version)]


def with_timeout(find: Callable[[], list[Proposal]], seconds: float = _SECONDS) -> list[Proposal]:
    """Return what `find` finds within `seconds`, and nothing when it takes longer or fails."""
    found: list[Proposal] = []

    def quietly() -> None:
        with suppress(Exception):
            found.extend(find())

    thread = Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
    return found.copy()


def _stack(ctx: typer.Context) -> str:
    from signoff_cli.stack import REGISTRY

    return str(ctx.params.get("stack") or REGISTRY)


def _groups(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    from signoff_cli.stack import Stack

    return groups_of(Stack.find(_stack(ctx)).registry, incomplete)


def _packages(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    from signoff_cli.stack import Stack

    found = Stack.find(_stack(ctx))
    return packages_of(found.ledger, found.registry, incomplete)
