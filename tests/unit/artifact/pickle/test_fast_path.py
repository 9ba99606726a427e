"""Texts and numbers in a row are walked in a loop of their own, which must see what the ordinary one sees."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.pickle import machine
from tests.support.depth import examples
from tests.support.pickled import findings, text

WORDS = st.sampled_from(
    ["os", "system", "numpy", "ndarray", "a", "größe", "\ud800", "x" * 127, "x" * 128, "x" * 129, ""]
)
PLAIN = WORDS | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.none() | st.booleans()
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(WORDS | st.integers(), inner), max_leaves=60
)

MEMOIZE, STACK_GLOBAL = b"\x94", b"\x93"
PIECES = (
    WORDS.map(lambda word: text(word) + MEMOIZE)
    | WORDS.map(text)
    | st.integers(0, 5).map(lambda index: b"h" + bytes([index]))
    | st.sampled_from([b"K\x01", b"M\x01\x02", b"J\xff\xff\xff\xff", b"G" + bytes(8), b"N", b"\x88", b"(", b"0", b"2"])
    | st.sampled_from(
        [STACK_GLOBAL, b")R", b"q\x01", MEMOIZE, b"u", b"t", b"]", b"}", b"X\x02\0\0\0\xff\xff" + MEMOIZE]
    )
)


def told(data: bytes, *, in_runs: bool) -> list[tuple[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        if not in_runs:
            patch.setattr(machine, "walk_run", lambda _machine: None)
        return [(rule, reason) for rule, reason in findings(data)]


@given(VALUES, st.integers(0, 5))
def test_a_valid_pickle_is_walked_to_its_end(value: object, protocol: int) -> None:
    assert told(pickle.dumps(value, protocol), in_runs=True) == []


@given(st.lists(PIECES, max_size=60))
@settings(max_examples=examples(1000))
def test_whatever_follows_whatever_the_same_is_reported(pieces: list[bytes]) -> None:
    data = b"\x80\x04" + b"".join(pieces) + b"." + bytes(200)  # what follows makes runs possible up to the end
    assert told(data, in_runs=True) == told(data, in_runs=False)


def test_a_name_put_together_from_a_vocabulary_is_reported() -> None:
    words = b"".join(text(f"word{number}") + MEMOIZE + b"K\x01" for number in range(1000))
    named = text("os") + MEMOIZE + b"K\x01" + text("system") + MEMOIZE + b"K\x01"
    chosen = b"j\xe8\x03\0\0" + b"j\xe9\x03\0\0" + STACK_GLOBAL  # LONG_BINGET 1000 and 1001
    assert told(b"\x80\x04(" + words + named + chosen + b"." + bytes(200), in_runs=True)[0] == (
        "unsafe-pickle",
        told(b"\x80\x04(" + words + named + chosen + b"." + bytes(200), in_runs=False)[0][1],
    )
