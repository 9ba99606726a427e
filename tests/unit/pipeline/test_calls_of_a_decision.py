"""What a decision costs: so many calls to AWS, so many for each object, and none for each version that there ever was.

Counted is what ApplyDecision and CreateModel ask AWS from the signed decision on, until nothing is left to do; and
apart from that what Announce tells others. docs/calls.md says what each call is for.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from signoff.ledger.entries import Kind
from tests.support.calls_of_decisions import (
    ARCHIVE,
    DECIDING,
    DEPLOYING,
    TELLING,
    Calls,
    by,
    calls_of,
    counted,
    decided,
    group_of,
    in_containers,
    submitted,
    under_a_prefix,
)
from tests.support.repository import ROOT

# For one approver, one archive and its manifest, in a group with a policy of its own, where nobody was champion before.
MOST = 34
TO_THE_MODEL = 27
SUPERSEDING = {DEPLOYING: 2, DECIDING: 4}  # another package was champion: its entry, and what its policy says of that
UNDER_THE_DEFAULT_POLICY = {DEPLOYING: 2, DECIDING: 2}  # the group and its tags, of each
FEW, MANY = 2, 200  # approved versions
PAGE = ROOT / "docs/calls.md"
DECISIONS = ("approve", "reject", "revoke", "rollback")


@cache
def approval(versions: int = 0, own_policy: bool = True) -> Calls:
    world = group_of(versions, own_policy=own_policy)
    arn = submitted(world, "candidate")
    return calls_of(world, lambda: decided(world, arn, "approve"))


@cache
def approval_of(objects: int, *, in_one_prefix: bool) -> Calls:
    world = group_of(0)
    arn = submitted(world, "candidate", under_a_prefix(objects) if in_one_prefix else in_containers(objects))
    return calls_of(world, lambda: decided(world, arn, "approve"))


@cache
def decision(which: str, versions: int) -> Calls:
    """The calls of a decision about a package more, or of a rollback to the first, in a group of so many versions."""
    world = group_of(versions)
    if which == "rollback":
        arn = next(iter(world.registry.described))
    else:
        arn = submitted(world, "candidate")
        if which == "revoke":
            decided(world, arn, "approve")
    return calls_of(world, lambda: decided(world, arn, which))


def working(calls: Calls) -> int:
    return by(calls, DECIDING, DEPLOYING)


def more(calls: Calls, than: Calls) -> dict[str, int]:
    return {function: by(calls, function) - by(than, function) for function in (DEPLOYING, DECIDING)}


def test_an_approval_costs_no_more_calls_than_it_needs():
    assert working(approval()) <= MOST


def test_no_call_comes_between_a_decision_and_its_model_but_those_for_it():
    world = group_of(0)
    arn = submitted(world, "candidate")
    begun = len(world.interruptions.noted)
    calls_of(world, lambda: decided(world, arn, "approve"))
    noted = world.interruptions.noted[begun:]
    created = noted.index((DEPLOYING, "FakeLedger.append", False))
    assert world.history(arn).last(Kind.MODEL_CREATED)
    assert working(counted(noted[: created + 1])) <= TO_THE_MODEL


def test_where_another_package_was_champion_its_ledger_and_its_policy_are_asked_about_that():
    assert more(approval(FEW), approval()) == SUPERSEDING


def test_under_the_default_policy_each_function_looks_at_the_group():
    assert more(approval(own_policy=False), approval()) == UNDER_THE_DEFAULT_POLICY


@pytest.mark.parametrize("which", DECISIONS)
def test_a_decision_costs_the_same_calls_in_a_group_of_few_versions_and_of_many(which: str):
    assert decision(which, MANY) == decision(which, FEW)


def test_each_object_under_a_prefix_is_kept_and_locked_with_one_call_each():
    one, many = (approval_of(objects, in_one_prefix=True) for objects in (1, 20))
    assert many - one == Counter({(DECIDING, "s3:PutObjectTagging"): 19, (DECIDING, "s3:PutObjectRetention"): 19})


def test_each_further_artifact_is_also_looked_at_before_and_after_its_model_is_created():
    one, many = (approval_of(objects, in_one_prefix=False) for objects in (1, 10))
    kept = {(DECIDING, "s3:PutObjectTagging"): 9, (DECIDING, "s3:PutObjectRetention"): 9}
    assert many - one == Counter({**kept, (DEPLOYING, "s3:HeadObject"): 18})


def test_a_decision_that_creates_no_model_reads_nothing_of_the_vault_but_what_it_writes():
    calls = decision("reject", FEW)
    assert {call: times for (_, call), times in calls.items() if call.startswith("s3:")} == {"s3:PutObject": 1}


def test_each_entry_that_is_announced_costs_one_call_and_one_for_whom_it_concerns():
    assert by(approval(), TELLING) <= 5


# What the page says


def table(name: str) -> Iterator[list[str]]:
    """The cells of each row of the page's table of that name."""
    begin, end = f"<!-- The calls of {name}. -->\n", f"<!-- The end of the calls of {name}. -->\n"
    for line in PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("function", [DECIDING, DEPLOYING])
def test_the_page_says_of_each_function_what_it_calls_for_an_approval_and_how_often(function: str):
    said = {call.strip("`"): int(times) for by_whom, call, times, _ in table("an approval") if by_whom == function}
    assert said == {call: times for (by_whom, call), times in approval().items() if by_whom == function}


def test_the_page_says_what_every_decision_costs():
    said = {which.strip("`"): tuple(map(int, counts)) for which, *counts in table("decisions")}
    found = {which: decision(which, FEW) for which in DECISIONS}
    found["approve, the group's first"] = approval()
    found["approve, under the default policy"] = approval(own_policy=False)
    assert said == {
        which: (by(calls, DECIDING), by(calls, DEPLOYING), working(calls), by(calls, TELLING))
        for which, calls in found.items()
    }


def test_what_the_page_says_of_an_approval_is_of_a_submission_of_two_files():
    assert list(ARCHIVE) == ["model.tar.gz", "manifest.json"]
    assert f"{MOST} calls" in PAGE.read_text(encoding="utf-8")
