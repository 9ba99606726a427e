"""What a payload calls: anything that leaves a mark, a file or folder in the process's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MARK = "signoff-mark"
WRITES = f"open({MARK!r},'w')"
SHELL = f"echo>{MARK}"


@dataclass(frozen=True)
class Call:
    """A name that is loaded, and the arguments that it is called with."""

    module: str
    name: str
    arguments: tuple[Any, ...]


def _nested() -> bytes:
    return b"cos\nmkdir\n(S'" + MARK.encode() + b"'\ntR."


CALLS: Mapping[str, Call] = {
    "mkdir": Call("os", "mkdir", (MARK,)),
    "posix": Call("posix", "mkdir", (MARK,)),
    "system": Call("os", "system", (SHELL,)),
    "exec": Call("builtins", "exec", (WRITES,)),
    "eval": Call("builtins", "eval", (WRITES,)),
    "python-2": Call("__builtin__", "eval", (WRITES,)),
    "open": Call("builtins", "open", (MARK, "w")),
    "io": Call("_io", "open", (MARK, "w")),
    "pure-io": Call("_pyio", "open", (MARK, "w")),
    "codecs": Call("codecs", "open", (MARK, "w")),
    "getoutput": Call("subprocess", "getoutput", (SHELL,)),
    "commands": Call("commands", "getoutput", (SHELL,)),
    "log": Call("logging", "FileHandler", (MARK,)),
    "memmap": Call("numpy", "memmap", (MARK, "uint8", "w+", 0, (4,))),
    "profile": Call("cProfile", "run", (WRITES,)),
    "pager": Call("pydoc", "pipepager", ("text", f"cat>{MARK}")),
    "shelf": Call("shelve", "open", (MARK,)),
    "zipfile": Call("zipfile", "ZipFile", (MARK, "w")),
    "temporary": Call("tempfile", "mkdtemp", (MARK, MARK, ".")),
    "nested": Call("pickle", "loads", (_nested(),)),
    "nested-c": Call("_pickle", "loads", (_nested(),)),
    "nested-numpy": Call("numpy._core._methods", "pickle.loads", (_nested(),)),
    "numpy-private": Call("numpy.testing._private.utils", "runstring", (WRITES, {})),
    "dotted": Call("posixpath", "os.mkdir", (MARK,)),
    "of-joblib": Call("joblib.numpy_pickle", "os.mkdir", (MARK,)),
}
