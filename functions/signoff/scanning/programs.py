"""Programs of PyTorch, told by the names of a zip archive's entries: TorchScript, and what torch.export saves.

PyTorch says of TorchScript that it is to be treated as code (its SECURITY.md, "TorchScript models"): its interpreter
has operators that read and write files (`aten::from_file`, `aten::save`), and `torch.load` hands such an archive to it.
Of an exported program each step is a name that is looked up from `torch` on, where `torch.os.system` is one too, and
some of its constants are pickles that are loaded without a check. So neither is looked into further.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Where PyTorch looks to tell them: torch/serialization.py (_is_torchscript_zip), torch/export/pt2_archive.
_TORCHSCRIPT = re.compile(r"[^/]+/constants\.pkl")
_EXPORTED = re.compile(r"(?:[^/]+/archive_format|(?:[^/]+/)?serialized_exported_program\.json)")


def programs(name: str) -> Iterator[tuple[str, str]]:
    """Yield the rule and the reason, when an entry of that name makes the archive a program."""
    if _TORCHSCRIPT.fullmatch(name):
        yield "torchscript-code", "Makes the archive a TorchScript program, which PyTorch would run"
    if _EXPORTED.fullmatch(name):
        yield "torch-export-code", "Makes the archive a program of torch.export, which PyTorch would run"
