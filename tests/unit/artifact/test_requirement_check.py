"""What a policy may demand of an artifact's contents: files, formats, where code lies, a licence and a model card."""

from __future__ import annotations

import bz2
import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact import scan
from signoff.artifact.content_types import COMPILED, FORMATS
from signoff.artifact.context import ContentSummary
from signoff.artifact.inspection import inspect
from signoff.artifact.report import Inspection
from signoff.artifact.requirement_check import RequirementCheck
from signoff.artifact.requirements import Requirements
from signoff.policy.artifact import Artifact, Code
from tests.support.archives import link, member, tar
from tests.support.tensor_files import safetensors, sample, tensor

ELF = b"\x7fELF\x02\x01\x01" + bytes(60)
PYC = b"\xa7\r\r\n" + bytes(12) + b"\xe3\0\0\0\0"
PICKLE = pickle.dumps({"weights": [0.5]})
TENSORS = safetensors({"a": tensor(0, 1)}, 1)
BINARY = bytes(range(256))
SAVED_MODEL = sample("dense.saved_model.pb")
CARD = b"---\nlicense: mit\n---\n# A model\n"
PYTHON = b"import os\n"


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def held(files: dict[str, bytes], *others: tuple[tarfile.TarInfo, bytes], **policy: Any) -> Inspection:
    """Inspect an archive of `files` and other members, by a policy's `artifact` of these fields."""
    requirements = Artifact(**policy).requirements
    members = [*(member(name, content) for name, content in files.items()), *others]
    return inspect([gzip.compress(tar(*members), mtime=0)], requirements, scan.scan)


def told(
    files: dict[str, bytes], *others: tuple[tarfile.TarInfo, bytes], **policy: Any
) -> list[tuple[str | None, str]]:
    return [(finding.member, finding.rule) for finding in held(files, *others, **policy).findings]


# Forbidden files.


@pytest.mark.parametrize("name", ["model.pkl", "./model.pkl", "in/a/folder/model.pkl"])
def test_a_file_with_a_forbidden_name_is_refused_with_the_pattern(name: str) -> None:
    inspection = held({name: PICKLE}, forbidden_files=("*.txt", "*.pkl"))
    assert [(finding.member, finding.rule) for finding in inspection.findings] == [(name, "forbidden-file")]
    assert "*.pkl" in inspection.findings[0].reason


def test_a_link_with_a_forbidden_name_is_refused() -> None:
    links = (link("model.pkl", "model.txt"), link("again.pkl", "model.txt", "hard"))
    assert told({"model.txt": b"words"}, *links, forbidden_files=("*.pkl",)) == [
        ("model.pkl", "forbidden-file"),
        ("again.pkl", "forbidden-file"),
        ("model.pkl", "symbolic-link"),
        ("again.pkl", "hard-link"),
    ]


@pytest.mark.parametrize("name", ["model.pkl.txt", "pkl", "MODEL.PKL"])
def test_a_name_that_only_resembles_a_forbidden_one_passes(name: str) -> None:
    assert told({name: PICKLE}, member("x.pkl", type=tarfile.DIRTYPE), forbidden_files=("*.pkl",)) == []


# Formats.

MODELS = {
    "safetensors": TENSORS,
    "onnx": sample("matmul.onnx"),
    "xgboost-json": sample("xgboost.json"),
    "xgboost-ubj": sample("xgboost.ubj"),
    "lightgbm": sample("lightgbm.txt"),
    "npy": sample("floats.npy"),
    "hdf5": sample("dense.h5"),
    "pickle": PICKLE,
    "npz": zipped(**{"x.npy": sample("floats.npy")}),
    "pytorch": zipped(model__data_pkl=PICKLE).replace(b"data_pkl", b"data.pkl"),
    "keras": zipped(**{"config.json": sample("dense.config.json"), "metadata.json": b"{}"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_passes_by_its_own_format_and_by_no_other(name: str) -> None:
    files = {"model.txt": MODELS[name]}
    others = [each for each in FORMATS if each != name]
    assert told(files, formats=(name,)) == told(files) == []
    assert told(files, formats=others) == [("model.txt", "format-not-allowed")]


@pytest.mark.parametrize(
    "content",
    [b"words", b'{"a": 1}', b"", b"a,b\n1,2\n", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n"],
    ids=["text", "JSON", "nothing", "CSV", "an image", "a document"],
)
def test_what_is_no_model_passes_whatever_formats_are_allowed(content: bytes) -> None:
    files = {"notes": content, "code/inference.py": PYTHON, "model.onnx": sample("matmul.onnx")}
    assert told(files, formats=("onnx",)) == []


def test_binary_data_of_no_known_format_is_refused_unless_it_is_allowed() -> None:
    inspection = held({"weights": BINARY}, formats=("onnx", "gguf"))
    assert [finding.rule for finding in inspection.findings] == ["format-not-allowed"]
    assert inspection.findings[0].reason == "Is binary data of an unknown format; the policy allows onnx and gguf"
    assert told({"weights": BINARY}, formats=("onnx", "unknown")) == []


@pytest.mark.parametrize("wrap", [gzip.compress, bz2.compress, lambda data: tar(member("in", data))])
def test_what_lies_in_a_container_is_checked_in_the_same_way(wrap: Any) -> None:
    [(inner, rule)] = told({"a": wrap(PICKLE)}, formats=("onnx",))
    assert rule == "format-not-allowed"
    assert inner.startswith("a > ")
    assert told({"a": wrap(PICKLE)}, formats=("pickle",)) == []
    assert told({"a": wrap(wrap(BINARY))}, formats=("pickle",))[0][1] == "format-not-allowed"


def test_the_parts_of_a_format_are_of_that_format() -> None:
    assert told({"m": zipped(model__data_pkl=PICKLE, model__x=BINARY)}, formats=("pytorch",)) != []
    whole = zipped(**{"model/data.pkl": PICKLE, "model/data/0": BINARY, "model/version": b"3\n"})
    assert told({"m": whole}, formats=("pytorch",)) == []
    arrays = io.BytesIO()
    np.savez(arrays, a=np.array([{"x": 1}], dtype=object))
    assert told({"m": arrays.getvalue()}, formats=("npz",)) == []


@pytest.mark.parametrize("folder", ["", "1/", "export/1/"])
def test_what_tensorflow_writes_beside_a_saved_model_is_of_it(folder: str) -> None:
    beside = {
        "fingerprint.pb": b"\x08\xb0\x9f\xc1\xff\xff",
        "keras_metadata.pb": sample("dense.keras_metadata.pb"),
        "variables/variables.index": b"\0\0\x12\x08\x01",
        "variables/variables.data-00000-of-00001": BINARY,
    }
    files = {f"{folder}{name}": content for name, content in beside.items()}
    model = {f"{folder}saved_model.pb": SAVED_MODEL}
    assert (
        told({**files, **model}, formats=("saved_model",)) == told({**model, **files}, formats=("saved_model",)) == []
    )
    assert told({**files, f"{folder}other": b"\xff\xfe"}, formats=("saved_model",)) == [
        (f"{folder}other", "format-not-allowed"),
        *((name, "format-not-allowed") for name in files),
    ]
    assert told({**model, **files}, formats=("onnx",))[0][1] == "format-not-allowed"
    elsewhere = {"not/here/saved_model.pb": SAVED_MODEL, **files}
    assert len(told(elsewhere, formats=("saved_model",))) == len(files)


@pytest.mark.parametrize("folder", ["", "1/"])
@pytest.mark.parametrize("pack", [lambda files: zipped(**files), lambda files: gzip.compress(packed_tar(files))])
def test_what_tensorflow_writes_is_known_in_an_archive_within_too(folder: str, pack: Callable[[Any], bytes]) -> None:
    beside = {"variables/variables.index": b"\0\0\x12\x08\x01", "variables/variables.data-00000-of-00001": BINARY}
    files = {f"{folder}{name}": content for name, content in beside.items()}
    model = {f"{folder}saved_model.pb": SAVED_MODEL}
    for order in ({**files, **model}, {**model, **files}):
        assert told({"m": pack(order)}) == told({"m": pack(order)}, formats=("saved_model",)) == []
    first = f"m > {folder}variables/variables.index"
    for without in (files, {"not/here/saved_model.pb": SAVED_MODEL, **files}):
        assert [(str(name).replace("gzip > ", ""), rule) for name, rule in told({"m": pack(without)})] == [
            (first, "unknown-format")
        ]


def packed_tar(files: dict[str, bytes]) -> bytes:
    return tar(*(member(name, content) for name, content in files.items()))


# Code.

USUAL = ["code/inference.py", "code/lib/deep.py", "model/code/x.py", "model.py", "1/model.py", "densenet/12/model.py"]
USUAL += ["inference.py", "model/inference.py", "llm/model.py"]
UNUSUAL = ["predict.py", "inference/x.py", "modeling_custom.py", "scripts/run.py", "codes/x.py", "lib/1.py", "x/code"]


@pytest.mark.parametrize("name", USUAL)
def test_python_lies_by_default_where_sagemakers_containers_look_for_it(name: str) -> None:
    assert told({name: PYTHON}) == []
    assert told({name: PYTHON}, code=Code(python=("src/*",))) == [(name, "code-out-of-place")]


@pytest.mark.parametrize("name", UNUSUAL)
def test_python_elsewhere_is_refused_unless_the_policy_lists_the_place(name: str) -> None:
    assert told({name: PYTHON}) == [(name, "code-out-of-place")]
    assert told({name: PYTHON}, code=Code(python=(name,))) == []


@pytest.mark.parametrize("content", [b'"""Nothing but a text."""\n', b"caf\xe9 = 1\n", b'{"a": __import__("os")}\n'])
def test_what_python_would_import_by_its_name_is_python(content: bytes) -> None:
    assert ("hidden.py", "code-out-of-place") in told({"hidden.py": content})
    assert {rule for _, rule in told({"hidden.txt": content})} <= {"unknown-format"}


def test_a_link_that_makes_python_of_a_text_is_refused() -> None:
    words = {"notes.txt": b"'words'\n"}
    refused = ("notes.py", "code-out-of-place")
    assert refused in told(words, link("notes.py", "notes.txt"))
    assert refused not in told(words, link("code/notes.py", "../notes.txt"))


def test_an_empty_module_is_no_code() -> None:
    assert told({"package/__init__.py": b""}) == []


@pytest.mark.parametrize(("name", "content"), [("setup", b"#!/bin/sh\nid\n"), ("run.sh", b"id\n")])
def test_scripts_lie_beside_the_code_only(name: str, content: bytes) -> None:
    assert told({name: content}) == [(name, "code-out-of-place")]
    assert told({f"code/{name}": content}) == []
    assert told({f"code/{name}": content}, code=Code(scripts=())) == [(f"code/{name}", "code-out-of-place")]


COMPILED_FILES = {
    "ELF": ELF,
    "python bytecode": PYC,
    "class file": b"\xca\xfe\xba\xbe\0\0\0\x3d",
    "wasm": b"\0asm\x01\0\0\0",
    "PE": b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0",
    "Mach-O": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
    "jar": zipped(**{"META-INF/MANIFEST.MF": b"x", "A.class": b"\xca\xfe\xba\xbe\0\0\0\x3d"}),
}


@pytest.mark.parametrize("kind", COMPILED_FILES)
@pytest.mark.parametrize("name", ["model", "code/lib/op.txt"])
def test_compiled_code_lies_nowhere_unless_the_policy_lists_the_place(kind: str, name: str) -> None:
    inspection = held({name: COMPILED_FILES[kind]})
    assert [(finding.member, finding.rule) for finding in inspection.findings] == [(name, "compiled-code")]
    assert kind in inspection.findings[0].reason
    assert told({name: COMPILED_FILES[kind]}, code=Code(compiled=(name,))) == []


def test_every_kind_of_compiled_code_is_tried_here() -> None:
    assert COMPILED_FILES.keys() == COMPILED


def test_code_within_a_file_lies_where_the_file_does() -> None:
    inner = zipped(**{"a/handler": PYTHON, "lib": ELF})
    assert told({"model.box": inner}) == [
        ("model.box > a/handler", "code-out-of-place"),
        ("model.box > lib", "compiled-code"),
    ]
    assert told({"code/model.box": inner}) == [("code/model.box > lib", "compiled-code")]
    assert told({"code/model.box": gzip.compress(inner)}, code=Code(compiled=("code/*",))) == []


def test_torchserves_archives_bring_their_code() -> None:
    inner = zipped(**{"MAR-INF/MANIFEST.json": b"{}", "handler.py": PYTHON, "lib": ELF})
    inspection = held({"model.mar": inner})
    assert [(finding.member, finding.rule) for finding in inspection.findings] == [("model.mar > lib", "compiled-code")]
    assert [entry.kind for entry in inspection.inventory] == ["mar"]


def test_code_in_the_folder_code_of_an_archive_within_lies_where_it_may() -> None:
    inner = gzip.compress(zipped(**{"code/handler": PYTHON, "./code/more/handler": PYTHON}))
    assert told({"model.box": inner}) == []
    assert told({"model.box": inner}, code=Code(python=())) == [
        ("model.box > gzip > code/handler", "code-out-of-place")
    ]
    beside = zipped(**{"code/handler": PYTHON, "codex/handler": PYTHON})
    assert told({"model.box": beside}) == [("model.box > codex/handler", "code-out-of-place")]


def test_compiled_code_is_found_within_a_models_format_too() -> None:
    whole = zipped(**{"model/data.pkl": PICKLE, "model/data/0": ELF})
    assert told({"m": whole}) == [("m > model/data/0", "compiled-code")]


# Licence and model card.


@pytest.mark.parametrize("name", ["LICENSE", "licence", "Copying", "LICENSE.txt", "License.MD", "./COPYING.md"])
def test_a_licence_at_the_top_is_found(name: str) -> None:
    assert told({"model": b"x", name: b"MIT"}, licence=True) == []


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"docs/LICENSE": b"MIT"},
        {"LICENSE.rst": b"MIT"},
        {"LICENSED": b"MIT"},
        {"LICENSE": b""},
        {"COPYING.txt": b" \n\t\n"},
    ],
    ids=lambda files: str(list(files)),
)
def test_an_archive_without_a_licence_or_with_a_blank_one_is_refused(files: dict[str, bytes]) -> None:
    assert told({"model": b"x", **files}, licence=True) == [(None, "licence-missing")]
    assert told({"model": b"x", **files}) == []


def test_of_two_licences_one_is_enough_and_an_empty_one_is_named() -> None:
    assert told({"LICENSE": b"", "COPYING": b"GPL"}, licence=True) == []
    assert "; LICENSE is blank" in held({"LICENSE": b""}, licence=True).findings[0].reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", CARD),
        ("readme.md", b"\xef\xbb\xbf---\r\n# YAML\r\n\r\nlicense: mit\r\n---\r\n"),
        ("MODEL_CARD.md", b"# A model\n"),
        ("model-card.md", b"# A model\n"),
        ("ModelCard.json", b'{"model_overview": {"model_name": "a"}}'),
    ],
)
def test_a_model_card_at_the_top_is_found(name: str, content: bytes) -> None:
    assert told({"model": b"x", name: content}, model_card=True) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", b"# A model\n"),
        ("README.md", b"---\n---\n# A model\n"),
        ("README.md", b"\n---\nlicense: mit\n---\n"),
        ("README.txt", CARD),
        ("docs/README.md", CARD),
        ("MODEL_CARD.md", b"\n"),
        ("MODEL_CARD.json", b" { } "),
        ("MODEL_CARD.json", b"words"),
        ("MODEL_CARD_TEMPLATE.md", b"# A model\n"),
    ],
)
def test_what_is_no_model_card_or_a_blank_one_is_refused(name: str, content: bytes) -> None:
    assert (None, "model-card-missing") in told({"model": b"x", name: content}, model_card=True)


def test_of_a_broken_archive_nothing_is_said_to_be_missing() -> None:
    data = gzip.compress(tar(member("a", b"x")))[:-20]
    inspection = inspect([data], Requirements(licence=True, model_card=True), scan.scan)
    assert [finding.rule for finding in inspection.findings] == ["truncated-gzip"]


# Whatever comes, in whatever order.

NAMES = st.sampled_from(["LICENSE", "README.md", "1/saved_model.pb", "1/variables/variables.index", "code/a.py", "x"])
THINGS = st.sampled_from([*sorted(COMPILED), *FORMATS, "text", "python source", "zip", None])


@given(st.dictionaries(NAMES, THINGS), st.randoms(), st.lists(st.sampled_from(FORMATS), max_size=3))
def test_the_order_of_the_files_changes_nothing(files: dict[str, Any], random: Any, formats: list[str]) -> None:
    def judged(names: list[str]) -> list[Any]:
        check = RequirementCheck(Requirements(formats=formats, licence=True, model_card=True))
        found = [fault for name in names for fault in check.content(name, ContentSummary(files[name], b"x"))]
        return sorted([*found, *check.all_together(lambda _: True)], key=str)

    shuffled = list(files)
    random.shuffle(shuffled)
    assert judged(shuffled) == judged(sorted(files))


@given(st.text(max_size=300), THINGS, st.lists(st.text(max_size=20), max_size=4))
def test_whatever_a_file_is_called_and_whatever_the_globs_are_it_is_checked(
    name: str, kind: Any, globs: list[str]
) -> None:
    check = RequirementCheck(Requirements(forbidden_files=globs, formats=("onnx",)))
    found = [
        *check.named(name),
        *check.content(
            name,
            ContentSummary(kind, b"", {("ELF", False): f"{name} > x", ("python source", True): f"{name} > code/x"}),
        ),
        *check.all_together(lambda _: True),
    ]
    assert {each.rule for each in found} <= {
        "no-model",
        "forbidden-file",
        "format-not-allowed",
        "code-out-of-place",
        "compiled-code",
    }
