"""Calls of allowed names that are harmless only with some arguments."""

from __future__ import annotations

from signoff.artifact.pickle.values import Dtype, Global

ENCODINGS = ("latin1", "latin-1")
BOOSTERS = ("xgboost.core", "lightgbm.basic")


# pandas 1.3 makes each block by one call, of a function with the number of dimensions as its state.
BINDABLE = (("pandas.core.internals.blocks", "new_block"),)


def may_be_bound(function: Global) -> bool:
    """Whether `functools.partial` may be called with this function: it is harmless with any arguments."""
    return function.allowed and not function.bound and (function.module, function.name) in BINDABLE


def binds_again(state: object, bound: Global) -> bool:
    """Whether this state of a `functools.partial` has the very function that it was made with."""
    function = state[0] if isinstance(state, tuple) and len(state) == 4 else None
    return isinstance(function, Global) and (function.module, function.name) == (bound.module, bound.name)


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
