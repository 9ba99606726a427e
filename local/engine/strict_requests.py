"""Requests checked against the whole of AWS's service model before they are sent.

botocore checks types and minimum lengths; AWS checks patterns, enums and maxima too, and an emulator neither. After
`make_strict()` a request that AWS would refuse raises botocore's ParamValidationError, and is noted in the file that
SIGNOFF_REQUEST_FAULTS names, so that a test run can end by finding that file empty.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

FILE = "SIGNOFF_REQUEST_FAULTS"


def make_strict(validator: Any = ParamValidator) -> None:
    """Have every client of this process check its requests, from now on; a second call changes nothing."""
    if not getattr(validator.validate, "strict", False):
        validator.validate = _strict(validator.validate)


def _strict(check: Callable[..., Any]) -> Callable[..., Any]:
    def validate(self: Any, params: Any, shape: Any) -> Any:
        # Found when first needed: in a function's process, once the bundle that holds it is on the path.
        from signoff.service_model.constraints import faults

        report = check(self, params, shape)
        found = [] if report.has_errors() else faults(shape, params)
        if found:
            lines = [f"{shape.name}.{fault.path}: {fault.message}" for fault in found]
            _note(lines)
            raise ParamValidationError(report="\n".join(lines))
        return report

    validate.strict = True  # type: ignore[attr-defined]
    return validate


def _note(lines: list[str]) -> None:
    name = os.environ.get(FILE)
    if name:
        with Path(name).open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
