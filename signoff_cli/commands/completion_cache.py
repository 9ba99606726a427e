"""What a shell was told a moment ago: whoever presses the tab key twice does not wait twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from signoff.documents.timestamps import Clock
from signoff.runtime.clock import utc_now

Proposal = tuple[str, str]
LIFETIME = 20.0  # seconds


def remembered(asked: Sequence[str], find: Callable[[], list[Proposal]], now: Clock = utc_now) -> list[Proposal]:
    """Return what `find` found for `asked` under the same AWS settings within `LIFETIME`, or finds now.

    A file of one's own keeps it; without one, everything is found anew. What `find` raises is raised.
    """
    key = hashlib.sha256(json.dumps([*asked, *_settings()]).encode()).hexdigest()
    moment = now().timestamp()
    known = {name: kept for name, kept in _read().items() if 0 <= moment - kept["time"] < LIFETIME}
    if key in known:
        return [(str(name), str(status)) for name, status in known[key]["found"]]
    found = find()
    with suppress(OSError):
        _write({**known, key: {"time": moment, "found": found}})
    return found


def _settings() -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))


def _path() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "signoff" / "completion.json"


def _read() -> dict[str, Any]:
    """Return what is kept, nothing if that is not readable."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        kept = json.loads(_path().read_bytes())
        return {key: {"time": float(each["time"]), "found": list(each["found"])} for key, each in kept.items()}
    return {}


def _write(kept: dict[str, Any]) -> None:
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two shells may write at once: each replaces the file by a whole one, which only its owner can read.
    with NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(kept, file)
    Path(file.name).replace(path)
