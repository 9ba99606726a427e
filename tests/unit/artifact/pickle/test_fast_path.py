"""Texts and numbers in a row are walked in a loop of their own, which must see what the ordinary one sees."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.pickle import machine, memo
from tests.support.depth import examples
from tests.support.pickled import findings, text

WORDS = st.sampled_from(
    ["os", "system", "numpy", "ndarray", "a", "größe", "\ud800", *("x" * size for size in (64, 65, 127, 128, 129)), ""]
)
PLAIN = WORDS | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.none() | st.booleans()
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(WORDS | st.integers(), inner), max_leaves=60
)

MEMOIZE, STACK_GLOBAL = b"\x94", b"\x93"


def numbered(word: str, index: int) -> bytes:
    """Return a text as protocols 1 to 3 write and remember it."""
    data = word.encode("utf-8", "surrogatepass")
    put = b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index)
    return b"X" + struct.pack("<I", len(data)) + data + put


PIECES = (
    WORDS.map(lambda word: text(word) + MEMOIZE)
    | st.builds(numbered, WORDS, st.integers(0, 5) | st.integers(254, 260))
    | WORDS.map(text)
    | st.integers(0, 5).map(lambda index: b"h" + bytes([index]))
    | st.sampled_from([b"K\x01", b"M\x01\x02", b"J\xff\xff\xff\xff", b"G" + bytes(8), b"N", b"\x88", b"(", b"0", b"2"])
    | st.sampled_from(
        [
            STACK_GLOBAL,
            b")R",
            b"q\x01",
            MEMOIZE,
            b"u",
            b"t",
            b"]",
            b"}",
            b"X\x02\0\0\0\xff\xffq\1",
            b"\x8c\2\xff\xff\x94",
        ]
    )
)


def told(data: bytes, *, in_runs: bool) -> list[tuple[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        if not in_runs:
            patch.setattr(machine, "walk_run", lambda _machine, _form: None)
        return [(rule, reason) for rule, reason in findings(data)]


@given(VALUES, st.integers(0, 5))
def test_a_valid_pickle_is_walked_to_its_end(value: object, protocol: int) -> None:
    assert told(pickle.dumps(value, protocol), in_runs=True) == []


@given(st.lists(PIECES, max_size=60))
@settings(max_examples=examples(1000))
def test_whatever_follows_whatever_the_same_is_reported(pieces: list[bytes]) -> None:
    data = b"\x80\x04" + b"".join(pieces) + b"." + bytes(200)  # what follows makes runs possible up to the end
    assert told(data, in_runs=True) == told(data, in_runs=False)


def memoized(word: str, _index: int) -> bytes:
    return text(word) + MEMOIZE


@pytest.mark.parametrize("item", [memoized, numbered])
@pytest.mark.parametrize("most", [100_000, 10])
def test_a_name_put_together_from_a_vocabulary_is_known(
    item: Callable[[str, int], bytes], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "MOST_TEXTS", most)
    words = [*(f"word{number}" for number in range(1000)), "numpy", "ndarray", "os", "system"]
    items = b"".join(item(word, index) + b"K\x01" for index, word in enumerate(words))
    chosen = [b"j" + struct.pack("<I", index) for index in range(1000, 1004)]  # LONG_BINGET
    harmless = b"".join(chosen[:2]) + STACK_GLOBAL
    assert findings(b"\x80\x04(" + items + harmless + b"t.") == []
    (finding,) = findings(b"\x80\x04(" + items + b"".join(chosen[2:]) + STACK_GLOBAL + b"t.")
    assert ("os.system" if most > 1000 else "computes") in finding[1]


@pytest.mark.parametrize("item", [memoized, numbered])
def test_a_later_text_takes_the_number_of_a_name(item: Callable[[str, int], bytes]) -> None:
    names = text("os") + b"q\x00" + text("system") + b"q\x01"
    data = b"\x80\x04(" + names + item("numpy", 0) + item("ndarray", 1) + b"h\x00h\x01" + STACK_GLOBAL + b"t."
    assert told(data, in_runs=True) == told(data, in_runs=False)
