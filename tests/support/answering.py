"""AWS clients that get prepared answers: boto3's own, so that what they send is checked as ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import boto3

Answer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]


class Refusal:
    """An answer that is an error with this code."""

    def __init__(self, code: str, message: str = "no") -> None:
        self.code, self.message = code, message


class Answering:
    """Makes clients by service; `answers` are by `<service>.<Operation>`, in botocore's spelling of both.

    `asked` are the operations and their parameters, in order; an operation without an answer fails the test.
    """

    def __init__(self, answers: Mapping[str, Answer | Refusal]) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str) -> Any:
        client = boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
        client.meta.events.register("provide-client-params", self._note)
        client.meta.events.register("before-call", self._answer)
        return client

    def operations(self) -> list[str]:
        """The names of the operations that were asked for, in order."""
        return [name for name, _ in self.asked]

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.asked.append((model.name, params))

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        name = f"{model.service_model.service_name}.{model.name}"
        answer = self.answers[name]
        if isinstance(answer, Refusal):
            error = {"Error": {"Code": answer.code, "Message": answer.message}, "ResponseMetadata": {}}
            return SimpleNamespace(status_code=400), error
        given = answer(self.asked[-1][1]) if callable(answer) else answer
        return SimpleNamespace(status_code=200), dict(given)
