"""What must be true of the figures, and whether it is."""

from collections.abc import Iterator
from typing import Any

Figures = dict[str, Any]

# A burst may take this many times as long for each upload as a smaller one: a busy machine is not measured better.
FLAT = 1.5


def unmet(figures: Figures) -> list[str]:
    """Return what is not as it must be, one sentence each."""
    return [*_bursts(figures), *_votes(figures["votes"]), *_champions(figures["validations"])]


def ratio(figures: Figures) -> float:
    """How many times as long an upload of the large burst took as one of the small one."""
    return float(figures["large"]["seconds_each"] / figures["small"]["seconds_each"])


def _bursts(figures: Figures) -> Iterator[str]:
    for size in ("small", "large"):
        burst = figures[size]
        for what in ("packages", "pending"):
            if burst[what] != burst["uploads"]:
                yield f"{burst['uploads']} uploads ended with {burst[what]} ({what})"
        yield from _dead_letters(burst)
    if ratio(figures) > FLAT:
        yield f"an upload of the large burst took {ratio(figures):.2f} times as long as of the small, {FLAT} at most"


def _votes(votes: Figures) -> Iterator[str]:
    if votes["counted"] != votes["votes"] or votes["doubled"] or votes["refused"]:
        told = f"{votes['counted']} were counted, {votes['doubled']} twice, {votes['refused']} refused"
        yield f"of {votes['votes']} votes {told}"
    for what in ("decided", "models"):
        if votes[what] != votes["packages"]:
            yield f"{votes['packages']} packages have the approvals that they need, and there are {votes[what]} {what}"
    yield from _dead_letters(votes)


def _champions(found: Figures) -> Iterator[str]:
    if found["evidence"] != found["validations"]:
        yield f"of {found['validations']} validations {found['evidence']} ended with evidence"
    if found["wrong"]:
        yield f"evidence names another champion than the ledger: {'; '.join(found['wrong'][:5])}"
    if found["champions"] != [1, 2] or found["successions"] != 1 or found["reinstated"]:
        history = f"{found['champions']}, {found['successions']} superseded, {found['reinstated']} reinstated"
        yield f"two champions were to follow each other once: {history}"
    yield from _dead_letters(found)


def _dead_letters(figures: Figures) -> Iterator[str]:
    if figures["dead_letters"]:
        yield f"there are dead letters: {figures['dead_letters']}"
