"""Tricks that would hide from a scanner what a pickle does: none does."""

from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest

from signoff.artifact.pickle.scanner import is_pickle
from signoff.artifact.streams.readers import PEEK
from tests.support.pickle_parts import ORDERED_DICT, OS_SYSTEM, WRAPPER, stand_in, written
from tests.support.pickled import calling, findings, named, text
from tests.support.scans import faults

HANDS_BACK = named("torch.jit._pickle", "restore_type_tag")

TRICKS: dict[str, tuple[bytes, str]] = {
    "a module by its path, as Python imports it out of a zip archive": (
        b"cpackage/module\nrun\n(tR.",
        "package/module.run",
    ),
    "a class that is handed back, and changed": (
        b"\x80\x04" + HANDS_BACK + ORDERED_DICT + text("x") + b"\x86R}b.",
        "Would change collections.OrderedDict itself",
    ),
    "a class that is handed back out of a tuple from the memo": (
        b"\x80\x04" + ORDERED_DICT + text("x") + b"\x86\x940" + HANDS_BACK + b"h\x00R}b.",
        "Would return an unknown object with",
    ),
    "joblib's stand-in for an array, handed back and told another shape": (
        b"\x80\x04" + HANDS_BACK + WRAPPER + b")\x81" + text("x") + b"\x86R}b" + bytes(64) + b".",
        "Has a joblib array of unknown length",
    ),
    "a name from the memo": (
        b"\x80\x04" + text("os") + b"\x940" + text("system") + b"\x940" + b"h\x00h\x01\x93" + text("id") + b"\x85R.",
        "os.system",
    ),
    "a name from a numbered memo": (
        b"\x80\x02" + b"X\x02\0\0\0osq\x07" + b"0X\x06\0\0\0systemr\x09\0\0\x010" + b"h\x07j\x09\0\0\x01\x93)R.",
        "os.system",
    ),
    "a memo numbered in two ways": (
        b"\x80\x04"
        + text("os")
        + b"q\x00"
        + text("system")
        + b"q\x01"
        + text("torch._utils")
        + b"\x94"
        + text("_rebuild_tensor")
        + b"\x94"
        + b"h\x00h\x01\x93)R.",
        "in two ways",
    ),
    "a name from the memo that was written over": (
        b"\x80\x04" + text("numpy") + b"q\x00" + text("os") + b"q\x00" + b"00h\x00" + text("system") + b"\x93)R.",
        "os.system",
    ),
    "a name of old strings": (b"U\x02osU\x06system\x93)R.", "os.system"),
    "a name of escaped strings": (b"S'\\x6fs'\nS'syste\\155'\n\x93)R.", "os.system"),
    "a name of escaped Unicode": (b"V\\u006fs\nVsystem\n\x93)R.", "os.system"),
    "a name of long strings": (b"\x8d\x02\0\0\0\0\0\0\0os\x8d\x06\0\0\0\0\0\0\0system\x93)R.", "os.system"),
    "a name that is duplicated": (b"\x80\x04" + text("eval") + b"2\x93)R.", "eval.eval"),
    "a name that is computed": (
        b"\x80\x04" + named("builtins", "str") + text("os") + b"\x85R" + text("system") + b"\x93)R.",
        "name it computes",
    ),
    "a name in a tuple": (
        b"\x80\x04" + text("os") + text("system") + b"\x86" + text("x") + b"\x93.",
        "name it computes",
    ),
    "a function that is computed": (b"\x80\x04" + named("builtins", "list") + b")R)R.", "function that it computes"),
    "an object of a class": (b"(" + b"cos\nsystem\n" + b"S'id'\no.", "os.system"),
    "an object made anew": (b"\x80\x02cos\nPathLike\n)\x81.", "os.PathLike"),
    "an object made with keywords": (b"\x80\x04" + OS_SYSTEM + b")}\x92.", "os.system"),
    "a function's attributes": (
        b"\x80\x04" + named("numpy", "mean") + b"}" + text("__code__") + text("x") + b"sb.",
        "change numpy.mean itself",
    ),
    "a class that numpy hands back": (
        b"\x80\x04"
        + named("numpy.core.multiarray", "scalar")
        + named("numpy", "dtype")
        + text("O8")
        + b"\x85R"
        + named("sklearn.svm", "SVC")
        + b"\x86R}"
        + text("predict")
        + named("numpy", "mean")
        + b"sb.",
        "unknown object with numpy.core.multiarray.scalar",
    ),
    "an extension": (b"\x80\x02\x82\x05)R.", "extension 5"),
    "an extension with a long number": (b"\x80\x02\x84\x05\0\0\x01.", "extension 16777221"),
    "an object asked of the reader": (b"(lp0\nPid\na.", "ask its reader"),
    "an object asked of the reader in binary": (b"\x80\x02U\x02idQ.", "ask its reader"),
    "a codec": (b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x03\0\0\0hex\x86R.", "codec of its choice"),
    "Python 2's names": (b"c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval"),
    "Python 2's module of commands": (b"ccommands\ngetoutput\n(S'id'\ntR.", "commands.getoutput"),
    "a number of another base before it": (b"I0x10\n0cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a number with a NUL before it": (b"I1\0 apple\n0cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a fraction with a NUL before it": (b"F1.5\0 apples\n0cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a memo's number with zeros": (b"Vos\np" + b"0" * 40 + b"1\n0Nq\x020g1\nVsystem\n\x93(S'id'\ntR.", "os.system"),
    "no protocol": (OS_SYSTEM + text("id") + b"\x85R.", "os.system"),
    "protocol 0 in front of newer opcodes": (b"\x80\x00" + OS_SYSTEM + b")R.", "os.system"),
    "an argument of protocol 0 that is longer than what is looked at first": (
        b"V" + b"a" * 5000 + b"\n0cos\nsystem\n(S'id'\ntR.",
        "os.system",
    ),
    "a text longer than any line": (b"S'" + b"a" * 70_000 + b"'\n0cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a number behind more blanks than are kept": (b"I" + b" " * 70_000 + b"5\n0cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a fraction behind more blanks than are kept": (
        b"F" + b" " * 70_000 + b"5\n0cos\nsystem\n(S'id'\ntR.",
        "os.system",
    ),
    "a long number behind more blanks than are kept": (b"L" + b"\t" * 70_000 + b"5L\n0cos\nsystem\n)R.", "os.system"),
    "a memo's number behind more blanks than are kept": (b"Np" + b" " * 70_000 + b"1\n0" + OS_SYSTEM + b")R.", "long"),
    "a number in front of it": (b"I5\n." + b"cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a constant in front of it": (b"N0cos\nsystem\n(S'id'\ntR.", "os.system"),
    "a name cut off by the end, which Python's own unpickler in Python takes all the same": (
        b"(S'id'\nios\nsystem.",
        "os.system",
    ),
    "a frame behind which joblib reads an array": (
        b"\x80\x04\x95\xff\x0f\0\0\0\0\0\0" + stand_in(3, padded=True) + b"\x01\0abc" + OS_SYSTEM + b".",
        "frame that is longer",
    ),
    "a frame that goes on behind the end": (b"\x80\x04\x95\x09\0\0\0\0\0\0\0N." + OS_SYSTEM, "frame that is longer"),
    "no end": (b"\x80\x04" + OS_SYSTEM + text("id") + b"\x85R", "os.system"),
    "an end that is broken": (b"\x80\x04" + OS_SYSTEM + text("id") + b"\x85R\xff\xff.", "os.system"),
    "a stack that breaks": (b"\x80\x04" + OS_SYSTEM + text("id") + b"\x85R0000", "os.system"),
    "a frame that lies": (b"\x80\x04\x95\x05\0\0\0\0\0\0\0" + OS_SYSTEM + b")R.", "frame that ends within"),
    "a frame that cuts a module that cannot exist": (
        b"\x80\x04\x95\x04\0\0\0\0\0\0\0ca bos\nsystem\n(S'id'\ntR.",
        "frame that ends within",
    ),
    "a second pickle": (pickle.dumps({"honest": 1}) + calling("os", "system"), "os.system"),
    "a pickle behind an old one": (b"(lp0\n." + b"cos\nsystem\n(S'id'\ntR.", "os.system"),
    "many numbers before it": (b"\x80\x04(" + b"K\x01" * 500_000 + OS_SYSTEM + b")Rt.", "os.system"),
    "a long text before it": (
        b"\x80\x04X" + struct.pack("<I", 3_000_000) + bytes(3_000_000) + b"0" + OS_SYSTEM + b")R.",
        "os.system",
    ),
    "long bytes before it": (
        b"\x80\x05\x8e" + struct.pack("<Q", 3_000_000) + bytes(3_000_000) + b"0" + OS_SYSTEM + b")R.",
        "os.system",
    ),
    "an array of joblib before it": (written([np.arange(9)], "joblib")[:-2] + b"0" + OS_SYSTEM + b")R.", "os.system"),
    "a name among an array's objects": (
        written(np.array([1, None], dtype=object), "joblib")[:-2] + b"0" + OS_SYSTEM + b")R..",
        "os.system",
    ),
    "joblib's wrapper made another way": (b"\x80\x04" + WRAPPER + text("x") + b"\x85R.", "differently from joblib"),
    "joblib's wrapper made by another": (
        b"\x80\x04" + named("pandas.core.indexes.base", "_new_Index") + WRAPPER + b"}\x86R.",
        "differently from joblib",
    ),
    "joblib's wrapper without a length": (b"\x80\x04" + WRAPPER + b")\x81}b.", "array of unknown length"),
    "an array longer than its file": (
        written(np.zeros(9), "joblib").replace(b"K\x09\x85", b"K\xff\x85"),
        "Ends before the",
    ),
    "text behind it": (pickle.dumps([1]) + b"#!/bin/sh\nid\n", "other data after"),
}


@pytest.mark.parametrize("code", [b"T", b"B", b"X"])
def test_a_first_argument_of_any_size_is_passed_over(code: bytes) -> None:
    size = 0x09000001
    data = code + struct.pack("<I", size) + bytes(size) + b"0cos\nsystem\n(S'id'\ntR."
    assert [rule for _, rule in faults(data)] == ["unsafe-pickle"]


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_no_trick_hides_what_a_pickle_does(trick: str, piece: int) -> None:
    data, reason = TRICKS[trick]
    assert is_pickle(data[:PEEK])
    assert any(reason in told for _, told in findings(data, max(piece, len(data) // 5000)))
