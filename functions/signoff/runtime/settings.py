"""A function's settings: one frozen dataclass beside each handler, read from the environment when first needed."""

from __future__ import annotations

import os
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from signoff.errors import MissingSetting

T = TypeVar("T")


def from_environment(model: type[T]) -> T:
    """Return `model`, a dataclass of strings, with each field `name` taken from the variable `SIGNOFF_NAME`.

    A field with a default may be left out. Raises `MissingSetting` naming every other variable that is absent or empty.
    """
    wanted = {f"SIGNOFF_{field.name.upper()}": field for field in fields(model)}  # type: ignore[arg-type]
    missing = [name for name, field in wanted.items() if not os.environ.get(name) and field.default is MISSING]
    if missing:
        raise MissingSetting(f"{model.__name__} needs the environment variables {', '.join(missing)}")
    values: dict[str, Any] = {field.name: os.environ[name] for name, field in wanted.items() if os.environ.get(name)}
    return model(**values)
