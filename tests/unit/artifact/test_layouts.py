"""Folders of models as libraries and servers have them pass, and are known for what they are."""

from __future__ import annotations

import io
import tarfile
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from signoff.artifact.claims import claim_of
from signoff.artifact.report import Inspection
from tests.corpus.layouts.judged import EXPLAINED, SAMPLES, Files, explained_rules, of_archive, of_folder

LAYOUTS = sorted(SAMPLES.glob("*.tar.gz"))
# By how a layout and a file begin and end: what approvers are warned of, which is true of each.
WARNED = {
    ("mlflow-*", "conda.yaml"): {"unpinned-requirement"},
    ("mlflow-*", "python_env.yaml"): {"unpinned-requirement"},
    ("mlflow-*", "requirements.txt"): {"unhashed-requirement"},
    ("servers-*", "*requirements.txt"): {"unhashed-requirement"},
    ("keras-2-*", "checkpoint-of/*"): {"unknown-format"},
    ("libraries-blazingtext", "model.bin"): {"not-looked-into"},
    ("libraries-spacy", "tokenizer"): {"unknown-format"},
    ("libraries-spacy", "vocab/*"): {"unknown-format"},
}
# What has no kind of its own: it is told (above), or belongs to the SavedModel that it lies in.
UNKNOWN = ("*/variables/variables.*", "*/fingerprint.pb", "*/keras_metadata.pb")
# What a loader reads by another name than the table of claims has.
READ = {
    "*/pytorch_model*.bin": "pytorch",
    "mlflow-lightgbm-booster/model.lgb": "lightgbm",
    "mlflow-sklearn-pickle/model.pkl": "pickle",
    "mlflow-xgboost/*.ubj": "xgboost-ubj",
    "servers-jumpstart/model.txt": "lightgbm",
    "servers-torchserve/*.mar": "mar",
    "servers-xgboost_container/json/xgboost-model": "xgboost-json",
    "servers-xgboost_container/pickled/xgboost-model": "pickle",
    "servers-xgboost_container/saved/xgboost-model": "xgboost-ubj",
    "keras-*-files/model.keras": "keras",
    "hugging-face-sentencepiece/spiece.model": "sentencepiece",
    "libraries-blazingtext/model.bin": "fasttext",
    "mlflow-sklearn-skops/model.skops": "skops",
}


def name_of(path: Path) -> str:
    return path.name.removesuffix(".tar.gz")


@cache
def unpacked(path: Path) -> Files:
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive}


@cache
def inspected(path: Path) -> tuple[Inspection, Inspection]:
    return of_folder(unpacked(path)), of_archive(unpacked(path))


def warned(layout: str, member: str) -> set[str]:
    return {
        rule
        for (of, file), rules in WARNED.items()
        for rule in rules
        if fnmatchcase(layout, of) and fnmatchcase(member, file)
    }


@pytest.mark.parametrize("path", LAYOUTS, ids=name_of)
def test_a_layout_passes_but_for_what_the_documentation_explains(path: Path) -> None:
    for inspection in inspected(path):
        refused = {(each.member or "", each.rule) for each in inspection.findings if each.severity == "error"}
        assert {
            (member, rule) for member, rule in refused if rule not in explained_rules(name_of(path), member)
        } == set()


@pytest.mark.parametrize("path", LAYOUTS, ids=name_of)
def test_approvers_are_warned_of_nothing_else_than_what_is_so(path: Path) -> None:
    for inspection in inspected(path):
        told = {(each.member or "", each.rule) for each in inspection.findings if each.severity == "warning"}
        assert {(member, rule) for member, rule in told if rule not in warned(name_of(path), member)} == set()


@pytest.mark.parametrize("path", LAYOUTS, ids=name_of)
def test_each_file_that_a_loader_reads_is_known_for_what_that_loader_reads(path: Path) -> None:
    for inspection in inspected(path):
        assert len(inspection.inventory) == len(unpacked(path))
        for entry in inspection.inventory:
            full, claim = f"{name_of(path)}/{entry.name}", claim_of(entry.name)
            kind = next((kind for pattern, kind in READ.items() if fnmatchcase(full, pattern)), None)
            if kind or claim:
                assert entry.kind in ((kind,) if kind else claim.kinds), full
            elif "unknown-format" not in warned(name_of(path), entry.name):
                assert entry.kind != "unknown" or any(fnmatchcase(full, pattern) for pattern in UNKNOWN), full


def test_the_tables_here_speak_of_layouts_that_are_there() -> None:
    there = [(name_of(path), member) for path in LAYOUTS for member in unpacked(path)]
    patterns = [*READ, *UNKNOWN, *(f"{of}/{file}" for of, file in WARNED), *(f"{of}*{file}" for of, file in EXPLAINED)]
    full = [f"{of}/{member}" for of, member in there]
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in full)] == []
    assert len(LAYOUTS) >= 40


@pytest.mark.parametrize(("begins", "ends"), EXPLAINED)
def test_what_the_documentation_explains_is_refused_indeed(begins: str, ends: str) -> None:
    paths = [path for path in LAYOUTS if name_of(path).startswith(begins)]
    found = [each for path in paths for each in inspected(path)[0].findings if each.severity == "error"]
    rules = {each.rule for each in found if (each.member or "").partition(" > ")[0].endswith(ends)}
    assert rules
    assert rules <= EXPLAINED[begins, ends]
