"""Every rule that an inspection can name has a remedy."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from signoff.artifact.content_types import FORMATS
from signoff.artifact.findings import Finding
from signoff.artifact.remedies import REMEDIES
from tests.support.repository import ROOT

SIGNOFF = ROOT / "functions/signoff"
SOURCES = sorted(
    [
        *(SIGNOFF / "artifact").rglob("*.py"),
        SIGNOFF / "validation/inspect_artifact.py",
        SIGNOFF / "submission/object_list.py",
    ]
)
RULE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
WORDS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Words with hyphens that stand where a rule may stand, and are none.
ENCODINGS = {"utf-8", "utf-8-sig", "latin-1", "raw-unicode-escape"}
NO_RULES = {*ENCODINGS, "set-gid", "xgboost-model", *FORMATS} - {"torchscript-flatbuffer"}


def rules_of(source: Path) -> set[str]:
    """Every rule that a module names: any text of words with hyphens, and what is refused, reported or yielded."""
    nodes = list(ast.walk(ast.parse(source.read_text())))
    words = {text for node in nodes for text in _texts(node) if RULE.fullmatch(text)}
    named = {text for node in nodes for place in _places(node) for text in _texts(place) if WORDS.fullmatch(text)}
    return (words | named) - NO_RULES


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """Where a rule stands whatever it looks like."""
    match node:
        case ast.Call(
            func=ast.Name(id="Refused") | ast.Attribute(attr="report" | "_report" | "_error"), args=arguments
        ):
            yield from arguments[:2]  # behind the name of the member, where there is one
        case ast.Yield(value=ast.Tuple(elts=[rule, _])):
            yield rule


def test_every_rule_in_the_sources_has_a_remedy() -> None:
    missing = {source.name: found for source in SOURCES if (found := rules_of(source) - REMEDIES.keys())}
    assert missing == {}


def test_every_remedy_is_of_a_rule() -> None:
    assert REMEDIES.keys() - {rule for source in SOURCES for rule in rules_of(source)} == set()


@pytest.mark.parametrize("rule", REMEDIES)
def test_a_remedy_is_short_and_reads_as_a_sentence(rule: str) -> None:
    remedy = REMEDIES[rule]
    assert remedy[0].isupper()
    assert remedy.endswith(".")
    assert len(remedy) < 160


def test_a_finding_carries_the_remedy_of_its_rule_unless_it_has_its_own() -> None:
    assert Finding(None, "not-gzip", "error", "why").remedy == REMEDIES["not-gzip"]
    assert Finding(None, "not-gzip", "error", "why", "Do this.").remedy == "Do this."
    assert Finding(None, "a-rule-without-one", "error", "why").remedy == ""
