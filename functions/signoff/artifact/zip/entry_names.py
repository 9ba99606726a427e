"""The type of a zip archive by the names of its entries, including PyTorch programs.

PyTorch documents that TorchScript is to be treated as code (its SECURITY.md, "TorchScript models"): its interpreter
has operators that read and write files (`aten::from_file`, `aten::save`), and `torch.load` hands such an archive to it.
Each step of an exported program is a name looked up from `torch`, where `torch.os.system` exists too, and some of its
constants are pickles that are loaded without a check. So neither is inspected further.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from signoff.documents.patterns import compiled_on_use


class EntryNames:
    """The type of a zip archive by its entries' names, of which none is kept."""

    def __init__(self, names: Iterable[bytes] = ()) -> None:
        self._marks: set[str] = set()
        for name in names:
            self.add(name)

    def add(self, name: bytes) -> None:
        """Add the name of one more entry."""
        self._marks.add("array" if name.endswith(b".npy") else "no array")
        self._marks.update(mark for mark, pattern in _MARKS if pattern.fullmatch(name))

    @property
    def kind(self) -> str:
        """The type by the entries so far; Java's first, because any other archive can be made one."""
        named = next((name for name, marks in _ZIPS if marks <= self._marks), None)
        return named or ("npz" if self._marks == {"array"} else "zip")


_MARKS: Sequence[tuple[str, re.Pattern[bytes]]] = tuple(
    (mark, compiled_on_use(pattern, re.IGNORECASE))  # PyTorch's reader and Java's find names in any case
    for mark, pattern in (
        ("manifest", rb"META-INF/MANIFEST\.MF"),
        ("mar manifest", rb"MAR-INF/MANIFEST\.json"),
        ("schema", rb"schema\.json"),
        ("config", rb"config\.json"),
        ("metadata", rb"metadata\.json"),
        ("data", rb"[^/]{1,200}/data\.pkl"),
        ("ini", rb"model\.ini"),
        ("constants", rb"[^/]{1,200}/constants\.pkl"),
    )
)
_ZIPS: Sequence[tuple[str, set[str]]] = (
    ("jar", {"manifest"}),
    ("mar", {"mar manifest"}),  # TorchServe's, with its handler's code
    ("skops", {"schema"}),
    ("keras", {"config", "metadata"}),
    ("torchscript", {"data", "constants"}),
    ("pytorch", {"data"}),
    ("mojo", {"ini"}),  # H2O's MOJO
)

# Where PyTorch looks to distinguish them: torch/serialization.py (_is_torchscript_zip), torch/export/pt2_archive.
_TORCHSCRIPT = compiled_on_use(r"[^/]+/constants\.pkl", re.IGNORECASE)
_EXPORTED = compiled_on_use(r"(?:[^/]+/archive_format|(?:[^/]+/)?serialized_exported_program\.json)", re.IGNORECASE)


def programs(name: str) -> Iterator[tuple[str, str]]:
    """Yield the rule and the reason, when an entry of that name makes the archive a program."""
    if _TORCHSCRIPT.fullmatch(name):
        yield "torchscript-code", "Makes the archive a TorchScript program, which PyTorch would run"
    if _EXPORTED.fullmatch(name):
        yield "torch-export-code", "Makes the archive a program of torch.export, which PyTorch would run"
