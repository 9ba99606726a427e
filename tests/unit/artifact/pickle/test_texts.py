"""What begins like a pickle and is none, and what breaks after it has named something."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.support.pickled import findings
from tests.support.scans import faults, scanned

TEXTS = [
    b"",
    b"N.B. this is a text",
    b"(a) the first\n(b) the second\n",
    b"(N.B.) a remark",
    b"I love pickles\n.",
    b"cat\ndog\nbird\n",
    b"cat\ndog\n",
    b"cat\ndog",
    b"Very long: " + b"word " * 20_000,
    b"S" + b"long text " * 20_000,
    b"It is a long line" * 9000 + b"\n",
    b"Features\n" + b"f" * 70_000,
    b"Cats and dogs\nI5\n",
    b"Product,price\n1,2\n",
    b"]. The end",
    b"K1. First",
    b"X-Header: of a message\n" * 40,
    b"Text\n" * 500,
    b"Batch 1 of 5\n" * 100,
    b'{"json": [1, 2, 3]}',
    b"import os\nimport sys\n",
    b"class Model:\n    pass\n",
    b"label,score\n1,2\n",
    b"\x80\x81\x82",
    b"\x80\x06N.",
    b"\x89HDF\r\n\x1a\n",
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }",
    b"PK\x03\x04",
    bytes(4096),
    np.random.RandomState(0).standard_normal(512).tobytes(),
    np.linspace(0, 1, 512).tobytes(),
]


RECORD = "".join(f"{{0}}-1.0.dist-info/{number},sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQr,4\n" for number in range(100))
# What begins as pickles do, and breaks before anything is named.
ALIKE = {
    **{f"a list of files in {name}": RECORD.format(name).encode() for name in ("click", "jsonschema", "IPython")},
    "a bitmap": b"BM\x36\x10\x01\0\0\0\0\0\x36\0\0\0\x28" + bytes(70_000),
    "a font": b"\x80\x01e\x05\0\0%!PS-AdobeFont-1.0" + b"x" * 600,
    "notes that begin with a number": b"I have seen this before\n" * 100,
    "Python that begins with a class": b"class AnError(Exception): ...\nclass Another(AnError): ...\n" * 20,
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_breaks_before_it_names_anything_is_left_alone(name: str) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, Python loads nothing of it
        pickle.loads(ALIKE[name])  # noqa: S301 - written above
    assert scanned(ALIKE[name]) == []


@pytest.mark.parametrize("end", [b"\xff", b"0000000", b"t", b""])
def test_what_breaks_after_it_named_something_is_reported(end: bytes) -> None:
    assert ("m", "unsafe-pickle") in faults(b"cos\nsystem\n(S'id'\ntR" + end)


@pytest.mark.parametrize("content", TEXTS, ids=lambda content: repr(content[:16]))
def test_what_only_begins_like_a_pickle_is_none(content: bytes) -> None:
    assert not [rule for _, rule, _ in scanned(content) if "pickle" in rule]
    assert {rule for rule, _ in findings(content)} <= {"not-what-it-is-called"}
