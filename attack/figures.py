"""What was tried, and how much of the grammar that was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from attack.grammar import Case, Grammar

if TYPE_CHECKING:
    from attack.mutation import Mutant
    from attack.sandbox.client import Outcome

Odd = tuple[str, str, str]
"""A grammar, a dimension, a choice."""


@dataclass
class Figures:
    """Numbers of cases: `run` of those that left a mark, by loader; `alarms` of what peers refuse and nobody loads."""

    tried: int = 0
    mutants: int = 0
    mutants_loaded: int = 0
    mutants_live: int = 0
    impossible: int = 0
    known: int = 0
    refused: int = 0
    loaded: int = 0
    live: int = 0
    run: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    _tried: set[Odd] = field(default_factory=set)
    _live: set[Odd] = field(default_factory=set)
    _pairs: set[frozenset[Odd]] = field(default_factory=set)

    def add(self, case: Case | Mutant, *, passes: bool, outcomes: Mapping[str, Outcome] | None) -> None:
        """Count a case, and what became of it in the loaders that it was given to."""
        self.tried += 1
        self.refused += not passes
        marked = [name for name, outcome in (outcomes or {}).items() if outcome.what == "marked"]
        if outcomes is not None:
            self.loaded += 1
            self.live += bool(marked)
            self.run.update(marked)
            self.outcomes.update(outcome.what for outcome in outcomes.values())
        if not isinstance(case, Case):
            self.mutants += 1
            self.mutants_loaded += outcomes is not None
            self.mutants_live += bool(marked)
            return
        chosen = [(case.grammar.name, *each) for each in case.odd]
        self._tried.update(chosen)
        self._pairs.update(frozenset(pair) for pair in combinations(chosen, 2))
        if marked:
            self._live.update(chosen)

    def line(self) -> str:
        """Return one line about all of it."""
        return (
            f"{self.tried:,} tried ({self.mutants:,} mutants), {self.refused:,} refused, "
            f"{self.loaded:,} loaded ({self.mutants_loaded:,} mutants), "
            f"{self.live:,} ({self.mutants_live:,}) of them run by a loader"
        )

    def coverage(self, grammars: Sequence[Grammar]) -> Iterator[tuple[str, str, int, int, int]]:
        """Yield grammar, dimension, how many choices there are, were tried, and were run by a loader."""
        for grammar in grammars:
            for dimension, names in grammar.dimensions.items():
                odd = {(grammar.name, dimension, name) for name in names[1:]}
                yield grammar.name, dimension, len(odd), len(odd & self._tried), len(odd & self._live)

    def pairs(self, grammars: Sequence[Grammar]) -> tuple[int, int]:
        """Return how many pairs of choices there are, and were tried together."""
        return sum(len(grammar.pairs()) for grammar in grammars), len(self._pairs)
