"""Values on a pickle's stack, as far as they must be known: names, and the lengths of joblib's arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import Final, NamedTuple

from signoff.documents.patterns import compiled_on_use

MOST_BYTES = 2**63  # joblib counts an array's elements in 64 bits
MOST_ITEMS = 16  # of a tuple or a dict that is remembered

_SIZES = {"b": (1,), "iu": (1, 2, 4, 8), "f": (2, 4, 8, 12, 16), "c": (8, 16, 24, 32), "mMO": (8,)}  # bytes, by kind
FIXED_DTYPES = frozenset(f"{kind}{size}" for kinds, sizes in _SIZES.items() for kind in kinds for size in sizes)
FLEXIBLE_DTYPE = compiled_on_use(r"([SUV])([0-9]{1,9})", re.ASCII)
HAS_OBJECTS = 1  # the bit of a dtype's flags, `NPY_ITEM_REFCOUNT` (NumPy's C API, data types)
WRAPPER_FIELDS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}


class Alias:
    """A value from the memo that was not kept here."""


class Hole:
    """The bottom of a long stack, whose values were dropped."""


ALIAS: Final = Alias()
HOLE: Final = Hole()


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """A class or function named by its module."""

    module: str
    name: str
    allowed: bool
    held: bool = False
    """Whether it may be named and not called."""
    bound: bool = False
    """Whether it is what `functools.partial` makes of the function, which has a state of its own."""

    @property
    def shown(self) -> str:
        """The qualified name, without control characters."""
        return "".join(c if c.isprintable() else "?" for c in f"{self.module}.{self.name}")[:200]

    @property
    def is_wrapper(self) -> bool:
        """Whether joblib writes an array's bytes behind an object of this class."""
        return self.name == "NumpyArrayWrapper"

    @property
    def hands_back(self) -> bool:
        """Whether it returns its first argument, as TorchScript's wrapper around lists does."""
        return (self.module, self.name) == ("torch.jit._pickle", "restore_type_tag")

    @property
    def binds(self) -> bool:
        """Whether it returns a function with some arguments, as pandas 1.3 writes the blocks of its frames."""
        return (self.module, self.name) == ("functools", "partial")

    @property
    def imports(self) -> bool:
        """Whether it returns what its two arguments name, as NumPy before 1.17 writes its ufuncs."""
        return self.name == "_ufunc_reconstruct" and self.allowed

    @property
    def of_torchscript(self) -> bool:
        """Whether it is a class of a TorchScript program, which no Python module has."""
        return self.module == "__torch__" or self.module.startswith("__torch__.")


@dataclass(slots=True, eq=False)
class Dtype:
    """A NumPy dtype: the bytes of an element, None when unknown, and whether it holds objects."""

    code: str
    size: int | None
    objects: bool

    def build(self, state: object) -> None:
        """Set the state like `numpy.dtype.__setstate__`; the size becomes unknown when NumPy does not write it so."""
        if not isinstance(state, tuple) or len(state) not in (8, 9) or state[0] not in (3, 4):
            self.size = None
            return
        subarray, size, flags = state[2], state[5], state[7]
        flexible = self.code[0] in "SUV"
        if not isinstance(flags, int) or subarray is not None or size != (self.size if flexible else -1):
            self.size = None
        elif self.code[0] == "V":
            self.objects = bool(flags & HAS_OBJECTS)
        elif self.objects != bool(flags & HAS_OBJECTS):
            self.size = None


@dataclass(slots=True, eq=False)
class ArrayWrapper:
    """joblib's placeholder for an array, and whether the array was read."""

    used: bool = False


def dtype_of(arguments: object) -> Dtype:
    """Return what `numpy.dtype(*arguments)` is."""
    code = arguments[0] if isinstance(arguments, tuple) and arguments else None
    if not isinstance(code, str):
        return Dtype("?", None, objects=False)
    if code in FIXED_DTYPES:
        return Dtype(code, int(code[1:]), objects=code == "O8")
    if found := FLEXIBLE_DTYPE.fullmatch(code):
        return Dtype(code, int(found[2]) * (4 if found[1] == "U" else 1), objects=False)
    return Dtype("?", None, objects=False)


class JoblibArray(NamedTuple):
    """The array that a wrapper stands for: its bytes, None when a pickle follows instead; `padded`: joblib 1.2 on."""

    size: int | None
    padded: bool


def array_of(state: object) -> JoblibArray | None:
    """Return the array that a wrapper's state describes; None when that cannot be known."""
    if not isinstance(state, dict) or not state.keys() <= WRAPPER_FIELDS:
        return None
    dtype, shape = state.get("dtype"), state.get("shape")
    alignment = state.get("numpy_array_alignment_bytes")
    if not isinstance(dtype, Dtype) or dtype.size is None or not isinstance(shape, tuple):
        return None
    if "numpy_array_alignment_bytes" in state and alignment != 16:
        return None
    numbers = [length for length in shape if isinstance(length, int) and length >= 0]
    if len(numbers) != len(shape) or prod(max(length, 1) for length in numbers) * max(dtype.size, 1) >= MOST_BYTES:
        return None
    return JoblibArray(None if dtype.objects else prod(numbers) * dtype.size, padded=alignment is not None)


def kept(value: object) -> object:
    """Return what a tuple or a dict remembers of a value: a plain one, or None."""
    if isinstance(value, tuple):
        return value if all(isinstance(item, int) for item in value) else None
    return value if isinstance(value, str | int | Global | Dtype) else None


def tuple_of(items: list[object]) -> tuple[object, ...] | None:
    """Return the tuple of the items, None when it is too long to be looked at."""
    if len(items) > MOST_ITEMS or HOLE in items:
        return None
    return tuple([item if isinstance(item, str | int | Global | Dtype | ArrayWrapper) else None for item in items])


def set_item(target: dict[object, object], key: object, value: object) -> None:
    """Set an item as far as it is remembered; the key None marks a dict as unknown."""
    if not isinstance(key, str) or len(target) >= MOST_ITEMS or None in target:
        target.clear()
        target[None] = None
    else:
        target[key] = kept(value)
