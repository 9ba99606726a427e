"""What a file's name claims: its content must prove it, whatever it begins with."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle

import joblib
import numpy as np
import pytest

from signoff.artifact import scan
from signoff.artifact.claims import CLAIMS, claim_of, without_compression
from signoff.artifact.content_types import COMPILED, CONTAINERS, FORMATS, UNKNOWN
from signoff.artifact.inspection import inspect
from signoff.artifact.requirements import Requirements
from tests.support.archives import member, tar, zipped
from tests.support.pickled import text
from tests.support.tensor_files import field, safetensors, sample, tensor

MARK = b"cposix\nsystem\n(S'echo'\ntR."
PADDING = (b"", b"V" + b"a" * 5000 + b"\n0", text("x" * 200) + b"0" + b"S'" + b"b" * 5000 + b"'\n0")
HTML = b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head></html>\n"
DISPROVED = ("not-what-it-is-called", "unreadable-onnx", "unreadable-saved-model")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def found(name: str, content: bytes, **requirements: object) -> list[tuple[str | None, str, str]]:
    """Return member, rule and severity of all that is found in an archive with one file."""
    inspection = inspect(
        [gzip.compress(tar(member(name, content)))],
        Requirements(**requirements),  # type: ignore[arg-type]
        scan.scan,
    )
    return [(finding.member, finding.rule, finding.severity) for finding in inspection.findings]


def joblib_file(compress: tuple[str, int] | int) -> bytes:
    buffer = io.BytesIO()
    joblib.dump({"weights": np.ones(300)}, buffer, compress=compress)
    return buffer.getvalue()


@pytest.mark.parametrize("name", [glob for claim in CLAIMS if claim.model for glob in claim.names])
@pytest.mark.parametrize("content", [HTML, b"just some words\n", b"\x7fELF\x02\x01\x01" + bytes(60)])
def test_what_is_no_model_under_the_name_of_one_is_refused(name: str, content: bytes) -> None:
    called = name.replace("*", "x")
    assert {(called, rule, "error") for rule in DISPROVED} & set(found(called, content))


@pytest.mark.parametrize("name", [glob for claim in CLAIMS if claim.model for glob in claim.names])
def test_an_empty_file_under_the_name_of_a_model_is_refused(name: str) -> None:
    called = name.replace("*", "x")
    assert found(called, b"") == [(called, "empty-file", "error")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", pickle.dumps([0.5], 0)),
        ("model.pkl", pickle.dumps("x", 0)),
        ("folder/MODEL.PKL", pickle.dumps([0.5])),
        ("model.pkl.gz", gzip.compress(pickle.dumps([0.5]), mtime=0)),
        ("model_best.pth.tar", sample("state-dict.pt")),
        ("model_best.pth.tar", sample("state-dict.legacy.pth")),
        ("model_best.pth.tar.gz", gzip.compress(sample("checkpoint.legacy.pth"), mtime=0)),
        ("model_best.pth.tar", tar(member("weights", b"words\n"))),
        ("model.pkl.bz2", bz2.compress(pickle.dumps([0.5]))),
        ("model.pkl.xz", lzma.compress(pickle.dumps([0.5]))),
        ("model.joblib", joblib_file(0)),
        ("model.joblib", joblib_file(3)),
        ("model.joblib.z", joblib_file(("zlib", 3))),
        ("model.joblib", joblib_file(("lzma", 3))),
        ("model.safetensors", safetensors({"a": tensor(0, 1)}, 1)),
        ("model.onnx", sample("matmul.onnx")),
        ("1/saved_model.pb", sample("dense.saved_model.pb")),
        ("model.h5", sample("dense.h5")),
        ("x.npy", sample("floats.npy")),
        ("x.npz", zipped(**{"x.npy": sample("floats.npy")})),
        ("model.keras", zipped(**{"config.json": sample("dense.config.json"), "metadata.json": b"{}"})),
        ("config.json", b'{"model_type": "bert", "architectures": ["BertModel"]}'),
        ("config.json", sample("dense.config.json")),
        ("xgboost-model", sample("xgboost.json")),
        ("xgboost-model", sample("xgboost.ubj")),
        ("xgboost-model", pickle.dumps([0.5])),
        ("model.ubj", sample("xgboost.ubj")),
        ("model.json", sample("xgboost.json")),
        ("scores.json", b'{"accuracy": NaN, "words": ["\\"{", "]"]}\n'),
    ],
)
def test_content_that_proves_what_its_name_claims_passes(name: str, content: bytes) -> None:
    assert found(name, content) == []


@pytest.mark.parametrize("name", ["x.pkl", "x.joblib", "x.pt", "pytorch_model.bin"])
@pytest.mark.parametrize(
    "padding", [b"", b"V" + b"a" * 5000 + b"\n0", text("x" * 200) + b"0" + b"S'" + b"b" * 5000 + b"'\n0"]
)
def test_a_pickle_is_read_as_one_where_its_name_says_so_whatever_it_begins_with(name: str, padding: bytes) -> None:
    rules = {rule for _, rule, _ in found(name, padding + MARK)}
    assert rules & {"unsafe-pickle", "unreadable-pickle"}


def test_what_pytorchs_first_versions_unpickle_behind_numbers_is_refused() -> None:
    one, of_no_type, scalar = b"I1\n.", b"(I0\nI0\nNt.", bytes(16)  # how many tensors, and the first of them
    files = {
        "storages": b"I0\n.]." + MARK,
        "tensors": one + of_no_type + scalar + MARK,
        "pickle": b"].",
        "sys_info": b"}.",
    }
    for name in ("model", "model.tar", "model.pth.tar"):
        inner = found(name, tar(*(member(each, content) for each, content in files.items())))
        assert (f"{name} > tensors", "data-after-pickle", "error") in inner
        assert (f"{name} > storages", "unsafe-pickle", "error") in inner


def test_a_model_whose_telling_field_comes_late_is_read_as_its_name_says() -> None:
    late = b"\x32\x80\x40" + b"d" * 8192  # ModelProto.doc_string
    assert found("model.onnx", late + sample("matmul.onnx")) == []
    assert found("model.onnx", late + sample("matmul.onnx")[:-3])[0][1] == "unreadable-onnx"


def test_a_saved_model_in_text_is_refused_even_if_it_reads_as_the_binary_form() -> None:
    text = b'meta_graphs { graph_def { node { op: "WriteFile" } } }'
    # A comment of which the binary form skips the beginning, and reads the end as a graph that does nothing.
    disguise = b"\n#" + b"#" * 35 + field(2, field(2, b""))
    skipped = b"\n " + b" " * 31 + b"\n"
    for name, content in (
        ("saved_model.pbtxt", text),
        ("1/saved_model.pbtxt", disguise + b"\n" + bytes([len(text)]) + text),
        ("saved_model.cpb", skipped + field(2, field(2, b""))),
    ):
        assert found(name, content) == [(name, "unreadable-saved-model", "error")]


def test_what_keras_2_keeps_beside_a_saved_model_is_read_whatever_it_begins_with() -> None:
    late = field(99, "x" * 5000) + sample("lambda.keras_metadata.pb")
    assert ("keras_metadata.pb", "keras-lambda", "error") in found("keras_metadata.pb", late)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (POINTER, "git-lfs-pointer"),
        (b"version https://hawser.github.com/spec/v1\noid sha256:4d\n", "git-lfs-pointer"),
    ],
)
def test_a_pointer_of_git_lfs_is_refused_wherever_it_stands(content: bytes, rule: str) -> None:
    assert found("weights.bin", content) == [("weights.bin", rule, "error")]
    assert rule in {each for _, each, _ in found("model.safetensors", content)}


def test_a_model_that_was_cut_off_is_refused() -> None:
    whole = sample("xgboost.json")
    for name in ("model.json", "xgboost-model", "whatever"):
        assert found(name, whole[: len(whole) // 2]) == [(name, "unreadable-json", "error")]
    binary = sample("xgboost.ubj")
    for name in ("model.ubj", "xgboost-model", "whatever"):
        assert found(name, binary[: len(binary) // 2]) == [(name, "unreadable-ubjson", "error")]
    assert found("scores.json", json.dumps({"a": ["b"] * 9}).encode()[:-2]) == [
        ("scores.json", "unreadable-json", "error")
    ]


def test_binary_data_that_nobody_knows_is_a_warning_and_an_error_under_the_name_of_a_model() -> None:
    assert found("data.idx", bytes(range(256))) == [("data.idx", "unknown-format", "warning")]
    assert found("model.gguf", bytes(range(256))) == [("model.gguf", "not-what-it-is-called", "error")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"GGUF\3\0\0\0", "gguf"),
        (b"\x1c\0\0\0TFL3" + bytes(64), "tflite"),
        (b"\x1c\0\0\0ORTM" + bytes(64), "ort"),
        (b"binf" + bytes(200), "xgboost-binary"),
    ],
)
def test_a_known_format_that_is_not_looked_into_is_a_warning_unless_the_policy_names_it(
    content: bytes, kind: str
) -> None:
    assert found("m", content) == [("m", "not-looked-into", "warning")]
    assert found("m", content, formats=(kind,)) == []
    assert found("m", content, formats=("onnx",)) == [("m", "format-not-allowed", "error")]


@pytest.mark.parametrize(
    ("content", "rule", "kind"),
    [
        (b"\x08\0\0\0PTMF" + bytes(64), "torchscript-flatbuffer", "torchscript-flatbuffer"),
        (b"X\n\0\0\0\x03\0\x04" + bytes(64), "r-object", "r-data"),
        (b"RDX3\nX\n\0\0\0\x03" + bytes(64), "r-object", "r-data"),
    ],
)
def test_a_format_that_runs_code_is_refused_unless_the_policy_names_it(content: bytes, rule: str, kind: str) -> None:
    assert found("m", content) == [("m", rule, "error")]
    assert found("m", content, formats=(kind,)) == [("m", rule, "warning")]
    assert found("m", gzip.compress(content))[0][1] == rule


def test_where_a_policy_lists_formats_an_artifact_without_any_of_them_is_refused() -> None:
    assert found("notes.txt", b"words", formats=("onnx",)) == [(None, "no-model", "error")]


@pytest.mark.parametrize("content", [b"", HTML, b"words", POINTER])
def test_a_required_file_that_is_no_model_is_refused(content: bytes) -> None:
    rules = {rule for _, rule, _ in found("model.bin", content, required_files=("*.bin",))}
    assert rules & {"required-file-no-model", "git-lfs-pointer"}


@pytest.mark.parametrize("name", ["tokenizer.json", "code/inference.py", "README.md", "labels.txt"])
def test_a_required_document_is_no_model_and_need_not_be_one(name: str) -> None:
    content = b"{}" if name.endswith("json") else b"x = 1\n"
    assert found(name, content, required_files=(name,)) == []


def test_the_name_of_compressed_content_is_the_file_s_without_its_suffix() -> None:
    assert [without_compression(name) for name in ("a.pkl.gz", "a.tgz", "a.pkl", "x.PKL.XZ")] == [
        "a.pkl",
        "a.tar",
        "a.pkl",
        "x.PKL",
    ]


def test_a_name_that_no_loader_believes_claims_nothing() -> None:
    assert [claim_of(name) for name in ("README.md", "model", "pkl", "a.pkl/notes.txt", "")] == [None] * 5


def test_every_claim_is_of_a_known_content_type_and_cites_its_loader() -> None:
    known = {*FORMATS, *CONTAINERS, *COMPILED, "json", UNKNOWN}
    for claim in CLAIMS:
        assert set(claim.kinds) <= known, claim.names
        assert claim.document.startswith("https://")
        assert claim.loader


@pytest.mark.parametrize(
    "name", ["saved_model.pbtxt", "1/saved_model.pbtxt", "saved_model.cpb", "m.onnxtxt", "m.textproto"]
)
@pytest.mark.parametrize("content", [b"saved_model_schema_version: 1\nmeta_graphs {\n}\n", b"", bytes(range(200))])
def test_a_protobuf_model_as_text_or_in_chunks_is_refused(name: str, content: bytes) -> None:
    assert found(name, content)[0][1] in {"unreadable-saved-model", "unreadable-onnx", "empty-file"}


def test_a_model_of_core_ml_is_one_by_its_name_and_its_first_bytes_alone() -> None:
    content = b"\x08\x04\x12\x02ab" + bytes(range(200))
    assert found("model.mlmodel", content) == [("model.mlmodel", "not-looked-into", "warning")]
    assert found("model", content) == [("model", "unknown-format", "warning")]
    assert found("model.mlmodel", b"\x0a" + content) == [("model.mlmodel", "not-what-it-is-called", "error")]


# What an unpickler would read as texts, and go on behind.
GO_ON = {"model.cbm": b"CBM1" + b"a" * 64, "rows.parquet": b"PAR1" + b"words\n"}


@pytest.mark.parametrize("name", GO_ON)
def test_what_may_go_on_as_a_pickle_is_what_it_is_called_once_it_is_proven_that_it_does_not(name: str) -> None:
    begin = GO_ON[name] + b"N0" * 3000
    assert found(name, begin + b"\0\xff") == []
    assert found(name, begin) == []
    assert {rule for _, rule, _ in found(name, begin + MARK)} >= {"not-what-it-is-called", "unsafe-pickle"}
    assert ("x.onnx", "not-what-it-is-called", "error") in found("x.onnx", begin + b"\0\xff")


def test_what_does_not_even_begin_as_it_is_called_is_refused_though_it_is_no_pickle() -> None:
    assert ("model.cbm", "not-what-it-is-called", "error") in found("model.cbm", b"C\2ab" + b"N0" * 3000 + b"\0\xff")
