"""Tries one case after the other: what leaves a mark when it is loaded, and passes inspection, is a find."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from attack.figures import Figures
from attack.grammar import Case, Files, Grammar, ImpossibleDisguise, plan
from attack.judgement import errors, inspected
from attack.loaders.peers import PEERS
from attack.mutation import Mutant, Try
from attack.sandbox.client import Outcome, Sandbox

CRASH = "nobody, for inspection raises"
SAMPLE = 25  # of what is refused, one in so many is loaded too, to see that disguises are live; choices alone all are


@dataclass(frozen=True)
class Find:
    """What passes inspection although loaders run it, or although peers refuse it (`by`: their names)."""

    case: Try
    files: Files
    by: tuple[str, ...]

    @property
    def of_peers(self) -> bool:
        """Whether no loader runs it: a peer says that it is dangerous."""
        return set(self.by) <= set(PEERS)


@dataclass
class Campaign:
    """A run of cases through inspection, and of those that pass through the loaders of all `sandboxes`."""

    sandboxes: Sequence[Sandbox]
    figures: Figures = field(default_factory=Figures)
    finds: dict[str, Find] = field(default_factory=dict)

    def run(self, cases: Iterable[Try], until: Callable[[], bool], found: Callable[[Find], None]) -> None:
        """Try `cases` until it says so; each new find is handed to `found` in its simplest form."""
        for number, case in enumerate(cases):
            if until():
                return
            if self._known(case):
                self.figures.known += 1
                continue
            find = self.attempt(case, load=(isinstance(case, Case) and len(case.odd) < 2) or number % SAMPLE == 0)
            if find:
                find = self._simplest(find)
                if find.case.name not in self.finds:
                    self.finds[find.case.name] = find
                    found(find)

    def attempt(self, case: Try, *, load: bool = False) -> Find | None:
        """Inspect a case, and load it when it passes (or anyway); return the find that it is."""
        try:
            files = case.files()
        except ImpossibleDisguise:
            self.figures.impossible += 1
            return None
        try:
            inspection = inspected(files)
        except Exception as error:  # an inspection that errs leaves an artifact unjudged
            return Find(case, files, (f"{CRASH} {error!r}",))
        passes = not errors(inspection)
        outcomes = self._load(files, case) if passes or load else None
        marked = tuple(name for name, outcome in (outcomes or {}).items() if outcome.what == "marked")
        self.figures.add(case, passes=passes, outcomes=outcomes)
        if not passes:
            return None
        if unknown := _taken_for_others(case.grammar.kinds, outcomes or {}, inspection.kinds):
            return Find(case, files, unknown)
        peers = tuple(name for name, outcome in self._ask(files, case).items() if outcome.word.startswith("Found"))
        read = any(outcome.what == "loaded" for outcome in (outcomes or {}).values())
        if peers and not marked and (isinstance(case, Mutant) or not read):
            self.figures.alarms.update(peers)  # names in bytes that no loader follows
            return None
        return Find(case, files, (*marked, *peers)) if marked or peers else None

    def _load(self, files: Files, case: Try) -> Mapping[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        for sandbox in self.sandboxes:
            others = [name for name in case.grammar.loaders if name not in outcomes]
            loaders = others if case.grammar.kinds else case.grammar.loaders  # what runs nothing is asked once
            for name, outcome in sandbox.load(files, loaders).items():
                if outcome.what == "marked" or name not in outcomes:
                    outcomes[name] = outcome
        return outcomes

    def _ask(self, files: Files, case: Try) -> dict[str, Outcome]:
        answers: dict[str, Outcome] = {}
        for sandbox in self.sandboxes if case.grammar.hostile else ():
            answers |= sandbox.load(files, PEERS)
        return answers

    def _known(self, case: Try) -> bool:
        """Whether it has all the odd choices of something that was found: it would be found again."""
        names = {name for _, name in case.odd}  # whatever the dimension: two may have the same choices
        alike = (find.case for find in self.finds.values() if find.case.grammar is case.grammar)
        return any(found.odd and {name for _, name in found.odd} <= names for found in alike)

    def _simplest(self, find: Find) -> Find:
        """Return the simplest case that is found in the same way."""
        for case in find.case.simpler():
            simpler = self.attempt(case)
            if simpler and simpler.of_peers == find.of_peers:
                return self._simplest(simpler)
        return find


def _taken_for_others(
    kinds: Mapping[str, Sequence[str]], outcomes: Mapping[str, Outcome], seen: Iterable[str]
) -> tuple[str, ...]:
    """Return the loaders that read what inspection took for other than they read."""
    read = [name for name, outcome in outcomes.items() if outcome.what == "loaded"]
    return tuple(
        f"{name}, of what is taken for {' and '.join(seen)}"
        for name in read
        if name in kinds and not {*kinds[name]} & {*seen}
    )


def cases(grammars: Sequence[Grammar], seed: int) -> Iterator[Try]:
    """Yield cases without end: every choice by itself, then others, each with a mutant of a choice of some grammar."""
    chance = random.Random(seed)  # noqa: S311 - to be the same again
    alone = {grammar.name: [grammar.case([])] for grammar in grammars}
    for case in plan(grammars, seed):
        yield case
        if len(case.odd) < 2:
            alone[case.grammar.name].append(case)
        else:
            yield Mutant(chance.choice(alone[chance.choice(grammars).name]), chance.getrandbits(32))


def deadline(seconds: float) -> Callable[[], bool]:
    """Return a function that says whether so many seconds have passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
