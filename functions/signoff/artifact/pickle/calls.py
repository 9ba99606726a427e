"""Calls of allowed names that are harmless only with some arguments."""

from __future__ import annotations

from signoff.artifact.pickle.values import Dtype, Global

ENCODINGS = ("latin1", "latin-1")


def objection(function: Global, arguments: tuple[object, ...]) -> str | None:
    """Return what a call of an allowed function would do that is not harmless, None when it is."""
    if function.module == "_codecs" and function.allowed and (len(arguments) != 2 or arguments[1] not in ENCODINGS):
        return "Would run a codec of its choice with _codecs.encode when it is loaded"
    if function.name == "scalar" and function.module.startswith("numpy"):
        # With a dtype of objects it returns its argument, even a class that could then be changed.
        dtype = arguments[0] if arguments else None
        if not isinstance(dtype, Dtype) or dtype.size is None or dtype.objects:
            return f"Would create an unknown object with {function.shown}"
    return None
