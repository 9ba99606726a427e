"""Every field that is read of packages and models, each a case of the test that docs/coverage.md names for it."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from signoff.aws.sagemaker import Registry
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from signoff.report.document import document
from signoff_cli.packages.index import Filter, list_packages
from signoff_cli.packages.index import with_sagemaker as listed_with
from signoff_cli.packages.sagemaker import to_json_data
from signoff_cli.packages.sagemaker import with_sagemaker as shown_with
from tests.support import entries
from tests.support.clock import Clock
from tests.support.coverage import proven_by
from tests.support.fakes import FakeLedger
from tests.support.field_paths import at, filled, paths, service_model
from tests.support.filled_sagemaker import FilledSageMaker
from tests.support.shapes import Document

MODEL_NAME = "churn-v3"
SHOWN = entries.history(*entries.APPROVED, entries.model_created(MODEL_NAME))


def fields(test: str) -> pytest.MarkDecorator:
    """A case for each field whose row names that test of this file."""
    return pytest.mark.parametrize("path", proven_by(f"tests/unit/pipeline/test_every_field_read.py::{test}"))


@cache
def shown() -> Document:
    """What `signoff show --json` prints where SageMaker's answers hold all that they may hold."""
    printed, notes = shown_with(document(SHOWN), Registry(FilledSageMaker()))
    assert notes == []
    read: Document = json.loads(json.dumps(printed))
    return read


@cache
def answer(call: str) -> Any:
    """An answer to a call with all that it may hold, as JSON has it."""
    return to_json_data(filled(service_model().operation_model(call).output_shape))


@fields("test_show_prints_all_that_describe_model_package_answers")
def test_show_prints_all_that_describe_model_package_answers(path: str) -> None:
    assert at(shown(), f"registry.{path}") == at(answer("DescribeModelPackage"), path) != []


@fields("test_show_prints_all_that_describe_model_answers")
def test_show_prints_all_that_describe_model_answers(path: str) -> None:
    assert at(shown(), f"model.described.{path}") == at(answer("DescribeModel"), path) != []


@fields("test_show_asks_for_the_package_and_the_model_by_their_names")
def test_show_asks_for_the_package_and_the_model_by_their_names(path: str) -> None:
    sagemaker = FilledSageMaker()
    shown_with(document(SHOWN), Registry(sagemaker))

    asked = {name: value for request in sagemaker.asked.values() for name, value in request.items()}

    expected = {"ModelPackageName": entries.ARN, "ModelName": MODEL_NAME}
    assert asked == expected
    assert at(asked, path) == at(expected, path)


def two_packages() -> FakeLedger:
    """A ledger with two packages."""
    ledger = FakeLedger(Clock())
    for version in (3, 4):
        draft = Draft(Kind.REGISTERED, "signoff", {**entries.registered().details, "version": version})
        ledger.append(History(entries.PACKAGE.replace("/3@", f"/{version}@")), [draft])
    return ledger


@fields("test_a_list_asks_for_all_its_packages_at_once")
def test_a_list_asks_for_all_its_packages_at_once(path: str) -> None:
    sagemaker = FilledSageMaker()

    listed_with(list_packages(two_packages(), Filter()).rows, Registry(sagemaker))

    assert at(sagemaker.asked["BatchDescribeModelPackage"], path) == [entries.ARN, entries.ARN.replace("/3", "/4")]


def batch() -> Document:
    """An answer of the batch call: all that it may say of the first package, and why not of the second."""
    output = service_model().operation_model("BatchDescribeModelPackage").output_shape
    (summary,) = filled(output)["ModelPackageSummaries"].values()
    (error,) = filled(output)["BatchDescribeModelPackageErrorMap"].values()
    created = History(entries.PACKAGE).package.rpartition("@")[2]
    return {
        "ModelPackageSummaries": {entries.ARN: {**summary, "CreationTime": datetime.fromisoformat(created)}},
        "BatchDescribeModelPackageErrorMap": {entries.ARN.replace("/3", "/4"): error},
    }


def listed() -> list[Document]:
    """What `signoff list --json` prints of them."""
    rows, notes = listed_with(list_packages(two_packages(), Filter()).rows, Registry(FilledSageMaker(**batch())))
    assert notes == []
    read: list[Document] = json.loads(json.dumps(rows))
    return read


@fields("test_a_list_prints_all_that_the_batch_call_answers_of_a_package")
def test_a_list_prints_all_that_the_batch_call_answers_of_a_package(path: str) -> None:
    first, _ = listed()

    assert at(first, path.replace("ModelPackageSummaries{}", "registry")) == at(to_json_data(batch()), path) != []


@fields("test_a_list_prints_what_the_batch_call_could_not_describe")
def test_a_list_prints_what_the_batch_call_could_not_describe(path: str) -> None:
    _, second = listed()

    assert at(second, path.replace("BatchDescribeModelPackageErrorMap{}", "error")) == at(batch(), path) != []


def test_an_answer_to_any_call_has_a_value_for_every_field() -> None:
    for call in ("DescribeModelPackage", "DescribeModel", "BatchDescribeModelPackage"):
        output = service_model().operation_model(call).output_shape
        assert [path for path in paths(output) if not at(filled(output), path)] == []
