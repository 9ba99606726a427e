"""What a zip archive is, by the names of its entries; among that the programs of PyTorch.

PyTorch says of TorchScript that it is to be treated as code (its SECURITY.md, "TorchScript models"): its interpreter
has operators that read and write files (`aten::from_file`, `aten::save`), and `torch.load` hands such an archive to it.
Of an exported program each step is a name that is looked up from `torch` on, where `torch.os.system` is one too, and
some of its constants are pickles that are loaded without a check. So neither is looked into further.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence


class ZipNames:
    """What a zip archive is, by the names of its entries, of which none is remembered."""

    def __init__(self, names: Iterable[bytes] = ()) -> None:
        self._marks: set[str] = set()
        for name in names:
            self.add(name)

    def add(self, name: bytes) -> None:
        """Take the name of one more entry into account."""
        self._marks.add("array" if name.endswith(b".npy") else "no array")
        self._marks.update(mark for mark, fits in _MARKS if fits(name))

    @property
    def kind(self) -> str:
        """The kind by the entries so far; Java's before all others, for any of them can be made one."""
        named = next((name for name, marks in _ZIPS if marks <= self._marks), None)
        return named or ("npz" if self._marks == {"array"} else "zip")


_MARKS: Sequence[tuple[str, Callable[[bytes], object]]] = tuple(
    (mark, re.compile(pattern).fullmatch)
    for mark, pattern in (
        ("manifest", rb"META-INF/MANIFEST\.MF"),
        ("schema", rb"schema\.json"),
        ("config", rb"config\.json"),
        ("metadata", rb"metadata\.json"),
        ("data", rb"[^/]{1,200}/data\.pkl"),
        ("constants", rb"[^/]{1,200}/constants\.pkl"),
    )
)
_ZIPS: Sequence[tuple[str, set[str]]] = (
    ("jar", {"manifest"}),
    ("skops", {"schema"}),
    ("keras", {"config", "metadata"}),
    ("torchscript", {"data", "constants"}),
    ("pytorch", {"data"}),
)

# Where PyTorch looks to tell them: torch/serialization.py (_is_torchscript_zip), torch/export/pt2_archive.
_TORCHSCRIPT = re.compile(r"[^/]+/constants\.pkl")
_EXPORTED = re.compile(r"(?:[^/]+/archive_format|(?:[^/]+/)?serialized_exported_program\.json)")


def programs(name: str) -> Iterator[tuple[str, str]]:
    """Yield the rule and the reason, when an entry of that name makes the archive a program."""
    if _TORCHSCRIPT.fullmatch(name):
        yield "torchscript-code", "Makes the archive a TorchScript program, which PyTorch would run"
    if _EXPORTED.fullmatch(name):
        yield "torch-export-code", "Makes the archive a program of torch.export, which PyTorch would run"
