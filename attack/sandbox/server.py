"""The process that has imported the loaders' libraries, and forks a child for each file: `python -m` this.

Reads one request per line of its input (`folder`, `loaders`, `seconds`), and answers each with one line: what became of
every loader (`marked`, `loaded`, `refused`, `ended` or `late`, and a word about it). The first line that it writes are
the names of the loaders that are there.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attack.loaders import available
from attack.loaders.registry import Loader
from attack.sandbox.limits import bound, leave_network
from attack.sandbox.watch import Watch

Outcomes = dict[str, tuple[str, str]]


def main(wanted: Sequence[str]) -> None:
    """Serve requests until the input ends, with the loaders of those names (none: all)."""
    leave_network()
    loaders = available(wanted)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    gc.freeze()  # what is imported stays shared with the children
    _answer(answers, list(loaders))
    for line in sys.stdin:
        request = json.loads(line)
        asked = {name: loaders[name] for name in request["loaders"] if name in loaders}
        _answer(answers, run(Path(request["folder"]), asked, request["seconds"]))


def _answer(file: object, what: object) -> None:
    print(json.dumps(what), file=file, flush=True)  # type: ignore[call-overload]


def run(folder: Path, loaders: dict[str, Loader], seconds: int) -> Outcomes:
    """Return what became of each loader of `folder`'s files; one that ends its process ends no other."""
    outcomes: Outcomes = {}
    with tempfile.TemporaryDirectory(prefix="signoff-attack-") as place:
        for name in loaders:
            Path(place, "of", name).mkdir(parents=True)
        while left := [name for name in loaders if name not in outcomes]:
            outcomes |= _forked(folder, Path(place, "of"), {name: loaders[name] for name in left}, seconds)
        for name in loaders:
            if any(Path(place, "of", name).iterdir()):
                outcomes[name] = ("marked", outcomes[name][0])
    return outcomes


def _forked(folder: Path, places: Path, loaders: dict[str, Loader], seconds: int) -> Outcomes:
    """Run loaders in a child until one ends it; that one is told too."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiving)
        _in_child(folder, places, loaders, seconds, sending)
    os.close(sending)
    told, late = _told(receiving, time.monotonic() + seconds)
    os.close(receiving)
    if late:
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    outcomes: Outcomes = {name: (outcome, word) for name, outcome, word in map(json.loads, told.splitlines())}
    ended = next((name for name in loaders if name not in outcomes), None)
    if ended:
        outcomes[ended] = ("late" if late else "ended", "")
    return outcomes


def _told(receiving: int, until: float) -> tuple[bytes, bool]:
    told = b""
    while (left := until - time.monotonic()) > 0:
        if select.select([receiving], [], [], left)[0]:
            more = os.read(receiving, 1 << 16)
            if not more:
                return told, False
            told += more
    return told[: told.rfind(b"\n") + 1], True


def _in_child(folder: Path, places: Path, loaders: dict[str, Loader], seconds: int, sending: int) -> None:
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        bound(seconds)
        watch = Watch()
        for name, loader in loaders.items():
            os.chdir(places / name)
            watch.seen.clear()
            outcome = _loaded(loader, folder)
            if watch.seen:
                Path(watch.seen[0]).touch()  # a mark like another
            os.write(sending, (json.dumps((name, *outcome)) + "\n").encode())
    finally:
        os._exit(0)


def _loaded(loader: Loader, folder: Path) -> tuple[str, str]:
    try:
        loader(folder)
    except BaseException as error:
        return "refused", f"{type(error).__name__}: {error}"[:200]
    return "loaded", ""


if __name__ == "__main__":
    main(sys.argv[1:])
