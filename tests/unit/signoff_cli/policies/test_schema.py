"""The JSON Schema of policies, and the page that is made of it, hold what the check holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import PolicyFault
from signoff.policy.files import with_execution_role
from signoff.policy.lint import all_faults
from signoff.policy.policy import of_document
from signoff_cli.policies.check import check
from signoff_cli.policies.schema import fields, policy_schema
from tests.support.json_schema import Schema
from tests.support.policy_files import ALICE, BOB, RISK, approvals, faults
from tests.support.repository import ROOT

FILES = sorted([*(ROOT / "infra/policies").rglob("*.json"), *(ROOT / "examples/manifests").glob("*/policy.json")])
DOCUMENT = policy_schema()
SCHEMA = Schema(DOCUMENT)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_policy_here_is_good_and_fits_the_schema(file: Path) -> None:
    document = json.loads(file.read_bytes())
    assert list(SCHEMA.faults(document)) == []
    assert check(file.name, file.read_bytes()).faults == ()


def test_its_own_examples_fit_the_schema() -> None:
    examples = [(schema, each) for schema in schemas(DOCUMENT) for each in schema.get("examples", ())]
    refused = [each for schema, each in examples if not Schema({**schema, "$defs": DOCUMENT["$defs"]}).accepts(each)]
    assert len(examples) > 15
    assert refused == []
    assert [fault for each in DOCUMENT["examples"] for fault in all_faults(with_execution_role(each))] == []


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema that stands for a field or a structure."""
    for structure in (schema, *schema["$defs"].values()):
        yield structure
        yield from structure["properties"].values()


def test_every_field_is_described() -> None:
    described = {
        name: {field: found.get("description", "") for field, found in structure["properties"].items()}
        for name, structure in {**DOCUMENT["$defs"], "Policy": DOCUMENT}.items()
    }
    assert sum(len(found) for found in described.values()) > 60
    assert [text for found in described.values() for text in found.values() if len(text) < 10] == []


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], " type"),
        ({"aprovals": {}}, " additionalProperties"),
        ({"mode": "loud"}, ".mode enum"),
        ({"deployment": {"network_isolation": "yes"}}, ".deployment.network_isolation type"),
        ({"metrics": [{"name": "a"}]}, ".metrics[0] required"),
        ({"artifact": {"limits": {"members": 0}}}, ".artifact.limits.members minimum"),
        ({"artifact": {"limits": {"nested": 11}}}, ".artifact.limits.nested maximum"),
        ({"accounts": {"submit": ["22"]}}, ".accounts.submit[0] pattern"),
        (approvals(needed=0), ".approvals.needed minimum"),
        (approvals(needed=21), ".approvals.needed maximum"),
        (approvals(approvers=["alice"]), ".approvals.approvers[0] pattern"),
        (approvals(roles={"a": {"members": []}}), ".approvals.roles.a.members minItems"),
        (approvals(revocation={"after": "P2W"}), ".approvals.revocation.after anyOf"),
        (approvals(identity="asserted", publishers={"aws.x": [ALICE]}), ".approvals.publishers pattern"),
    ],
)
def test_the_schema_refuses_a_fault_where_it_stands(document: Any, where: str) -> None:
    assert where in set(SCHEMA.faults(document))
    assert faults(document)


leaves = (
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from([ALICE, RISK, "reject", "P14D", "PT1H", "x", "22"])
)
values = (
    leaves
    | st.lists(leaves, max_size=2)
    | st.dictionaries(st.sampled_from(["a", "after", "needed"]), leaves, max_size=2)
)
FULL: dict[str, Any] = {
    "mode": "report",
    "submissions": {"submitters": [ALICE]},
    "approvals": {
        "needed": 2,
        "roles": {"risk": {"members": [RISK], "needed": 1}},
        "identity": "asserted",
        "publishers": {"acme": [BOB]},
        "expiry": {"after": "P14D", "action": "extend", "reminders": ["P7D"]},
        "revocation": {"after": "P180D", "superseded": True},
    },
    "metrics": [{"name": "a", "path": "a", "at_least": 1}],
    "accounts": {"submit": ["222222222222"]},
    "deployment": {"vpc": {"subnets": ["s"], "security_groups": ["g"]}, "choices": {"network_isolation": [True]}},
}


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in a document."""
    yield above
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from places(item, (*above, key))


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A policy where one thing, anywhere, is another."""
    document = json.loads(json.dumps(FULL))
    *way, last = draw(st.sampled_from([place for place in places(FULL) if place]))
    parent = document
    for step in way:
        parent = parent[step]
    parent[last] = draw(values)
    return document


@given(damaged())
def test_the_check_refuses_whatever_the_reader_refuses(document: Any) -> None:
    whole = with_execution_role(document)
    try:
        of_document(whole)
    except PolicyFault:
        assert all_faults(whole)
    else:
        unfulfillable = ("can never", "cannot be at least")
        assert [fault for fault in all_faults(whole) if not any(word in fault.message for word in unfulfillable)] == []


@given(damaged())
def test_the_schema_takes_whatever_the_check_takes_and_no_wrong_type(document: Any) -> None:
    found = all_faults(with_execution_role(document))
    if not found:
        assert list(SCHEMA.faults(document)) == []
    if any(fault.message.startswith(("must be", "is not a field", "is required")) for fault in found):
        assert not SCHEMA.accepts(document)


# The page


def test_the_page_has_every_field_of_a_policy() -> None:
    page = (ROOT / "docs/policy.md").read_text()
    rows = [f"| `{path}` | {kind} | {default} | {effect} |" for path, kind, default, effect in fields()]
    assert [row for row in rows if row not in page] == []  # make it with `signoff_cli.policies.schema.fields`
    assert page.endswith("\n".join(["|-------|------|---------|---------|", *rows, ""]))


def test_the_examples_of_the_page_are_policies() -> None:
    found = re.findall(r"```json\n(.*?)```", (ROOT / "docs/policy.md").read_text(), re.DOTALL)
    assert len(found) >= 3
    assert [check("example", example.encode()).faults for example in found] == [()] * len(found)
