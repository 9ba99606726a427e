"""SageMaker, answering every call with all that its answer may hold."""

from __future__ import annotations

from typing import Any

from tests.support.field_paths import filled, service_model


class FilledSageMaker:
    """Answers every call with all that its answer may hold, and remembers what it was asked."""

    def __init__(self, **replaced: Any) -> None:
        self.asked: dict[str, dict[str, Any]] = {}
        self._replaced = replaced

    def __getattr__(self, call: str) -> Any:
        operation = "".join(word.capitalize() for word in call.split("_"))
        output = service_model().operation_model(operation).output_shape

        def answer(**request: Any) -> Any:
            self.asked[operation] = request
            return {**filled(output), **self._replaced}

        return answer
