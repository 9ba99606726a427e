"""From upload to retirement: what people do, and what the run comes to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from signoff.approval import retention
from signoff.aws import vault
from signoff.ledger.entries import Kind
from signoff.ledger.history import History
from signoff.submission import intake, register_model
from signoff.validation import submitted
from tests.faults.faults import Fault, applies
from tests.faults.faulty_world import PROFILE, FaultyWorld
from tests.support.clock import START

APART = timedelta(days=3)
# What tells one attempt, execution or moment from another, and not what came of it.
_MOMENTS = {
    *("attempt", "execution", "next_attempt_in", "uri", "sha256", "evidence", "standing", "id", "proof", "signed"),
    *("CreationTime", "sequence", "event", "time", "started", "waiting_since"),
}
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"


Stage = Callable[[FaultyWorld], None]


def _package(world: FaultyWorld, version: int) -> str:
    return next(arn for arn in world.registry.described if arn.endswith(f"/{version}"))


def _submits(run: str, **changed: Any) -> Stage:
    return lambda world: world.uploads(world.files(f"churn/{run}", **changed))


def _decides(version: int, decision: str) -> Stage:
    return lambda world: world.decides(_package(world, version), decision)


def _refused(world: FaultyWorld) -> None:
    world.uploads({"churn/run-3/manifest.json": {"Nonsense": 1}})


def _stopped(world: FaultyWorld) -> None:
    world.stopping = True
    world.elsewhere()


def _unheard(world: FaultyWorld) -> None:
    world.uploads(world.files("churn/run-4"), registered=False)


def _deafly(stage: Stage) -> Stage:
    def deaf(world: FaultyWorld) -> None:
        world.deaf = True
        stage(world)

    return deaf


# Each is done on a day of its own, when all that came before is settled. The sweep brings about the last three.
STAGES: tuple[Stage, ...] = (
    _submits("run-1"),
    _decides(1, "approve"),
    _submits("run-2"),
    _decides(2, "approve"),
    _decides(1, "rollback"),
    _decides(1, "revoke"),
    _decides(2, "revoke"),
    _refused,
    _stopped,
    _decides(3, "reject"),
    _deafly(_unheard),
    _deafly(_decides(4, "approve")),
    _deafly(_decides(4, "revoke")),
)


@dataclass(frozen=True)
class Case:
    """One call of the faultless run, by its number, and what becomes of it."""

    number: int
    function: str
    operation: str
    fault: Fault


@dataclass(frozen=True)
class Result:
    """What a run with a fault came to: whether as without, by what means, and else what is different."""

    case: Case
    helped: tuple[str, ...]
    wrong: str = ""


def begun() -> FaultyWorld:
    """Return the world as each journey begins in it."""
    return FaultyWorld(images={"block_at": "HIGH", "signed_by": [PROFILE]})


def travelled(at: int | None = None, fault: Fault | None = None) -> FaultyWorld:
    """Return the world after the whole journey, with one fault or none."""
    world = begun()
    world.interruptions.at, world.interruptions.fault = at, fault
    return travel(world)


def travel(world: FaultyWorld) -> FaultyWorld:
    """Have people do what there is to do, each on their day, and the world settle in between."""
    with one_after_the_other():
        for number, stage in enumerate(STAGES):
            assert world.clock() <= START + number * APART
            world.clock.now = START + number * APART
            world.deaf = False
            stage(world)
            world.settle()
    return world


@contextmanager
def one_after_the_other() -> Iterator[None]:
    """Make calls one after the other that are made at once otherwise: each has its number then."""
    callers = [vault, submitted, retention, intake, register_model]
    before = [caller.in_parallel for caller in callers]
    for caller in callers:
        caller.in_parallel = lambda act, items: [act(item) for item in items]  # type: ignore[assignment]
    try:
        yield
    finally:
        for caller, in_parallel in zip(callers, before, strict=True):
            caller.in_parallel = in_parallel


def cases_of(number: int, function: str, operation: str, workflow: bool) -> Iterator[Case]:
    """Yield a call with each fault that may become of it."""
    for fault in Fault:
        if applies(fault, function, operation, workflow):
            yield Case(number, function, operation, fault)


def cases(faultless: FaultyWorld) -> list[Case]:
    """Return each call of a faultless run with each fault that may become of it."""
    noted = enumerate(faultless.interruptions.noted, start=1)
    return [case for number, call in noted for case in cases_of(number, *call)]


def first(found: list[Case]) -> list[Case]:
    """Return the cases in which a function makes a call for the first time."""
    return list({(case.function, case.operation, case.fault): case for case in reversed(found)}.values())


def run(case: Case, faultless: FaultyWorld) -> Result:
    """Return what becomes of the journey with one fault."""
    return judged(case, lambda: travelled(case.number, case.fault), faultless)


def judged(case: Case, travelling: Callable[[], FaultyWorld], faultless: FaultyWorld) -> Result:
    """Return whether a journey with a fault came to the same as without, and by what means."""
    try:
        world = travelling()
    except Exception as error:  # whatever it is, it is what became of this fault
        return Result(case, (), f"{type(error).__name__}: {error}")
    if world.dead:
        return Result(case, (), f"dead letters for {[message.reader for message in world.dead]}")
    wrong = "; ".join(differences(meaning(world), meaning(faultless)))
    return Result(case, tuple(sorted(world.helped - faultless.helped)), wrong)


def differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Yield where what was found is not as expected."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}):
            yield from differences(found.get(key), expected.get(key), f"{path}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif found != expected:
        yield f"{path}: {found!r}, not {expected!r}"


def meaning(world: FaultyWorld) -> dict[str, Any]:
    """Return what a run has come to, without what tells one attempt or moment from another."""
    outcome, plain = world.outcome(), _plainly(world)
    histories = {about(key): history.verified() for key, history in world.ledger.histories.items()}
    return {
        "ledgers": {key: plain(_entries(history)) for key, history in histories.items()},
        "states": {key: plain(_state(history)) for key, history in histories.items()},
        # A card is only shown, by one call for each piece of evidence: one that fails has no other consequence.
        "packages": plain({arn: _without_card(each) for arn, each in outcome["packages"].items()}),
        "groups": outcome["groups"],
        "models": plain(outcome["models"]),
        "champions": outcome["champions"],
        "tags": outcome["tags"],
        "reports": plain(outcome["reports"]),
        "submissions": plain(outcome["submissions"]),
        "copies": {key: len(found) for key, found in world.vault_bucket.versions.items() if key.startswith("models/")},
        "checkpoints": len({key for key in world.vault_bucket.versions if key.startswith("heads/")}) > 0,
        "unwitnessed": outcome["unwitnessed"],
        "announced": _distinct((event.type, plain(event.detail)) for event in world.outlets.announced),
        "told": _distinct((str(each.stage), each.subject) for each in world.outlets.told),
    }


def _without_card(described: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in described.items() if field != "ModelCard"}


def about(key: str) -> str:
    """Return what a ledger is about: a package's key has the moment of its creation too."""
    return key.partition("@")[0]


def _state(history: History) -> dict[str, Any]:
    state = history.state
    return {"status": state.status, "evidence": state.evidence, "model": state.model, "step": state.next_step}


def _entries(history: History) -> list[Any]:
    """Return the entries but for those of validations that ended without a verdict."""
    kept: list[Any] = []
    for entry in history.entries:
        if entry.kind is Kind.VALIDATION_ERRORED:
            if kept and kept[-1][0] is Kind.VALIDATION_STARTED:
                kept.pop()
            continue
        kept.append((entry.kind, entry.actor, entry.details))
    return kept


def _distinct(found: Any) -> dict[str, bool]:
    """Return what was sent, once: what is delivered at least once may be twice. Errors that passed are left out."""
    written = {json.dumps(each, sort_keys=True, default=str) for each in found}
    return {each: True for each in written if "Errored" not in each and "could not be validated yet" not in each}


def _plainly(world: FaultyWorld) -> Callable[[Any], Any]:
    """Return what takes out of a value whatever tells one attempt or moment from another."""
    evidence = [PurePosixPath(key).stem for key in world.vault_bucket.versions if key.startswith("evidence/")]
    moments = re.compile("|".join([*evidence, _TIME]))

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items() if key not in _MOMENTS}
        if isinstance(value, (list, tuple)):
            return [plain(each) for each in value]
        return moments.sub("...", value) if isinstance(value, str) else value

    return plain
