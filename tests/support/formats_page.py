"""The tables of docs/formats.md, made from what the inspection itself uses: `python -m tests.support.formats_page`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from signoff.artifact.claims import CLAIMS
from signoff.artifact.content_types import NOT_LOOKED_INTO
from signoff.artifact.requirement_check import ADMITTED_BY
from tests.support.repository import ROOT

PAGE = ROOT / "docs/formats.md"


def tables() -> Mapping[str, str]:
    """Return each table by the name of its place in the page."""
    return {
        "claims": _table(
            ("Name", "Content that it may have", "Who believes it"),
            ((_listed(claim.names), ", ".join(claim.kinds), f"[{claim.loader}]({claim.document})") for claim in CLAIMS),
        ),
        "not looked into": _table(("Format", "What nobody looks at"), NOT_LOOKED_INTO.items()),
        "admitted": _table(
            ("Rule", "Format that admits it"), ((f"`{rule}`", f"`{name}`") for rule, name in ADMITTED_BY.items())
        ),
    }


def page(written: str) -> str:
    """Return the page with its tables as they are made now."""
    for name, table in tables().items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        written = place.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", written)  # type: ignore[misc]
    return written


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
