from __future__ import annotations

import contextlib
import io
import pickle
import struct
import time
import tracemalloc
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from signoff.artifact.context import ScanContext
from signoff.artifact.pickle import memo, stack
from signoff.artifact.pickle.scanner import is_pickle
from signoff.artifact.pickle.scanner import pickle as walk
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import PeekableReader
from tests.support.depth import deep, examples, some
from tests.support.pickled import bounded_memory, calling, findings, named, text
from tests.support.scans import scanned

RULES = {
    *("unsafe-pickle", "unknown-global", "own-class", "unreadable-pickle", "data-after-pickle"),
    "not-what-it-is-called",
}


def dumped(value: object) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()


VALUE = [np.arange(20), np.array([1, "a"], dtype=object), {"a": (1, 2.5, None)}, {1, 2}, b"x" * 300, "text" * 100]
FOREST = RandomForestClassifier(n_estimators=2, random_state=0).fit([[0], [1], [2]], [0, 1, 0])
SEEDS = [pickle.dumps(VALUE, protocol) for protocol in range(6)] + [
    dumped(VALUE),
    dumped(FOREST),
    calling("os", "system"),
]
CODES = bytes(range(256))

edits = st.lists(
    st.tuples(st.sampled_from(["replace", "cut", "insert"]), st.floats(0, 1), st.binary(min_size=1, max_size=12)),
    min_size=1,
    max_size=5,
)


def edited(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for change, place, content in changes:
        at = int(place * len(data))
        rest = data[at:] if change == "insert" else data[at + len(content) :]
        data = data[:at] + (b"" if change == "cut" else content) + rest
    return data


@given(st.sampled_from(SEEDS), edits, st.integers(1, 5000))
@settings(max_examples=examples(600), deadline=3000)
def test_whatever_is_done_to_a_pickle_the_walk_ends_with_findings(
    data: bytes, changes: list[tuple[str, float, bytes]], piece: int
) -> None:
    damaged = edited(data, changes)
    assert {rule for rule, _ in findings(damaged, piece)} <= RULES
    assert is_pickle(damaged[:4096]) in (True, False)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"\x80\x05"]))
@settings(max_examples=examples(600), deadline=3000)
def test_whatever_follows_a_pickle_s_header_the_walk_ends_with_findings(data: bytes, header: bytes) -> None:
    assert {rule for rule, _ in findings(header + data)} <= RULES
    assert is_pickle(data) in (True, False)


OPCODES = st.sampled_from(
    [bytes([code]) for code in b"(.0123)]}lNaesu\x81\x85\x86\x87\x88\x8f\x90\x91\x92\x93\x94tdRob"]
    + [
        b"K\x01",
        b"q\x00",
        b"h\x00",
        b"q\x01",
        b"h\x01",
        b"g0\n",
        b"p1\n",
        b"I5\n",
        b"\x82\x01",
        text("os"),
        text("system"),
    ]
    + [text("shape"), named("numpy", "dtype"), named("joblib.numpy_pickle", "NumpyArrayWrapper"), b"cos\nsystem\n"]
)


@given(st.sampled_from([b"\x80\x04", b"\x80\x01", b""]), st.lists(OPCODES, max_size=40))
@example(b"\x80\x01", [b"cos\nsystem\n", b"("])
@example(b"", [b"cos\nsystem\n", b"("])
@settings(max_examples=examples(1200), deadline=3000)
def test_whatever_opcodes_are_put_together_what_python_would_name_is_reported(
    begin: bytes, opcodes: list[bytes]
) -> None:
    data = begin + b"".join(opcodes) + b"."
    asked: list[str] = []

    class Asking(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            asked.append(f"{module}.{name}")
            return dict

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(Exception), bounded_memory():  # whatever it is: what it did before counts
            Asking(io.BytesIO(data)).load()
    told = " ".join(reason for _, reason in findings(data))
    assert not [name for name in asked if name.startswith("os.") and name not in told and "computes" not in told]


OLD = OPCODES | st.sampled_from(
    [
        b"(S'id'\ntR",
        b"(S'id'\nios\nsystem\n",
        b"I0x10\n",
        b"L1_0L\n",
        b"F1.5\0x\n",
        b"Vab\n",
        b"BM\0\0\0",
        b"T\x01\0\0\0a",
        b"\xff",
    ]
)


@given(st.sampled_from([b"", b"\x80\x01"]), st.lists(OLD, max_size=14), st.sampled_from([b".", b"", b"." + b"x" * 600]))
@settings(max_examples=examples(600), deadline=None)
def test_nothing_that_python_would_call_is_taken_for_something_else_than_a_pickle(
    begin: bytes, opcodes: list[bytes], end: bytes
) -> None:
    data = begin + b"".join(opcodes) + end
    called: list[object] = []

    class Calling(pickle.Unpickler):
        def find_class(self, module: str, _name: str) -> object:
            return called.append if module == "os" else dict

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(Exception), bounded_memory():  # whatever it is: what it did before counts
            Calling(io.BytesIO(data)).load()
    assert scanned(data) or not called


@pytest.mark.parametrize("size", range(7, 400, 7))
def test_a_pickle_that_was_cut_off_is_unreadable_and_says_where(size: int) -> None:
    data = SEEDS[4]
    found = findings(data[:size])
    assert [rule for rule, _ in found] == ["unreadable-pickle"]
    assert "(byte " in found[0][1]


REPEATED: dict[str, bytes] = {
    "marks": b"(",
    "dicts": b"}",
    "tuples in tuples": b"\x85",
    "pushes that are remembered": b"N\x94",
    "names": b"\x8c\x02os\x8c\x06system\x93",
    "texts": b"\x8c\x09abcdefghi\x94",
    "duplicates": b"2",
    "numbered texts": b"\x8c\x05shapep1234567\n",
    "long numbers": b"\x8a\x08abcdefgh",
    "wrappers": named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81\x94",
    "dtypes": named("numpy", "dtype") + text("f8") + b"\x85R\x94",
    "dicts in dicts": b"}\x8c\x01a",
    "short stacks": b"(NNNNNNNN",
}


LIMITS = [
    (stack, "MOST_MARKS"),
    (stack, "MOST_HELD"),
    (memo, "MOST_TEXTS"),
    (memo, "MOST_REMEMBERED"),
]
SHARE = 1 if deep() else 10  # of the limits, and so of all that is repeated and of the memory that it may take


@pytest.mark.parametrize("kind", some(REPEATED))
def test_memory_and_time_are_bounded_whatever_is_repeated(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part = REPEATED[kind]
    total = 270_000 // SHARE
    for module, limit in LIMITS:
        monkeypatch.setattr(module, limit, getattr(module, limit) // SHARE)

    class Endless:
        def __init__(self) -> None:
            self.left = total
            self.begun = False

        def read(self, size: int) -> bytes:
            if not self.begun:
                self.begun = True
                return b"\x80\x04"
            count = min(size // len(part), self.left) or min(1, self.left)
            self.left -= count
            return part * count

    content = PeekableReader(Endless())
    tracemalloc.start()
    began = time.process_time()
    found: list[str] = []
    try:
        walk(content, ScanContext("m", lambda _m, rule, _r, _s: found.append(rule), Budget()), lambda *_: None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (64 << 20) // SHARE
    assert time.process_time() - began < 60
    assert "unreadable-pickle" in found


def test_four_gigabytes_in_one_argument_are_passed_over() -> None:
    size = 1 << 32
    block = bytes(1 << 18)

    class Large:
        def __init__(self) -> None:
            self.parts = [
                b"\x80\x05\x8e" + struct.pack("<Q", size),
                *[block] * (size // len(block)),
                calling("os", "system")[2:],
            ]
            self.parts.reverse()

        def read(self, size: int) -> bytes:
            part = self.parts.pop() if self.parts else b""
            if len(part) > size:
                self.parts.append(part[size:])
            return part[:size]

    found: list[str] = []
    tracemalloc.start()
    try:
        walk(
            PeekableReader(Large()),
            ScanContext("m", lambda _m, _rule, reason, _s: found.append(reason), Budget()),
            lambda *_: None,
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "os.system" in found[0]
    assert peak < 4 << 20
