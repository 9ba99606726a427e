"""A grammar of disguises: what can be chosen, each choice by its name, so that what was tried can be counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

Files = Mapping[str, bytes]
"""An artifact: the contents of its files by their paths in it."""

Choices = Mapping[str, str]
"""The name of what is chosen in each dimension."""

WILD = 4  # choices at most that differ from the plain ones, beyond the pairs: each more hides what the others do


class ImpossibleDisguise(Exception):
    """Raised when choices do not go together, so that there is nothing to try."""


@dataclass(frozen=True)
class Grammar:
    """Disguises of one family: its dimensions, each with the names of its choices (the plain one first).

    `compose` makes the files of a combination; `loaders` are the names of those that may run it. `hostile` says that
    what they call is meant to be refused, so that peers have a say. `kinds` are the content types that a file may be
    told to have which a loader reads, by the loader, where it runs nothing.
    """

    name: str
    dimensions: Mapping[str, Sequence[str]]
    compose: Callable[[Choices], Files]
    loaders: Sequence[str]
    hostile: bool = True
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def plain(self) -> dict[str, str]:
        """The combination without any disguise."""
        return {dimension: names[0] for dimension, names in self.dimensions.items()}

    def values(self) -> list[tuple[tuple[str, str], ...]]:
        """Return every choice by itself, the plain ones together as the first, empty one."""
        odd = [(dimension, name) for dimension, names in self.dimensions.items() for name in names[1:]]
        return [(), *((each,) for each in odd)]

    def pairs(self) -> list[tuple[tuple[str, str], ...]]:
        """Return every two choices that differ from the plain ones, of two dimensions."""
        odd = [each for (each,) in self.values()[1:]]
        return [(one, other) for one, other in combinations(odd, 2) if one[0] != other[0]]

    def case(self, odd: Sequence[tuple[str, str]]) -> Case:
        """Return the case of those choices, all others being plain."""
        return Case(self, {**self.plain, **dict(odd)})

    def parse(self, text: str) -> Case:
        """Return the case of a `Case.name`'s choices. Raises `ValueError` for one that does not exist."""
        odd = [tuple(part.split("=", 1)) for part in text.split()]
        unknown = [each for each in odd if len(each) != 2 or each[1] not in self.dimensions.get(each[0], ())]
        if unknown:
            raise ValueError(f"{self.name} has no {unknown[0]}")
        return self.case([(each[0], each[1]) for each in odd])


@dataclass(frozen=True)
class Case:
    """One disguise: a combination of a grammar's choices."""

    grammar: Grammar
    choices: Choices

    @property
    def odd(self) -> tuple[tuple[str, str], ...]:
        """The choices that are not the plain ones."""
        plain = self.grammar.plain
        return tuple((dimension, name) for dimension, name in self.choices.items() if plain[dimension] != name)

    @property
    def name(self) -> str:
        """What makes it again: the grammar's name and the odd choices."""
        return " ".join([f"{self.grammar.name}:", *(f"{dimension}={name}" for dimension, name in self.odd)])

    def files(self) -> Files:
        """Make its files. Raises `ImpossibleDisguise`."""
        try:
            return self.grammar.compose(self.choices)
        except OverflowError as error:
            raise ImpossibleDisguise("a size is larger than its field") from error

    def simpler(self) -> Iterator[Case]:
        """Yield the cases with one odd choice less."""
        for dimension, _ in self.odd:
            yield self.grammar.case([each for each in self.odd if each[0] != dimension])


def case_of(name: str, grammars: Sequence[Grammar]) -> Case:
    """Return the case of that name. Raises `ValueError` when no grammar has it."""
    family, _, choices = name.partition(":")
    grammar = next((each for each in grammars if each.name == family), None)
    if grammar is None:
        raise ValueError(f"there is no grammar {family}")
    return grammar.parse(choices)


def plan(grammars: Sequence[Grammar], seed: int) -> Iterator[Case]:
    """Yield cases without end: each choice by itself, then all pairs, then what chance composes of up to `WILD`."""
    chance = random.Random(seed)  # noqa: S311 - to be the same again, not to be secret
    for subsets in (Grammar.values, Grammar.pairs):
        cases = [grammar.case(odd) for grammar in grammars for odd in subsets(grammar)]
        chance.shuffle(cases)
        yield from cases
    while True:
        grammar = chance.choice(grammars)
        number = min(chance.randint(3, WILD), len(grammar.dimensions))
        dimensions = chance.sample(sorted(grammar.dimensions), number)
        yield grammar.case([(each, chance.choice(grammar.dimensions[each])) for each in dimensions])
