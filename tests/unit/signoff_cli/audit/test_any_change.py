"""Whatever single thing is changed of what is stored, in table, index, vault and registry: the audit finds it."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.aws.ledger_items import entry_item, verbatim
from signoff.aws.ledger_table import LedgerTable
from signoff.documents.canonical_json import canonical
from signoff.ledger import checkpoints
from signoff.ledger.history import History
from signoff.ledger.witnessed import SINCE
from tests.support.auditing import audited
from tests.support.depth import examples
from tests.support.world import World

BEN = "arn:aws:iam::123456789012:user/ben"
DOCUMENTS = ("evidence/", "policies/", "registrations/", "decisions/", "heads/")
scalars = st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.text(max_size=5))
Path = tuple[Any, ...]


@cache
def honest() -> World:
    """A package that two approved, whose model is there, and the heads of three days."""
    world = World(approvals={"needed": 2})
    arn = world.pending()
    world.decide(arn, "approve")
    world.decide(arn, "approve", BEN)
    world.deliver()
    for _ in range(3):
        world.daily_checkpoint.write_once()
        world.clock.forward(days=1)
    world.daily_checkpoint.write_once()
    assert audited(world) == []
    return world


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the path of everything in a JSON value, but of the whole."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*at, key)
        yield from paths(item, (*at, key))


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A document in which one value is another, or gone, or one is there more."""
    path = draw(st.sampled_from(sorted(paths(document), key=str)))
    made = copy.deepcopy(document)
    *parents, last = path
    inside = made
    for part in parents:
        inside = inside[part]
    act = draw(st.sampled_from(["change", "remove", "add"]))
    if act == "remove":
        del inside[last]
    elif act == "add" and isinstance(inside, dict):
        inside["added"] = draw(scalars)
    else:
        inside[last] = draw(scalars.filter(lambda value: canonical(value) != canonical(inside[last])))
    return made


@st.composite
def another_item(draw: st.DrawFn, item: dict[str, Any]) -> dict[str, Any]:
    """An item of the table of which one attribute, or something within the details, is another, gone, or more."""
    if draw(st.booleans()):
        details = draw(changed(json.loads(item["details"]["S"])))
        return {**item, "details": {"S": canonical(details).decode()}}
    name = draw(st.sampled_from(sorted(item)))
    act = draw(st.sampled_from(["change", "remove", "add"]))
    if act == "remove":
        return {key: value for key, value in item.items() if key != name}
    if act == "add":
        return {**item, "added": {"S": draw(st.text(max_size=5))}}
    ((kind, value),) = item[name].items()
    other = st.integers(0, 99).map(str) if kind == "N" else st.text(max_size=5) | st.just(value + " ")
    return {**item, name: {kind: draw(other.filter(lambda each: each != value))}}


class Changed:
    """A world in which something is another while the block runs."""

    def __init__(self, holder: Any, name: str, value: Any) -> None:
        self._holder, self._name, self._value = holder, name, value

    def __enter__(self) -> None:
        setattr(self._holder, self._name, self._value)

    def __exit__(self, *_: object) -> None:
        delattr(self._holder, self._name)


def table(items: list[dict[str, Any]]) -> Any:
    def read(package: str) -> tuple[History, str | None]:
        entries, fault = verbatim(items)
        return History(package, entries), fault

    return read


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data())
def test_any_change_of_any_item_of_the_ledger_is_found(data: st.DataObject):
    world = honest()
    (history,) = world.ledger.histories.values()
    items = [entry_item(entry) for entry in history.entries]
    position = data.draw(st.integers(0, len(items) - 1))
    items[position] = data.draw(another_item(items[position]))
    with Changed(world.ledger, "verbatim", table(items)):
        found = audited(world)
    assert position + 1 in {finding.entry for finding in found}


@given(data=st.data())
def test_any_items_that_are_missing_doubled_or_in_another_order_are_found(data: st.DataObject):
    world = honest()
    (history,) = world.ledger.histories.values()
    items = [entry_item(entry) for entry in history.entries]
    chosen = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=len(items) + 2))
    made = [items[position] for position in chosen]
    with Changed(world.ledger, "verbatim", table(made)):
        found = audited(world)
    assert bool(found) == (made != items)


@settings(deadline=None)
@given(data=st.data())
def test_any_change_of_the_index_is_found(data: st.DataObject):
    world = honest()
    (key,) = world.ledger.histories
    honest_row = world.ledger.indexed(key) or {}
    # When the sweep looks next follows from a policy as well, and the sweep itself sets it right.
    row = data.draw(changed({name: value for name, value in honest_row.items() if name != "due"}))
    with Changed(world.ledger, "indexed", lambda _: row):
        assert {finding.name for finding in audited(world)} == {"IndexDiffers"}


@pytest.mark.parametrize("prefix", DOCUMENTS)
@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_any_change_of_any_document_in_the_vault_is_found(prefix: str, data: st.DataObject):
    world = honest()
    key = data.draw(st.sampled_from(world.vault.keys(prefix)))
    if (prefix == "registrations/" and key.count("/") > 1) or key == SINCE:
        return
    document = data.draw(changed(json.loads(world.vault_bucket.get(key) or b"")))
    world.vault_bucket.put(key, canonical(document))
    try:
        assert audited(world) != []
    finally:
        world.vault_bucket.versions[key].pop()


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_any_change_of_heads_within_their_version_is_found_by_those_of_the_next_day(data: st.DataObject):
    world = honest()
    key = data.draw(st.sampled_from(world.vault.keys(checkpoints.PREFIX)[:-1]))
    (version,) = world.vault_bucket.versions[key]
    before = version.data
    version.data = canonical(data.draw(changed(json.loads(before))))
    try:
        assert key in {finding.about for finding in audited(world)}
    finally:
        version.data = before


@settings(deadline=None)
@given(data=st.data())
def test_any_change_of_what_the_registry_says_in_signoffs_name_is_found(data: st.DataObject):
    world = honest()
    (described,) = world.registry.described.values()
    before = described["CustomerMetadataProperties"]
    named = {key: value for key, value in before.items() if key != "signoff:registration"}
    described["CustomerMetadataProperties"] = before | dict.fromkeys(named, "")
    try:
        changed_metadata = data.draw(changed(named))
        described["CustomerMetadataProperties"] = {
            key: str(value) for key, value in changed_metadata.items() if key.startswith("signoff:")
        }
        same = described["CustomerMetadataProperties"] == named
        assert (audited(world) == []) == same
    finally:
        described["CustomerMetadataProperties"] = before


def test_the_fake_reads_items_as_the_table_does():
    world = honest()
    (key,) = world.ledger.histories
    assert world.ledger.verbatim(key) == (world.ledger.history(key), None)
    assert isinstance(world.ledger, LedgerTable)
