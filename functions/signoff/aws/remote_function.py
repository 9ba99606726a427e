"""Lambda: another function of Signoff's, which is asked and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from signoff.errors import Transient


class RemoteFunction:
    """The function of that name or ARN."""

    def __init__(self, lambda_: Any, name: str) -> None:
        self._lambda = lambda_
        self._name = name

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the function answers to `event`. Raises `Transient` when it fails.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        answered = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(event).encode())
        document = json.loads(answered["Payload"].read())
        if "FunctionError" in answered:
            raise Transient(f"{self._name} failed: {document.get('errorType')}: {document.get('errorMessage')}")
        found: dict[str, Any] = document
        return found
