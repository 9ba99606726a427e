"""The queue: packages that are waiting for a decision, evaluated by the policies of their groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from signoff.report.standing import evaluate
from signoff_cli.packages.index import Row
from signoff_cli.packages.policy_view import GroupPolicies, may_decide

_TOGETHER = 100


def evaluate_all(rows: Iterable[Row], policies: GroupPolicies, me: str, together: int = _TOGETHER) -> Iterator[Row]:
    """Yield `rows`, of packages that are waiting for a decision, each with what its policy says of it.

    The policies of so many rows are read `together`.

    To the fields of `signoff.report.standing.evaluate` it adds `mine`: whether `me` (an ARN) may decide on the package
    and has not done so yet; None when the policy cannot be read.
    """
    remaining = iter(rows)
    while chunk := list(islice(remaining, together)):
        policies.read_ahead(each["group"] for each in chunk)
        yield from ({**each, **_evaluate(each, policies, me)} for each in chunk)


def _evaluate(row: Row, policies: GroupPolicies, me: str) -> dict[str, Any]:
    policy = policies.policy(row["group"])
    return {**evaluate(policy, row), "mine": may_decide(policy, row, me) if policy else None}


def select(rows: Iterable[Row], role: str | None, *, everybody: bool) -> Iterator[Row]:
    """Yield those of `rows` that wait for one's own decision, or anybody's; with `role`, for one of its members.

    Those whose policy cannot be read are among them: they may.
    """
    return (each for each in rows if (everybody or each["mine"] is not False) and (role is None or _needs(each, role)))


def _needs(row: Row, role: str) -> bool:
    return row["needs"] is not None and role in row["needs"]["roles"]
