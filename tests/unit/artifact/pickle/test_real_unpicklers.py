"""What the real unpicklers look up and call is reported, whatever opcodes are put together."""

from __future__ import annotations

import contextlib
import io
import pickle
import pickletools
import struct
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import joblib.numpy_pickle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.artifact.pickle.allow_list import allowed
from tests.support.depth import examples
from tests.support.pickle_parts import stand_in
from tests.support.pickled import bounded_memory, findings, named, text
from tests.support.scans import scanned

CALLS = b"cos\nsystem\n(S'id'\ntR"


class Recorder:
    """What one unpickler looked up that is not allowed, and called of it."""

    def __init__(self) -> None:
        self.named: list[tuple[str, str]] = []
        self.called: list[tuple[str, str]] = []

    def find(self, module: str, name: str, real: Callable[[str, str], Any]) -> Any:
        if allowed(module, name) or " " in module:  # which no module is called
            return real(module, name)
        self.named.append((module, name))
        return lambda *_args, **_words: self.called.append((module, name))


def load(file: BinaryIO, recorder: Recorder) -> Any:
    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            return recorder.find(module, name, super().find_class)

    return Unpickler(file).load()


def c_unpickler(data: bytes, recorder: Recorder) -> None:
    load(io.BytesIO(data), recorder)


def python_unpickler(data: bytes, recorder: Recorder) -> None:
    class Unpickler(pickle._Unpickler):  # as PyPy has it, and joblib
        def find_class(self, module: str, name: str) -> Any:
            return recorder.find(module, name, super().find_class)

    Unpickler(io.BytesIO(data)).load()


def joblib_unpickler(data: bytes, recorder: Recorder) -> None:
    class Unpickler(joblib.numpy_pickle.NumpyUnpickler):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            return recorder.find(module, name, super().find_class)

    class Nested:
        """What joblib calls to read an array's objects."""

        load = staticmethod(lambda file: load(file, recorder))

    original, joblib.numpy_pickle.pickle = joblib.numpy_pickle.pickle, Nested
    try:
        Unpickler("", io.BytesIO(data), ensure_native_byte_order=False).load()
    finally:
        joblib.numpy_pickle.pickle = original


UNPICKLERS = [c_unpickler, python_unpickler, joblib_unpickler]


def recorded(unpickler: Callable[[bytes, Recorder], None], data: bytes) -> Recorder:
    recorder = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(Exception), bounded_memory():  # whatever it is: what it did before counts
            unpickler(data, recorder)
    return recorder


LINES = st.sampled_from([b"", b"0", b"1", b"07", b"1L", b"1.5", b"'a'", b"os", b"0" * 200, b"'" + b"a" * 200 + b"'"])
COUNTED = st.sampled_from([b"", b"os", b"system", b"a" * 127, b"a" * 129, b"latin1"])


def argument(code: pickletools.OpcodeInfo) -> st.SearchStrategy[bytes]:
    """Arguments of an opcode: mostly such as go on."""
    if code.arg is None:
        return st.just(b"")
    size = code.arg.n
    if code.name == "FRAME":
        return st.sampled_from([0, 1, 9, 200]).map(lambda number: struct.pack("<Q", number))
    if code.name in ("GLOBAL", "INST"):
        return st.sampled_from([b"os\nsystem\n", b"numpy\ndtype\n", b"collections\nOrderedDict\n", b"no such\nname\n"])
    if size == pickletools.UP_TO_NEWLINE:
        return LINES.map(lambda line: line + b"\n")
    counts = {pickletools.TAKEN_FROM_ARGUMENT1: "<B", pickletools.TAKEN_FROM_ARGUMENT4: "<i"}
    counts |= {pickletools.TAKEN_FROM_ARGUMENT4U: "<I", pickletools.TAKEN_FROM_ARGUMENT8U: "<Q"}
    if size in counts:
        return COUNTED.map(lambda content: struct.pack(counts[size], len(content)) + content)
    return st.integers(0, 5).map(lambda number: number.to_bytes(size, "little"))


ONE = st.sampled_from(pickletools.opcodes).flatmap(
    lambda code: argument(code).map(lambda content: code.code.encode("latin-1") + content)
)
PARTS = st.sampled_from(
    [
        *(CALLS, text("os"), text("system"), text("dtype"), b"\x93", b"R", b")", b"\x94", b"h\0", b"h\x01", b"(", b"0"),
        *(named("numpy", "dtype"), stand_in(3), stand_in(3, padded=True), b"\x01\0abc", b"abc", b"."),
        *(stand_in(1, "O8"), b"\x80\x04]N\x61.", b"\x80\x02]N\x61."),
    ]
)
# The unpickler in C drops what of a line lies in the frame: to it the module is another.
CUT = b"\x95\x16\0\0\0\0\0\0\0csklearn.linear_model.timeit\nTimer\n"
# Joblib reads this with a memo of its own: to it the name is one of NumPy's.
NESTED = b"\x80\x04" + text("numpy") + b"\x94" + text("ndarray") + b"\x94h\0h\x01\x93)R.."
BEGIN = st.sampled_from(
    [b"", b"\x80\x01", b"\x80\x02", b"\x80\x04", b"V" + b"a" * 5000 + b"\n0", b"T\0\x10\0\0" + bytes(4096)]
)
END = st.sampled_from([b".", b"", b"x", b"N.", b"." + b"x" * 600, b"(S'id'\nios\nsystem.", CALLS + b"."])


@pytest.mark.parametrize("unpickler", UNPICKLERS)
@given(begin=BEGIN, parts=st.lists(ONE | PARTS, max_size=16).map(b"".join), end=END)
@example(begin=b"V" + b"a" * 5000 + b"\n0", parts=CALLS, end=b".")
@example(begin=b"\x80\x04", parts=stand_in(len(CALLS)) + CALLS, end=b".")
@example(
    begin=b"\x80\x04" + text("os") + b"\x94" + text("system") + b"\x94",
    parts=stand_in(1, "O8", padded=True),
    end=NESTED,
)
@example(begin=b"\x80\x04", parts=CUT, end=b"(S'id'\ntR.")
@example(begin=b"", parts=b"\x95\x04\0\0\0\0\0\0\0ca b" + CALLS[1:], end=b".")
@example(begin=b"", parts=b"(S'id'\nios\n", end=b"system.")
@settings(max_examples=examples(1000), deadline=None)
def test_what_a_real_unpickler_looks_up_and_calls_is_reported(
    unpickler: Callable[[bytes, Recorder], None], begin: bytes, parts: bytes, end: bytes
) -> None:
    data = begin + parts + end
    done = recorded(unpickler, data)
    if done.called:
        assert scanned(data)
    found = findings(data)
    told = " ".join(reason for _, reason in found)
    if [rule for rule, _ in found] == ["not-what-it-is-called"]:
        assert not done.called
    elif not {"computes", "longer than"} & set(told.split()):
        missing = [name for name in done.named if ".".join(name) not in told]
        assert not missing or "unreadable-pickle" in {rule for rule, _ in found}
    assert found or not done.named
