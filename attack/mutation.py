"""Disguises that chance makes of others: a few bytes are changed, put in, left out or repeated."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from attack.grammar import Case, Files, Grammar, case_of

EDITS = 4  # at most
FAR = 64  # bytes from either end where half of all edits are: headers and trailers lie there
TELLING = bytes((0x00, 0x01, 0x7F, 0x80, 0xFF, 0x0A, 0x20, 0x28, 0x2E, 0x30, 0x50, 0x1F))

Edit = Callable[[bytearray, int, random.Random], None]


def _flip(data: bytearray, at: int, chance: random.Random) -> None:
    data[at] ^= 1 << chance.randrange(8)


def _set(data: bytearray, at: int, chance: random.Random) -> None:
    data[at] = chance.choice(TELLING)


def _insert(data: bytearray, at: int, chance: random.Random) -> None:
    data[at:at] = bytes(chance.choice(TELLING) for _ in range(chance.randint(1, 4)))


def _delete(data: bytearray, at: int, chance: random.Random) -> None:
    del data[at : at + chance.randint(1, 4)]


def _repeat(data: bytearray, at: int, chance: random.Random) -> None:
    data[at:at] = data[at : at + chance.randint(1, 32)]


def _move(data: bytearray, at: int, chance: random.Random) -> None:
    part = data[at : at + chance.randint(1, 32)]
    to = chance.randrange(len(data) + 1)
    data[to:to] = part


def _cut(data: bytearray, at: int, _chance: random.Random) -> None:
    if at > len(data) // 2:
        del data[at:]


_EDITS: tuple[Edit, ...] = (_flip, _set, _insert, _delete, _repeat, _move, _cut)


def mutated(data: bytes, chance: random.Random, skip: int = -1) -> bytes:
    """Return `data` with up to `EDITS` edits; the one of number `skip` is left out."""
    result = bytearray(data)
    for number in range(chance.randint(1, EDITS)):
        edit = random.Random(chance.random())  # noqa: S311 - the next edit is the same whether this one is made
        at = _place(len(result), edit)
        if number != skip and at < len(result):
            edit.choice(_EDITS)(result, at, edit)
    return bytes(result)


def _place(size: int, chance: random.Random) -> int:
    at = chance.randrange(max(1, size))
    return chance.choice((at, at, at % FAR, max(0, size - 1 - at % FAR)))


@dataclass(frozen=True)
class Mutant:
    """A case whose files were changed by chance, the same for the same seed."""

    case: Case
    seed: int
    skipped: int = -1

    @property
    def name(self) -> str:
        """The case's name, and what changes it again."""
        return f"{self.case.name} ~{self.seed}" + (f"-{self.skipped}" if self.skipped >= 0 else "")

    @property
    def grammar(self) -> Grammar:
        """The case's grammar."""
        return self.case.grammar

    @property
    def odd(self) -> tuple[tuple[str, str], ...]:
        """The case's odd choices."""
        return self.case.odd

    def files(self) -> Files:
        """Make its files. Raises `ImpossibleDisguise`."""
        files: Mapping[str, bytes] = self.case.files()
        chance = random.Random(self.seed)  # noqa: S311 - to be the same again
        return {name: mutated(content, chance, self.skipped) for name, content in files.items()}

    def simpler(self) -> Iterator[Case | Mutant]:
        """Yield what it is a mutant of, itself with one edit less, and mutants of simpler cases."""
        yield self.case
        if self.skipped < 0:
            yield from (Mutant(self.case, self.seed, skipped) for skipped in range(EDITS))
        yield from (Mutant(case, self.seed, self.skipped) for case in self.case.simpler())


Try = Case | Mutant
"""What can be tried."""


def try_of(name: str, grammars: Sequence[Grammar]) -> Try:
    """Return the case or the mutant of that name. Raises `ValueError` when there is none."""
    plain, _, seed = name.partition(" ~")
    case = case_of(plain, grammars)
    if not seed:
        return case
    number, _, skipped = seed.partition("-")
    return Mutant(case, int(number), int(skipped or -1))
