"""What a SageMaker scikit-learn container serves, as one process: the model, by its own code or by the defaults.

    SM_MODEL_DIR=MODEL SAGEMAKER_PROGRAM=inference.py python examples/serving/scikit_learn.py

It does what https://github.com/aws/sagemaker-scikit-learn-container does, with the standard library's web server in
place of nginx and gunicorn: `GET /ping` and `POST /invocations` on the port SAGEMAKER_BIND_TO_PORT, by default 8080;
`model_fn`, `input_fn`, `predict_fn`, `output_fn` or `transform_fn` of the user's module, and the container's defaults
for those that are missing. It differs in how it fails: a model that cannot be loaded ends this process, where the
container's workers would answer every ping with 500 until SageMaker gives up. Arrays of Python objects are not read.
"""

from __future__ import annotations

import csv
import http.server
import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
_TEXT = (CSV, JSON)
_DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
_SINGLE = ("input_fn", "predict_fn", "output_fn")


class UnsupportedFormat(Exception):
    """Raised for a content type that is not one of text/csv, application/json and application/x-npy."""


class Response(NamedTuple):
    """An answer: its status, its body, and the body's content type."""

    status: HTTPStatus
    body: bytes
    content_type: str = JSON


def default_input_fn(body: bytes | str, content_type: str) -> np.ndarray[Any, Any]:
    """Return the array in a request: single precision from text, as it is from NPY. Raises UnsupportedFormat."""
    if content_type == NPY:
        data = body.encode() if isinstance(body, str) else body
        array: np.ndarray[Any, Any] = np.load(io.BytesIO(data), allow_pickle=False)
        return array
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == JSON:
        return np.array(json.loads(text)).astype(np.float32)
    if content_type == CSV:
        return np.array(list(csv.reader(io.StringIO(text), strict=True))).squeeze().astype(np.float32)
    raise UnsupportedFormat(f"Content type {content_type} is not supported by this framework.")


def default_predict_fn(data: Any, model: Any) -> Any:
    """Return the model's predictions."""
    return model.predict(data)


def default_output_fn(prediction: Any, accept: str) -> tuple[bytes | str, str]:
    """Return predictions in a content type, and that type. Raises UnsupportedFormat."""
    array = np.asarray(prediction)
    if accept == JSON:
        return json.dumps(array.tolist()), accept
    if accept == NPY:
        written = io.BytesIO()
        np.save(written, array)
        return written.getvalue(), accept
    if accept == CSV:
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(array.reshape(len(array), 1) if array.ndim == 1 else array)
        return lines.getvalue(), accept
    raise UnsupportedFormat(f"Content type {accept} is not supported by this framework.")


class Serving:
    """A loaded model and the functions that answer with it."""

    def __init__(self, module: ModuleType, model_dir: str) -> None:
        """Load the model with the module's model_fn: there is no default one. Raises whatever that raises."""
        self._transform: Callable[..., Any] | None = getattr(module, "transform_fn", None)
        if self._transform and any(hasattr(module, name) for name in _SINGLE):
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        if not hasattr(module, "model_fn"):
            raise NotImplementedError("Please provide a model_fn implementation.")
        self._input = getattr(module, "input_fn", default_input_fn)
        self._predict = getattr(module, "predict_fn", default_predict_fn)
        self._output = getattr(module, "output_fn", default_output_fn)
        self._model = module.model_fn(model_dir)

    def answer(self, body: bytes, content_type: str, accept: str) -> Response:
        """Return the answer to an invocation: of status 415 or 406 for unsupported formats, 500 for any other error."""
        content = body.decode() if content_type in _TEXT else body
        try:
            if self._transform:
                return _response(self._transform(self._model, content, content_type, accept), accept)
            try:
                data = self._input(content, content_type)
            except UnsupportedFormat as error:
                return _failure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error)
            prediction = self._predict(data, self._model)
            try:
                return _response(self._output(prediction, accept), accept)
            except UnsupportedFormat as error:
                return _failure(HTTPStatus.NOT_ACCEPTABLE, error)
        except Exception as error:  # the user's code may raise anything
            traceback.print_exc()
            return _failure(HTTPStatus.INTERNAL_SERVER_ERROR, error)


def load(environment: Mapping[str, str]) -> Serving:
    """Return what serves the model that the container's variables describe. Raises what the user's code raises.

    The module is SAGEMAKER_PROGRAM, looked for in SAGEMAKER_SUBMIT_DIRECTORY and in the model's folder `code`.
    """
    model_dir = environment.get("SM_MODEL_DIR", "/opt/ml/model")
    folders = [environment.get("SAGEMAKER_SUBMIT_DIRECTORY", ""), str(Path(model_dir) / "code")]
    sys.path[:0] = [folder for folder in folders if Path(folder).is_dir() and folder]
    program = environment["SAGEMAKER_PROGRAM"].removesuffix(".py")
    return Serving(importlib.import_module(program), model_dir)


def serve(serving: Serving, port: int) -> None:
    """Answer requests on a port until the process is ended."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(Response(HTTPStatus.OK if self.path == "/ping" else HTTPStatus.NOT_FOUND, b""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path != "/invocations":
                self._send(Response(HTTPStatus.NOT_FOUND, b""))
                return
            accept = self.headers.get("Accept") or os.environ.get(_DEFAULT_ACCEPT, JSON)
            self._send(serving.answer(body, self.headers.get("Content-Type") or JSON, accept))

        def _send(self, response: Response) -> None:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


def _response(result: Any, accept: str) -> Response:
    body, content_type = result if isinstance(result, tuple) else (result, accept)
    return Response(HTTPStatus.OK, body.encode() if isinstance(body, str) else bytes(body), content_type)


def _failure(status: HTTPStatus, error: Exception) -> Response:
    return Response(status, json.dumps({"error": type(error).__name__, "error-message": str(error)}).encode())


def main() -> None:
    """Load the model and serve it."""
    serve(load(os.environ), int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")))


if __name__ == "__main__":
    main()
