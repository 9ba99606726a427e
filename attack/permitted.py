"""The names that a pickle may call, each with arguments that an attacker would give it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from attack.grammar import Choices, Files, Grammar
from attack.grammars.calls import MARK, WRITES
from signoff.artifact.pickle.allow_list import ALLOWED, allowed

PERMITTED = "permitted"
TEXT = f"V{MARK}\n".encode()
CODE = f"V{WRITES}\n".encode()
STATE = b"}(" + b"".join(f"V{name}\n".encode() + TEXT for name in ("name", "path", "file", "filename", "dtype")) + b"u"

FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda name: name + b")R",
    "text": lambda name: name + TEXT + b"\x85R",
    "code": lambda name: name + CODE + b"\x85R",
    "bytes": lambda name: name + b"C" + bytes([len(MARK)]) + MARK.encode() + b"\x85R",
    "texts": lambda name: name + TEXT + b"Vw\n\x86R",
    "three-texts": lambda name: name + TEXT + TEXT + TEXT + b"\x87R",
    "text-second": lambda name: name + b"]" + TEXT + b"\x86R",
    "list": lambda name: name + b"](" + TEXT + b"e\x85R",
    "dict": lambda name: name + STATE + b"\x85R",
    "made-anew": lambda name: name + b")\x81",
    "made-of-text": lambda name: name + TEXT + b"\x85\x81",
    "with-keywords": lambda name: name + b")" + STATE + b"\x92",
    "with-state": lambda name: name + b")\x81" + STATE + b"b",
    "with-text-as-state": lambda name: name + b")\x81" + TEXT + b"b",
    "with-tuple-as-state": lambda name: name + b")\x81" + TEXT + TEXT + STATE + b"\x87b",
    "with-slots": lambda name: name + b")\x81N" + STATE + b"\x86b",
    "called-then-state": lambda name: name + b")R" + STATE + b"b",
    "called-then-items": lambda name: name + b")R(" + TEXT + TEXT + b"u",
    "called-then-appended": lambda name: name + b")R(" + TEXT + TEXT + b"e",
    "called-then-added": lambda name: name + b")R(" + TEXT + b"\x90",
}
"""What is done with a name, by its own name."""


@cache
def names() -> tuple[str, ...]:
    """Return the names that the allow list permits, as `module:name`: its own, and those of scikit-learn's modules."""
    own = {f"{module}:{name}" for module, found in ALLOWED.items() for name in found}
    return tuple(sorted(own | set(_of_sklearn())))


def _of_sklearn() -> Iterator[str]:
    spec = importlib.util.find_spec("sklearn")
    places = spec.submodule_search_locations if spec else None
    for place in map(Path, places or ()):
        for path in place.rglob("*.py"):
            module = ".".join(("sklearn", *path.relative_to(place).with_suffix("").parts)).removesuffix(".__init__")
            if allowed(module, "Estimator"):
                yield from (f"{module}:{name}" for name in _defined(path) if allowed(module, name))


def _defined(path: Path) -> Iterator[str]:
    """Yield what a module defines or imports."""
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names)


def _compose(choices: Choices) -> Files:
    module, _, name = choices["name"].partition(":")
    written = FORMS[choices["form"]](f"c{module}\n{name}\n".encode())
    return {"model.pkl": b"\x80\4" + written + b"."}


def permitted() -> Grammar:
    """Return the grammar; it reads the installed scikit-learn."""
    return Grammar(PERMITTED, {"name": names(), "form": tuple(FORMS)}, _compose, ("pickle",), hostile=False)
