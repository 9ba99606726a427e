"""The storages that the objects of a PyTorch file hold: in its old format their bytes follow the five pickles.

`torch.load` reads for each an eight-byte number of elements, which must be the one in the pickle, and the elements, and
nothing else (`_legacy_load` in torch/serialization.py, `_set_from_file`).
"""

from __future__ import annotations

from signoff.artifact.pickle.known_names import TORCH_STORAGES
from signoff.artifact.pickle.values import Global

MOST_STORAGES = 250_000
_NUMBER = 8  # bytes before each


class TorchStorages:
    """Counts what an unpickler is asked for by persistent ids, each storage once."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._known = True

    def add(self, identity: tuple[object, ...]) -> None:
        """Take a persistent id: `("storage", type, key, location, number of elements, view)`."""
        kind, key, number = (identity[at] if at < len(identity) else None for at in (1, 2, 4))
        element = TORCH_STORAGES.get(kind.name) if isinstance(kind, Global) else None
        few = len(self._sizes) < MOST_STORAGES
        if few and element and isinstance(key, str) and isinstance(number, int) and number >= 0:
            self._known = self._known and self._sizes.setdefault(key, number * element) == number * element
        else:
            self._known = False

    @property
    def size(self) -> int | None:
        """The bytes that they take together in the old format, None when that is not known."""
        return sum(self._sizes.values()) + _NUMBER * len(self._sizes) if self._known else None
