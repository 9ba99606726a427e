"""Content types detected by their bytes alone, and the types in an archive."""

from __future__ import annotations

import gzip
import importlib.util
import io
import marshal
import tarfile
import time
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact import scan
from signoff.artifact.content_types import FORMATS
from signoff.artifact.context import ScanContext
from signoff.artifact.detection import kind_of
from signoff.artifact.inspection import inspect, inspect_file
from signoff.artifact.report import MAX_INVENTORY, Inspection
from signoff.artifact.zip.entry_names import EntryNames
from tests.support.archives import link, member, tar
from tests.support.scans import BoundedChunks
from tests.support.tensor_files import npy, safetensors, sample, tensor

KINDS = {
    "floats.npy": "npy",
    "tensors.safetensors": "safetensors",
    "empty.safetensors": "safetensors",
    "matmul.onnx": "onnx",
    "sklearn.onnx": "onnx",
    "dense.h5": "hdf5",
    "xgboost.json": "xgboost-json",
    "xgboost.ubj": "xgboost-ubj",
    "lightgbm.txt": "lightgbm",
    "mxnet.params": "mxnet",
    "dense.config.json": "json",
    "README.md": "text",
}
HEADS = {
    "pickle": b"\x80\x04\x95\x00",
    "zip": b"PK\x03\x04" + bytes(26) + b"config.json",
    "gguf": b"GGUF\x03\0\0\0",
    "ELF": b"\x7fELF\x02\x01",
    "PE": b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0",
    "Mach-O": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
    "class file": b"\xca\xfe\xba\xbe\0\0\0\x3d",
    "wasm": b"\0asm\x01\0\0\0",
    "tflite": b"\x1c\0\0\0TFL3",
    "saved_model": b"\x08\x01\x12\x20\x0a\x1e",
    "shell script": b"#!/bin/sh\nrm -rf /\n",
    "lightgbm": b"tree\r\n\nknown to nobody\0\nnum_class=1\n",
    "xgboost-ubj": b"{L" + bytes(7) + b"\1ai\1L" + bytes(7) + b"\7learner{",
    "xgboost-json": b'{"learner": {}, "version": [3, 2, 0]}\0',
    "catboost": b"CBM1\0\0\0\0",
    "parquet": b"PAR1\x15\x04",
    "python bytecode": b"\xa7\r\r\n\0\0\0\0" + bytes(8) + b"\xe3\0\0\0\0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "python source": b'"""A module."""\nimport os\n',
    "json": b' {"a": 1}',
    "text": "Größe: 3\nimport the model, then\n".encode(),
    "empty": b"",
    "tar": bytes(257) + b"ustar\x0000",
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_sample_is_named_by_its_kind(name: str, kind: str) -> None:
    assert kind_of(sample(name)[:4096]) == kind


@pytest.mark.parametrize(("kind", "head"), HEADS.items())
def test_content_is_named_by_its_kind(kind: str, head: bytes) -> None:
    assert kind_of(head) == kind


def test_text_that_is_cut_inside_a_character_is_text() -> None:
    assert kind_of("größe".encode()[:4]) == "text"
    assert kind_of(("x" * 50 + "€").encode()[:-1]) == "text"


def test_content_of_no_known_kind_has_no_name() -> None:
    assert kind_of(bytes(range(256))) is None


@given(st.sampled_from(["pickle", "gguf", "ELF", "wasm", "shell script", "tflite"]), st.binary(max_size=4000))
def test_what_follows_a_magic_does_not_change_its_kind(kind: str, more: bytes) -> None:
    assert kind_of(HEADS[kind] + more) == kind


def test_formats_written_by_hand_have_the_names_of_real_ones() -> None:
    assert kind_of(safetensors({"a": tensor(0, 1)}, 1)) == "safetensors"
    assert kind_of(npy("{}")) == "npy"


# Code.

SOURCES = {
    "an import": "import os\n",
    "an import behind a comment": "# a comment\nimport os, sys\n",
    "an import behind a docstring": '"""Says what it is."""\nimport os.path\n',
    "an import by another name": "x = 1\nimport numpy as np\n",
    "an import of a name": "x = 1\nfrom . import x\n",
    "a function": "x = 1\ndef model_fn(model_dir):\n    return x\n",
    "a class": "class Model(Base):\n    x = 1\n",
    "a class of nothing": "class Model:\n    x = 1\n",
    "a shebang": "#!/usr/bin/env python3\nprint(1)\n",
}
PROSE = {
    "a licence": "You may not use or export it in breach of any\nimport laws, or of export laws.\n",
    "one word at a line's end": "what is subject to export and\nimport restrictions\n",
    "labels": "class 0: cat\nclass 1: dog\n",
    "YAML": "class: model.Model\nimport: yes\nfrom: here\n",
    "a heading": "class imbalance: one in a hundred\n",
    "Markdown with code": "# How to use\n\n```python\nimport joblib\n```\n",
    "an INI file": "[import]\nclass = x\n",
    "tokens": "i n\nimport ant\nde f\ncla ss\n",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_python_is_detected_by_its_statements(source: str) -> None:
    assert kind_of(source.encode()) == kind_of(source.replace("\n", "\r\n").encode()) == "python source"


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_text_that_only_has_words_of_python_is_text(text: str) -> None:
    assert kind_of(text.encode()) == "text"


def test_a_script_is_one_whatever_lies_behind_it() -> None:
    assert kind_of(b"#!/bin/sh\nexec tail -c +30 $0\n" + bytes(range(256))) == "shell script"


@pytest.mark.parametrize("fields", [0, 4, 8, 12], ids=["before 3.3", "before 3.7", "checked by time", "longest"])
def test_bytecode_is_detected_by_its_magic_number_and_the_code_behind_it(fields: int) -> None:
    code = marshal.dumps(compile("x = 1", "m.py", "exec"))
    assert kind_of(importlib.util.MAGIC_NUMBER + bytes(fields) + code) == ("python bytecode" if fields else None)
    assert kind_of(b"ab\r\n" + b"cell\r\n" * 9) == "text"


@pytest.mark.parametrize("data", ['{"version": 0.5}', '{"version": "2.0"}', '{"learner": 1}', '{"config": {}}'])
def test_json_that_only_resembles_a_booster_is_json(data: str) -> None:
    assert kind_of(data.encode()) == "json"


# Zip archives.

ZIPS = {
    "npz": ["x.npy", "format.npy"],
    "skops": ["1.npy", "schema.json"],
    "keras": ["metadata.json", "config.json", "model.weights.h5"],
    "pytorch": ["model/data.pkl", "model/byteorder", "model/data/0", "model/version"],
    "torchscript": ["m/data.pkl", "m/code/__torch__.py", "m/constants.pkl", "m/version"],
    "jar": ["Main.class", "META-INF/MANIFEST.MF", "schema.json"],
    "zip": ["config.json", "data.pkl", "x.npy", "in/schema.json", "META-INF/x"],
}


def zipped(*names: str, content: bytes = b"{}") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def looked_at(data: bytes) -> ScanContext:
    where = ScanContext("m", lambda *_: None)
    scan.scan(BoundedChunks(data), where)
    return where


@pytest.mark.parametrize(("kind", "names"), ZIPS.items())
def test_a_zip_archive_is_named_by_its_entries_in_any_order(kind: str, names: list[str]) -> None:
    assert looked_at(zipped(*names)).summary.kind == looked_at(zipped(*reversed(names))).summary.kind == kind


def test_a_zip_archive_without_an_entry_is_no_format() -> None:
    assert looked_at(zipped()).summary.kind == "zip"


@given(st.lists(st.binary(max_size=20)))
def test_whatever_the_entries_are_called_a_jar_is_one(names: list[bytes]) -> None:
    assert EntryNames([*names, b"META-INF/MANIFEST.MF"]).kind == "jar"
    assert EntryNames(names).kind in (*FORMATS, "zip", "jar")


def test_what_lies_within_is_known_by_kind_and_a_formats_own_parts_are_its_own() -> None:
    arrays = io.BytesIO()
    np.savez(arrays, a=np.arange(3), b=np.arange(4))
    inner = zipped("a.txt", "b.txt", content=b"words")
    data = tar(member("arrays", arrays.getvalue()), member("x/z.zip", inner), member("s", b"#!/bin/sh\n"))
    summary = looked_at(gzip.compress(data)).summary
    assert (summary.kind, summary.within) == (
        "gzip",
        {
            ("tar", False): "m > gzip",
            ("npz", False): "m > gzip > arrays",
            ("zip", False): "m > gzip > x/z.zip",
            ("text", False): "m > gzip > x/z.zip > a.txt",
            ("shell script", False): "m > gzip > s",
        },
    )


def test_what_is_compiled_is_known_wherever_it_lies() -> None:
    data = zipped("model/data.pkl", "model/lib.so", content=HEADS["ELF"])
    assert looked_at(gzip.compress(data)).summary.within == {
        ("pytorch", False): "m > gzip",
        ("ELF", False): "m > gzip > model/data.pkl",
    }


# The inventory.


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> Inspection:
    return inspect([gzip.compress(tar(*members))], scan=scan.scan)


def test_each_member_and_all_together_are_listed_by_kind() -> None:
    inspection = packed(
        member("code", type=tarfile.DIRTYPE),
        member("code/inference.txt", b"import os\n"),
        member("model.txt", safetensors({"a": tensor(0, 1)}, 1)),
        member("noise", bytes(range(256))),
        member("notes.md", b"words"),
        member("more.md", b"more words"),
        member("empty"),
        link("latest", "model.txt"),
    )
    kinds_of = {entry.name: entry.kind for entry in inspection.inventory}
    assert kinds_of == {
        "code": None,
        "code/inference.txt": "python source",
        "model.txt": "safetensors",
        "noise": "unknown",
        "notes.md": "text",
        "more.md": "text",
        "empty": "empty",
        "latest": None,
    }
    document: dict[str, Any] = inspection.document()
    assert document["kinds"]["text"] == {"members": 2, "size": 15}
    assert sum(each["members"] for each in document["kinds"].values()) == 6
    assert document["inventory"][1]["kind"] == "python source"


def test_the_totals_are_of_all_members_where_the_list_is_not() -> None:
    inspection = packed(*(member(f"{number:05}", b"x") for number in range(MAX_INVENTORY + 5)))
    assert inspection.kinds == {"text": (MAX_INVENTORY + 5, MAX_INVENTORY + 5)}
    assert len(inspection.inventory) == MAX_INVENTORY
    assert {entry.kind for entry in inspection.inventory} == {"text"}


def test_a_lone_file_is_listed_with_its_kind() -> None:
    inspection = inspect_file([b"GGUF", b"\3\0\0\0"], "weights", scan.scan)
    assert [(entry.name, entry.size, entry.kind) for entry in inspection.inventory] == [("weights", 8, "gguf")]
    assert inspection.kinds == {"gguf": (1, 8)}


@pytest.mark.parametrize(
    "repeated", [b" \t\r\n", b"<!-- ", b"<!---->", b"<?xml >", b"{ ", b"[ ", b"import ", b"\n#!", b'" : ']
)
def test_no_beginning_takes_long_to_tell(repeated: bytes) -> None:
    head = (repeated * 4096)[:4096]
    begun = time.monotonic()
    for _ in range(5):
        kind_of(head)
    assert time.monotonic() - begun < 0.5
