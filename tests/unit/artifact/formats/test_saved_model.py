"""TensorFlow's SavedModels: graphs that only compute pass, anything else that they would do is reported."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.detection import kind_of
from signoff.artifact.formats.saved_model import DOES
from signoff.artifact.streams.refusal import Refused
from tests.support.depth import examples
from tests.support.tensor_files import field, number, sample, told

HONEST = ("dense.saved_model.pb",)
HOSTILE = {
    "writes.saved_model.pb": "Would write files when it runs: WriteFile",
    "reads.saved_model.pb": "Would read files when it runs: ReadFile",
    "python.saved_model.pb": "Would run Python when it runs: EagerPyFunc",
    "loops.saved_model.pb": "Would write files when it runs: WriteFile",  # in a function that a branch of a loop calls
}


def saved(*fields: bytes) -> bytes:
    """A SavedModel of one graph with these fields of its MetaGraphDef."""
    return b"\x08\x01" + field(2, b"".join(fields))


def node(operator: str) -> bytes:
    return field(1, field(1, b"name") + field(2, operator.encode()))


@pytest.mark.parametrize("name", HONEST)
def test_a_model_that_computes_passes(name: str) -> None:
    assert told(sample(name)) == []
    assert kind_of(sample(name)[:4096]) == "saved_model"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_model_that_does_more_is_refused_by_what_it_would_do(name: str) -> None:
    ((rule, reason),) = told(sample(name))
    assert rule == "tensorflow-operator"
    assert reason.startswith(HOSTILE[name] + ", at byte ")


@pytest.mark.parametrize("operator", sorted(DOES))
def test_each_operator_is_found_in_a_graph_and_in_a_function(operator: str) -> None:
    in_function = field(2, field(2, field(1, field(3, field(2, operator.encode())))))
    for model in (saved(field(2, node(operator))), saved(in_function)):
        assert [rule for rule, _ in told(model)] == ["tensorflow-operator"]


@pytest.mark.parametrize("filename", ["../vocabulary.txt", "/etc/passwd", "a\\b", "s3://bucket/key"])
def test_an_asset_outside_of_the_model_is_refused(filename: str) -> None:
    ((rule, reason),) = told(saved(field(6, field(2, filename.encode()))))
    assert (rule, repr(filename) in reason) == ("tensorflow-asset", True)


def test_an_asset_of_the_model_passes() -> None:
    assert told(saved(field(6, field(2, b"vocabulary.txt")))) == []


def test_keras_2_s_lambda_layers_are_found_in_what_lies_beside_the_model() -> None:
    assert "keras-lambda" in [rule for rule, _ in told(sample("lambda.keras_metadata.pb"))]
    assert told(sample("dense.keras_metadata.pb")) == []


@given(st.data())
@settings(max_examples=examples(200), deadline=2000)
def test_a_model_that_is_cut_or_changed_is_checked_or_unreadable(data: st.DataObject) -> None:
    model = bytearray(sample(data.draw(st.sampled_from([*HONEST, *HOSTILE]))))
    for _ in range(data.draw(st.integers(0, 3))):
        model[data.draw(st.integers(3, len(model) - 1))] = data.draw(st.integers(0, 255))
    known: list[str] = []
    with contextlib.suppress(Refused):
        told(bytes(model[: data.draw(st.integers(4, len(model)))]), data.draw(st.integers(1, 5000)), known)
    assert set(known) <= {"tensorflow-operator", "tensorflow-asset", "onnx-custom-opset"}


def test_a_length_beyond_the_end_is_unreadable() -> None:
    with pytest.raises(Refused, match="ends inside a field"):
        told(b"\x08\x01\x12" + number(1000) + b"\x0a\x05")
