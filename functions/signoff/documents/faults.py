"""Faults in documents, by their path."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from signoff.documents.text import beginning, storable

_LONGEST = 100  # characters


def below(path: str, name: str) -> str:
    """Return the path of member or key `name` of the object at `path`: `Tags.a`, or `Tags["a b"]` for an odd name.

    Of a longer name than any field has, the path has the beginning: a fault is kept, told and shown.
    """
    if len(name) <= _LONGEST and name.isascii() and name.replace("-", "_").isidentifier():
        return f"{path}.{name}" if path else name
    return f"{path}[{json.dumps(beginning(storable(name), _LONGEST), ensure_ascii=False)}]"


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """A fault in a document.

    `path` leads to it, in the form `InferenceSpecification.Containers[0].ModelDataUrl` (empty for the document
    itself); `message` describes the fault and what is allowed, as a sentence without the path.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidValue(ValueError):
    """Raised when a value violates rules that its type cannot express; `faults` are all of them, by path."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.message for fault in self.faults))


def refuse(faults: Iterable[Fault]) -> None:
    """Raise `InvalidValue` when there are any `faults`."""
    found = tuple(faults)
    if found:
        raise InvalidValue(found)
