"""The canonical form of JSON is that of RFC 8785, however it is written."""

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from signoff.documents.canonical_json import canonical

NUMBERS = st.integers(-(2**60), 2**60) | st.floats() | st.sampled_from([-0.0, 1e21, 1e-7, 2**53 - 1, 2**53, 1.0])
WORDS = st.text() | st.text('\x00\x1f\x7f"\\/\u2028\ue000\U0001f600 :,[0.e', max_size=20) | st.just("[1.5")
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_whatever_a_document_holds_its_form_is_the_one_that_the_published_library_writes(document: object) -> None:
    try:
        expected = rfc8785.dumps(document)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError as refused:
        with pytest.raises(type(refused)):
            canonical(document)
    else:
        assert canonical(document) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, "\ud800", b"bytes", {1, 2}, object()])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical({"value": [value]})


def test_keys_are_sorted_as_utf_16() -> None:
    assert canonical({"\ue000": 1, "\U0001f600": 2, "a": 3}).decode() == '{"a":3,"\U0001f600":2,"\ue000":1}'


def test_what_entries_hold_is_written_by_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc8785, "dumps", lambda _: pytest.fail("written by rfc8785"))
    document = {"time": "2026-03-02T09:15:20.123Z", "sequence": 7, "details": {"attempt": 1, "uri": "s3://a/1.json"}}
    assert json.loads(canonical(document)) == document
