"""The tables of docs/scale.md, from the recording that is kept and the prices: `python -m tests.support.scale_page`.

`python -m tests.support.recorded_usage` records anew before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.costs import LOOKED_UP, PRICES, Assumptions, at_rest, cost, pipeline_usage, stored, total, usage
from tests.support.recorded_usage import kept
from tests.support.repository import ROOT

PAGE = ROOT / "docs/scale.md"
GIVEN = Assumptions()
# Of a thousand models a month, each comes to functions that have long ended: every environment is a new one.
RARE = replace(GIVEN, started=1.0)
FEW, MANY = 1_000, 1_000_000
# What a deployed stack consists of, at most: tests/infrastructure/test_scale.py compares it with the template.
PARTS = {"alarms": 50, "metrics": 16, "queues": 5, "sweeps": 2 * 4 * 24 * 30}
# One deployment by the template of a SageMaker project, by stage, in whole minutes of its actions, of which two are
# builds. Endpoints take five to ten minutes to be made, which CloudFormation waits for.
STAGES = {"Source": 1, "Build": 2, "DeployStaging": 10, "TestStaging": 2, "DeployProd": 10}
BUILDS = STAGES["Build"] + STAGES["TestStaging"]


def tables() -> Mapping[str, str]:
    """Return each table by the name of its place in the page."""
    recorded = kept()
    return {
        "calls": _calls(recorded),
        "model": _model(recorded),
        "months": _months(recorded),
        "prices": _table(
            ("price", "US dollars", "source"),
            (
                (price.unit, _plain(price.amount), f"[{_page_of(price.source)}]({price.source})")
                for price in PRICES.values()
            ),
        ),
        "assumptions": _table(("assumed", "value"), _assumed()),
    }


def page(written: str) -> str:
    """Return the page with its tables as they are made now."""
    for name, table in tables().items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        written = place.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", written)  # type: ignore[misc]
    return written


def _calls(recorded: Mapping[str, Any]) -> str:
    kinds = ("invocations", "s3_write", "s3_read", "other")
    rows = [(name, *(str(each[kind]) for kind in kinds)) for name, each in recorded["functions"].items()]
    sums = [str(sum(each[kind] for each in recorded["functions"].values())) for kind in kinds]
    return _table(("function", *("invocations", "S3 writes", "S3 reads", "other calls")), [*rows, ("**all**", *sums)])


def _model(recorded: Mapping[str, Any]) -> str:
    used = usage(recorded, GIVEN)
    rows = [(PRICES[name].unit, _number(used[name]), _dollars(each)) for name, each in cost(used).items()]
    kept_then = stored(recorded, GIVEN)
    rows += [(PRICES[name].unit, _number(kept_then[name]), _dollars(each)) for name, each in cost(kept_then).items()]
    everything = _dollars(total(used) + total(kept_then))
    return _table(("unit", "per model", "US dollars"), [*rows, ("**all, in its first month**", "", everything)])


def _months(recorded: Mapping[str, Any]) -> str:
    rest = total(at_rest(PARTS))
    deployment = total(pipeline_usage(STAGES, BUILDS))
    storing = total(stored(recorded, GIVEN))
    rows = []
    for models, given in ((0, RARE), (FEW, RARE), (MANY, GIVEN)):
        working = total(usage(recorded, given), models)
        month = [rest, working, storing * models, rest + working + storing * models]
        rows.append((f"{models:,}", *map(_round, month), _round(storing * models * 12), _round(deployment * models)))
    head = ("at rest", "work", "storage, first month", "Signoff, first month", "storage a month after a year")
    return _table(("models a month", *head, "the project template"), rows)


def _assumed() -> Iterable[tuple[str, str]]:
    yield "size of the model's archive", f"{GIVEN.artifact / 1e6:.0f} MB"
    yield "an artifact is hashed, and inspected, at", f"{GIVEN.read_rate / 1e6:.0f} MB/s"
    yield "an invocation takes, beside its calls", f"{GIVEN.own * 1000:.0f} ms"
    yield "each call takes", f"{GIVEN.call * 1000:.0f} ms"
    yield "a new environment takes", f"{GIVEN.start} s"
    yield "invocations in a new environment", f"all at {FEW:,} models a month, {GIVEN.started:.0%} at {MANY:,}"
    yield "logged for each invocation, and twice for each state", f"{GIVEN.logged:,} bytes"
    yield "alarms, metrics of its own, queues with a reader", ", ".join(str(PARTS[name]) for name in list(PARTS)[:3])
    stages = ", ".join(f"{name} {minutes}" for name, minutes in STAGES.items())
    yield "minutes of the project template's actions", f"{stages}; Build and TestStaging are builds"


def _page_of(source: str) -> str:
    return source.removeprefix("https://").rstrip("/")


def _plain(amount: float) -> str:
    return f"{amount:.10f}".rstrip("0").rstrip(".")


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 or amount == int(amount) else f"{amount:.5f}".rstrip("0")


def _dollars(amount: float) -> str:
    return f"{amount:.6f}"


def _round(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---", *["---:"] * (len(head) - 1)], *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
    print(f"written with the prices of {LOOKED_UP}")  # noqa: T201
