"""A function's settings: one frozen dataclass beside each handler, read from the environment when first needed."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any, TypeVar

from signoff.errors import MissingSetting

T = TypeVar("T")


def from_environment(model: type[T]) -> T:
    """Return `model`, a dataclass of strings, with each field `name` taken from the variable `SIGNOFF_NAME`.

    Raises `MissingSetting` naming every variable that is absent or empty.
    """
    names = {field.name: f"SIGNOFF_{field.name.upper()}" for field in fields(model)}  # type: ignore[arg-type]
    missing = [variable for variable in names.values() if not os.environ.get(variable)]
    if missing:
        raise MissingSetting(f"{model.__name__} needs the environment variables {', '.join(missing)}")
    values: dict[str, Any] = {name: os.environ[variable] for name, variable in names.items()}
    return model(**values)
