"""Calls of allowed names that are harmless only with some arguments."""

from __future__ import annotations

from signoff.artifact.pickle.values import Dtype, Global

ENCODINGS = ("latin1", "latin-1")
BOOSTERS = ("xgboost.core", "lightgbm.basic")


def objection(function: Global, arguments: tuple[object, ...] | None) -> str | None:
    """Return why a call of an allowed function is not harmless, None when it is; `arguments` are None if unknown."""
    if not function.allowed:
        return None  # it was reported where it was named
    if function.held:
        return f"Would call {function.shown} when it is loaded, which a model only holds"
    if function.module == "_codecs" and (arguments is None or len(arguments) != 2 or arguments[1] not in ENCODINGS):
        return "Would run a codec of its choice with _codecs.encode when it is loaded"
    if function.name == "Booster" and function.module in BOOSTERS and arguments != ():
        return f"Would have {function.shown} read a file of its choice when it is loaded"
    if function.name == "scalar" and function.module.startswith("numpy") and not _is_number(arguments):
        # With a dtype of objects it returns its argument, even a class that could then be changed.
        return f"Would create an unknown object with {function.shown}"
    return None


def _is_number(arguments: tuple[object, ...] | None) -> bool:
    dtype = arguments[0] if arguments else None
    return isinstance(dtype, Dtype) and dtype.size is not None and not dtype.objects
