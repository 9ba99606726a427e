"""The server of the example images answers as SageMaker's scikit-learn container does."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from examples.serving.scikit_learn import CSV, JSON, NPY, Serving, default_input_fn, default_output_fn, load

ROWS = [[1.0, 2.0], [3.0, 5.0]]
MODEL = LinearRegression().fit([[0, 0], [1, 0], [0, 1]], [0, 1, 2])  # a row's first number and twice its second one
PREDICTED = [5.0, 13.0]


@pytest.fixture(autouse=True)
def no_module_stays() -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    sys.modules.pop("inference_of_a_test", None)


def module(**functions: Any) -> ModuleType:
    made = ModuleType("inference_of_a_test")
    vars(made).update({"model_fn": lambda model_dir: MODEL, **functions})
    return made


def npy(rows: Any) -> bytes:
    written = io.BytesIO()
    np.save(written, np.asarray(rows))
    return written.getvalue()


BODIES = {CSV: b"1,2\n3,5\n", JSON: b"[[1, 2], [3, 5]]", NPY: npy(ROWS)}


@pytest.mark.parametrize("content_type", BODIES)
def test_rows_are_read_in_every_format(content_type: str) -> None:
    assert default_input_fn(BODIES[content_type], content_type).tolist() == ROWS


def test_what_pickles_objects_is_not_read() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        default_input_fn(npy(np.array([object()])), NPY)


@pytest.mark.parametrize("accept", [CSV, JSON, NPY])
def test_predictions_are_written_in_every_format(accept: str) -> None:
    written = {CSV: "5.0\n13.0\n", JSON: "[5.0, 13.0]", NPY: npy(PREDICTED)}

    assert default_output_fn(np.array(PREDICTED), accept) == (written[accept], accept)


@pytest.mark.parametrize("content_type", BODIES)
def test_a_model_answers_by_the_defaults(content_type: str) -> None:
    answer = Serving(module(), "").answer(BODIES[content_type], content_type, JSON)

    assert (answer.status, answer.content_type) == (200, JSON)
    assert json.loads(answer.body) == pytest.approx(PREDICTED)


def test_a_module_replaces_what_it_defines() -> None:
    code = module(
        input_fn=lambda body, content_type: [[float(body), 0]],
        predict_fn=lambda rows, model: model.predict(rows) + 100,
        output_fn=lambda prediction, accept: (f"{prediction[0]:.0f} as {accept}", "text/plain"),
    )

    answer = Serving(code, "").answer(b"7", CSV, NPY)

    assert (answer.status, answer.body, answer.content_type) == (200, b"107 as application/x-npy", "text/plain")


def test_a_module_may_do_all_in_one_function() -> None:
    answer = Serving(module(transform_fn=lambda model, body, given, accept: body.upper()), "").answer(b"a", CSV, JSON)

    assert (answer.status, answer.body, answer.content_type) == (200, b"A", JSON)


def test_a_format_that_is_not_known_is_refused() -> None:
    serving = Serving(module(), "")

    assert serving.answer(b"", "image/png", JSON).status == 415
    refused = serving.answer(BODIES[CSV], CSV, "image/png")
    assert (refused.status, json.loads(refused.body)["error"]) == (406, "UnsupportedFormat")


@pytest.mark.parametrize("body", [b"a,b\n", b"1,2\n3\n", b"1,2\n", b""], ids=["words", "ragged", "one row", "nothing"])
def test_an_error_of_the_model_is_the_servers(body: bytes) -> None:
    assert Serving(module(), "").answer(body, CSV, JSON).status == 500


@pytest.mark.parametrize(
    ("functions", "error"),
    [
        ({"transform_fn": len, "input_fn": len}, ValueError),
        ({"model_fn": lambda model_dir: joblib.load("/nonexistent/model.joblib")}, FileNotFoundError),
    ],
)
def test_a_module_that_contradicts_itself_or_has_no_model_serves_nothing(
    functions: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Serving(module(**functions), "")


def test_there_is_no_default_for_loading_a_model() -> None:
    with pytest.raises(NotImplementedError, match="model_fn"):
        Serving(ModuleType("empty"), "")


CODE = "import joblib, pathlib\ndef model_fn(model_dir): return joblib.load(pathlib.Path(model_dir) / 'model.joblib')\n"


@pytest.mark.parametrize("named", [True, False], ids=["in the folder that is named", "in the model's own"])
def test_a_model_is_loaded_by_the_code_beside_it(tmp_path: Path, named: bool) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/inference_of_a_test.py").write_text(CODE)
    joblib.dump(MODEL, tmp_path / "model.joblib")
    variables = {"SM_MODEL_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "inference_of_a_test.py"}

    serving = load(variables | ({"SAGEMAKER_SUBMIT_DIRECTORY": str(tmp_path / "code")} if named else {}))

    assert json.loads(serving.answer(BODIES[JSON], JSON, JSON).body) == pytest.approx(PREDICTED)


def test_a_model_without_its_code_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        load({"SM_MODEL_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "inference_of_a_test.py"})
