"""The parts of the load: a burst of uploads, many approvers at once, many validations of one group at once."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.load import champions, files
from benchmarks.load.deployed import LoadedPipeline
from signoff.ledger.entries import Entry, Kind, package_of

# Packages of a group: as many as a team might try in a week.
GROUP = 50
NEEDED = 2
HOURS = 3600.0

Figures = dict[str, Any]


def burst(pipeline: LoadedPipeline, image: str, name: str, uploads: int, seconds: float) -> Figures:
    """Upload so many submissions at once; return what came of them within so many `seconds`."""
    groups = [f"{name}-{number}" for number in range(-(-uploads // GROUP))]
    for group in groups:
        pipeline.policy(group, approvals={"needed": NEEDED})
    started, worked = time.monotonic(), pipeline.worked()
    prefixes = (f"{groups[number % len(groups)]}/run-{number}" for number in range(uploads))
    pipeline.upload(prefixes, files.submission(image))
    uploaded = time.monotonic() - started
    pipeline.say(f"{uploads} uploads took {uploaded:.0f} s")
    pipeline.until(lambda: _validated(pipeline, groups, uploads), f"{uploads} packages that wait for approval", seconds)
    taken = time.monotonic() - started
    pipeline.quiet(seconds)
    statuses = pipeline.statuses(*groups)
    return {
        "groups": groups,
        "uploads": uploads,
        "packages": len(pipeline.packages(*groups)),
        "pending": statuses["PendingApproval"],
        "dead_letters": pipeline.dead_letters(),
        "seconds": taken,
        "seconds_each": taken / uploads,
        "processor_seconds_each": worked and ((pipeline.worked() or 0.0) - worked) / uploads,
    }


def _validated(pipeline: LoadedPipeline, groups: Sequence[str], uploads: int) -> bool:
    statuses = pipeline.statuses(*groups)
    pipeline.say(f"{statuses.total()} of {uploads} registered: {dict(statuses)}, under way: {pipeline.busy()}")
    return statuses["PendingApproval"] >= uploads


def votes(
    pipeline: LoadedPipeline, groups: Sequence[str], packages: int, approvers: int, minute: float, seconds: float
) -> Figures:
    """Have so many approvers approve so many packages within a `minute`, each package by two of them."""
    people = [pipeline.person(f"approver-{number}") for number in range(approvers)]
    asked = list(_asked(pipeline, groups).values())[:packages]
    ballots = [(entry, (number + seat * 7) % approvers) for number, entry in enumerate(asked) for seat in range(NEEDED)]
    started = time.monotonic()

    def vote(number: int) -> None:
        mine = [entry for entry, voter in ballots if voter == number]
        for place, entry in enumerate(mine):
            time.sleep(max(0.0, started + place * minute / len(mine) - time.monotonic()))
            pipeline.decide(entry, people[number])

    with ThreadPoolExecutor(approvers) as room:
        list(room.map(vote, range(approvers)))
    sent = time.monotonic() - started
    pipeline.say(f"{len(ballots)} votes took {sent:.0f} s")
    pipeline.quiet(seconds)
    return {
        "packages": len(asked),
        "votes": len(ballots),
        "approvers": approvers,
        "seconds_to_send": sent,
        "seconds": time.monotonic() - started,
        "dead_letters": pipeline.dead_letters(),
        **_counted(pipeline.entries(*groups), {entry.package for entry in asked}),
    }


def _asked(pipeline: LoadedPipeline, groups: Sequence[str]) -> dict[str, Entry]:
    """The entry that asked for each package's approval, by its ledger."""
    found = (entry for entry in pipeline.entries(*groups) if entry.kind == Kind.EVIDENCE_RECORDED)
    return {entry.package: entry for entry in found if entry.details["verdict"] == "passed"}


def _counted(entries: Sequence[Entry], packages: set[str]) -> Figures:
    """Whose approvals the ledgers of `packages` have, and what came of them: the last one is the decision itself."""
    theirs = [entry for entry in entries if entry.package in packages]
    kinds = Counter(entry.kind for entry in theirs)
    said = (Kind.VOTED, Kind.DECISION_RECORDED)
    ballots = Counter((entry.package, entry.actor) for entry in theirs if entry.kind in said)
    return {
        "counted": len(ballots),
        "doubled": sum(1 for times in ballots.values() if times > 1),
        "decided": kinds[Kind.DECISION_RECORDED],
        "refused": kinds[Kind.DECISION_REFUSED],
        "models": kinds[Kind.MODEL_CREATED],
    }


def validations(pipeline: LoadedPipeline, image: str, packages: int, seconds: float) -> Figures:
    """Validate so many packages of one group at once, while its champion changes; compare evidence with the ledger."""
    group = "contested"
    pipeline.policy(group, approvals={"needed": 1})
    pipeline.upload((f"{group}/run-{number}" for number in range(packages)), files.submission(image, 0.9))
    pipeline.until(lambda: _validated(pipeline, [group], packages), f"{packages} packages", seconds)
    person = pipeline.person("decider")
    first, second, *_ = asked = sorted(_asked(pipeline, [group]).values(), key=lambda entry: entry.version or 0)
    pipeline.decide(first, person)
    pipeline.quiet(seconds)
    started = time.monotonic()
    pipeline.validate(str(package_of(entry.package)[0]) for entry in asked[2:])
    pipeline.decide(second, person)
    pipeline.quiet(seconds)
    entries = pipeline.entries(group)
    return {
        "packages": len(asked),
        "validations": 2 * len(asked) - 2,
        "seconds": time.monotonic() - started,
        "dead_letters": pipeline.dead_letters(),
        **champions.compared(entries, pipeline.evidence),
    }
