"""What roles used is compared with what they may do: of each deployment of a test run, and of all of them together."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.rare_uses import RARE, Rare, matches, rare_uses
from tests.support.repository import ROOT
from tests.support.role_use import Difference, Observed, difference, keep, kept, observed
from tests.support.role_use_report import RoleUseReport
from tests.support.service_uses import Use, granted, service_uses
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

ELSEWHERE = "222222222222"


def names(template: SynthesizedTemplate) -> dict[str, str]:
    """A name for each resource that may be what CloudFormation made of it."""
    return {logical: f"signoff-{logical.lower()}-4f2a" for logical in template.document["Resources"]}


def deployed(template: SynthesizedTemplate, account: str = ACCOUNT) -> SynthesizedTemplate:
    return template.deployed_as(names(template), account, REGION)


def role_of(there: SynthesizedTemplate, name: str) -> str:
    return there.role(name).rpartition("/")[2]


def notes(there: SynthesizedTemplate, uses: Iterable[Use]) -> list[dict[str, Any]]:
    """What the engine would note if each of these grants of a deployed template were used."""
    said = {"account": there.pseudo["AWS::AccountId"], "resource": "arn:aws:s3:::any", "allowed": True}
    return [{**said, "role": role_of(there, u.role), "action": u.action, "granted": [u.resource]} for u in uses]


def denial(there: SynthesizedTemplate, role: str, action: str, resource: str) -> dict[str, Any]:
    said = {"account": there.pseudo["AWS::AccountId"], "granted": [], "allowed": False}
    return {**said, "role": role_of(there, role), "action": action, "resource": resource}


def without(uses: Iterable[Use], role: str, action: str) -> list[Use]:
    return [use for use in uses if (use.role, use.action) != (role, action)]


def unused(*found: Observed) -> Sequence[Use]:
    return difference(found).unused


def test_there_is_no_difference_when_every_grant_was_used(template: SynthesizedTemplate) -> None:
    there = deployed(template)
    assert difference([observed(template, there, notes(there, granted(there)))]) == Difference([], [])


def test_a_grant_that_nothing_used_is_told_by_role_action_and_resource(template: SynthesizedTemplate) -> None:
    there = deployed(template)
    found = observed(template, there, notes(there, without(granted(there), "AnnounceRole", "events:PutEvents")))
    (use,) = unused(found)
    assert (use.role, use.action) == ("AnnounceRole", "events:PutEvents")
    assert use.resource in str(difference([found]))


def test_one_resource_of_several_that_was_never_touched_is_told(template: SynthesizedTemplate) -> None:
    there = deployed(template)
    left = next(use for use in granted(there) if use.role == "SweepRole" and use.action == "sqs:SendMessage")
    found = observed(template, there, notes(there, [use for use in granted(there) if use != left]))
    assert [(use.role, use.action) for use in unused(found)] == [("SweepRole", "sqs:SendMessage")]


def test_what_one_of_several_deployments_used_is_used(template: SynthesizedTemplate) -> None:
    there = deployed(template)
    half = list(granted(there))[::2]
    other = [use for use in granted(there) if use not in half]
    found = [observed(template, there, notes(there, uses)) for uses in (half, other)]
    assert unused(found[0])
    assert unused(*found) == []


def test_what_a_role_was_denied_is_told(template: SynthesizedTemplate) -> None:
    there = deployed(template)
    asked = denial(there, "KeepSignatureRole", "s3:GetObject", "arn:aws:s3:::vault/models/a")
    found = difference([observed(template, there, [*notes(there, granted(there)), asked])])
    assert found.missing == [Use("KeepSignatureRole", "s3:GetObject", "arn:aws:s3:::vault/models/a")]
    assert "Asked for, and not allowed" in str(found)


def test_another_accounts_role_of_the_same_name_is_another_role(template: SynthesizedTemplate) -> None:
    there, other = deployed(template), deployed(template, ELSEWHERE)
    asked = denial(other, "SweepRole", "s3:GetObject", "arn:aws:s3:::any")
    found = observed(template, there, [*notes(other, granted(other)), asked])
    assert found.used == {*service_uses(template), *rare_uses(template)}
    assert found.denied == set()


@pytest.mark.parametrize("settings", ["template", "chosen", "ephemeral"])
def test_what_services_do_under_a_role_the_role_may_do(settings: str, request: pytest.FixtureRequest) -> None:
    chosen: SynthesizedTemplate = request.getfixturevalue(settings)
    assert {*service_uses(chosen)} <= {*granted(chosen)}


@pytest.mark.parametrize("rare", RARE, ids=lambda rare: rare.actions[0])
def test_what_is_rare_is_granted_and_shown_by_a_test(rare: Rare, template: SynthesizedTemplate) -> None:
    found = [use for use in granted(template) if matches(rare, use)]
    file, _, name = rare.test.partition("::")
    assert {use.action for use in found} == {*rare.actions}
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_what_test_processes_keep_is_read_by_the_one_that_reports(template: SynthesizedTemplate, tmp_path: Any) -> None:
    there = deployed(template)
    found = observed(template, there, [denial(there, "SweepRole", "s3:GetObject", "arn:aws:s3:::any")])
    for _ in range(2):
        keep(tmp_path / "kept", found)
    assert kept(tmp_path / "kept") == [found, found]


def ended(base: Path, *, passed: bool = True) -> tuple[int, str]:
    """The exit status of a run whose processes share `base`, and what is printed at its end."""
    status = pytest.ExitCode.OK if passed else pytest.ExitCode.TESTS_FAILED
    config = SimpleNamespace(_tmp_path_factory=SimpleNamespace(getbasetemp=lambda: base))
    session, printed = SimpleNamespace(config=config, exitstatus=status), list[str]()
    terminal = SimpleNamespace(section=lambda title, **_: printed.append(title), line=printed.append)
    report = RoleUseReport()
    report.pytest_sessionfinish(session)  # type: ignore[arg-type]
    report.pytest_terminal_summary(terminal)
    return int(session.exitstatus), "\n".join(printed)


UNUSED = Observed({Use("SweepRole", "dynamodb:Scan", "any")}, set(), set())
MISSING = Observed(set(), set(), {Use("SweepRole", "s3:GetObject", "any")})


def test_a_whole_run_fails_for_what_nothing_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    keep(tmp_path / "role-use", UNUSED)
    (tmp_path / "whole").touch()

    status, printed = ended(tmp_path)

    assert status == pytest.ExitCode.TESTS_FAILED
    assert "SweepRole: dynamodb:Scan on any" in printed


def test_a_run_of_some_tests_or_one_that_failed_says_nothing_of_what_it_did_not_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    keep(tmp_path / "role-use", UNUSED)
    assert ended(tmp_path) == (pytest.ExitCode.OK, "")
    (tmp_path / "whole").touch()
    assert ended(tmp_path, passed=False) == (pytest.ExitCode.TESTS_FAILED, "")


def test_every_run_fails_for_what_a_role_needs_and_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    keep(tmp_path / "role-use", MISSING)

    status, printed = ended(tmp_path)

    assert status == pytest.ExitCode.TESTS_FAILED
    assert "SweepRole: s3:GetObject on any" in printed
