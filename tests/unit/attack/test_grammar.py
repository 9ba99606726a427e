"""Cases have names, are planned the same for the same seed, and cover the grammar."""

from __future__ import annotations

from itertools import islice

import pytest

from attack.campaign import cases
from attack.grammar import Choices, Files, Grammar, case_of, plan
from attack.mutation import Mutant, try_of


def compose(choices: Choices) -> Files:
    return {"file": " ".join(choices.values()).encode() * 20}


FRUIT = Grammar("fruit", {"kind": ("apple", "pear", "plum"), "colour": ("green", "red")}, compose, ("eat",))


def test_a_case_is_made_again_from_its_name() -> None:
    case = FRUIT.case([("colour", "red"), ("kind", "plum")])

    again = case_of(case.name, [FRUIT])

    assert case.name == "fruit: kind=plum colour=red"
    assert again.files() == case.files()


@pytest.mark.parametrize("name", ["tree: kind=plum", "fruit: kind=fig", "fruit: size=large", "fruit: plum"])
def test_what_does_not_exist_is_no_case(name: str) -> None:
    with pytest.raises(ValueError, match=r"has no|no grammar"):
        case_of(name, [FRUIT])


def test_every_choice_then_every_pair_is_planned() -> None:
    first = [case.odd for case in islice(plan([FRUIT], 1), 6)]

    kinds = {(("kind", "pear"),), (("kind", "plum"),), (("colour", "red"),), ()}
    assert set(first[:4]) == kinds
    assert set(first[4:]) == {(("kind", kind), ("colour", "red")) for kind in ("pear", "plum")}


def test_a_seed_plans_the_same_again_and_another_something_else() -> None:
    first, again, other = ([case.name for case in islice(cases([FRUIT], seed), 60)] for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_mutant_is_made_again_from_its_name() -> None:
    mutant = Mutant(FRUIT.case([("kind", "pear")]), 7, 0)

    again = try_of(mutant.name, [FRUIT])

    assert again == mutant
    assert again.files() == mutant.files() != mutant.case.files()


def test_what_is_simpler_has_one_odd_choice_less() -> None:
    case = FRUIT.case([("kind", "pear"), ("colour", "red")])

    assert {each.name for each in case.simpler()} == {"fruit: kind=pear", "fruit: colour=red"}
