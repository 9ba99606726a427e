"""`signoff policy`: what a policy says, every fault of it, and its schema, before it is deployed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import PolicyFault
from signoff.policy.lint import all_faults, with_execution_role
from signoff.policy.policy import of_document
from signoff_cli import main
from signoff_cli.policies.check import check
from signoff_cli.policies.fields import FIELDS
from signoff_cli.policies.schema import fields, policy_schema
from tests.support.json_schema import Schema
from tests.support.repository import ROOT

FILES = sorted([*(ROOT / "infra/policies").rglob("*.json"), *(ROOT / "examples/manifests").glob("*/policy.json")])
DOCUMENT = policy_schema()
SCHEMA = Schema(DOCUMENT)
ALICE, BOB = "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/bob"
RISK = "arn:aws:iam::123456789012:role/risk-*"
CAROL = "arn:aws:identitycenter:::user/carol"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main.run(["policy", *arguments])
    return int(ended.value.code or 0)


def write(folder: Path, document: Any, name: str = "churn.json") -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def data(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def faults(document: Any) -> dict[str, str]:
    return {fault.path: fault.message for fault in check("p", data(document)).faults}


def warned(document: Any) -> dict[str, str]:
    checked = check("p", data(document))
    assert checked.faults == ()
    return {warning.path: warning.message for warning in checked.warnings}


def told(**document: Any) -> dict[str, str]:
    checked = check("p", data(document))
    assert checked.faults == ()
    return {topic: " ".join(each) for topic, each in checked.sentences.items()}


def approvals(**fields: Any) -> dict[str, Any]:
    return {"approvals": fields}


def asserted(*principals: str) -> dict[str, Any]:
    return approvals(approvers=[ALICE, BOB], identity="asserted", publishers={"acme.tickets": principals})


# The command


def test_a_policy_is_explained_in_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, approvals(approvers=[ALICE, BOB], expiry={"after": "P14D", "reminders": ["P7D"]}))
    assert run("check", file) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{file} has no fault\n")
    assert "  expiring    What nobody has decided after 14 days is rejected.\n" in printed.out
    assert "              People are reminded after 7 days.\n" in printed.out
    assert "warning" not in printed.out
    assert printed.err == ""


def test_every_fault_of_every_file_is_listed_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path, {}, "good.json")
    faulty = write(
        tmp_path, {"aprovals": {}, "approvals": {"needed": 0, "expiry": {"after": "2 weeks"}}}, "faulty.json"
    )
    broken = write(tmp_path, "{", "broken.json")
    assert run("check", good, faulty, broken) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{good} has no fault\n")
    assert faulty not in printed.out
    lines = printed.err.splitlines()
    assert lines[0] == f"signoff: {faulty} has 3 faults:"
    assert lines[1].startswith("  approvals.expiry.after: must be an ISO 8601 duration of days and shorter")
    assert lines[2] == "  approvals.needed: `needed` is at least 1: without an approval nothing is deployed"
    assert lines[3] == "  aprovals: is not a field here; did you mean approvals?"
    assert lines[4] == f"{broken} has 1 fault:"
    assert lines[5].startswith("  policy: is not JSON")


def test_warnings_are_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, approvals(submitter_may_approve=True))) == 0
    assert "  warning     approvals.submitter_may_approve: one person alone" in capsys.readouterr().out


def test_a_program_reads_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, faulty = write(tmp_path, {}, "good.json"), write(tmp_path, {"mode": "loud"}, "faulty.json")
    assert run("check", good, faulty, "--json") == 1
    passed, failed = json.loads(capsys.readouterr().out)
    assert (passed["file"], passed["verdict"], passed["faults"]) == (good, "passed", [])
    assert [warning["path"] for warning in passed["warnings"]] == ["approvals.approvers"]
    assert passed["policy"]["mode"] == ["What is refused is held: no model of it is made."]
    assert (failed["file"], failed["verdict"], failed["policy"]) == (faulty, "failed", {})
    assert failed["faults"] == [{"path": "mode", "message": 'must be one of enforce, report, not "loud"'}]


def test_standard_input_is_a_policy_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"{}")))
    assert run("check", "-") == 0
    assert capsys.readouterr().out.startswith("the policy has no fault")


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(tmp_path / "none.json")) == 1
    assert "none.json cannot be read: No such file" in capsys.readouterr().err


def test_policies_that_believe_a_source_of_different_principals_are_faulty_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = write(tmp_path, asserted(ALICE), "one.json"), write(tmp_path, asserted(BOB), "other.json")
    assert run("check", one) == run("check", other) == 0
    capsys.readouterr()
    assert run("check", one, other) == 1
    printed = capsys.readouterr()
    assert f"signoff: {other} has 1 fault:\n" in printed.err
    assert f'approvals.publishers["acme.tickets"]: {one} lets others speak as' in printed.err


def test_names_in_a_policy_do_not_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, {"artifact": {"required_files": ["\x1b[2Jmodel"]}})) == 0
    assert "\x1b" not in capsys.readouterr().out


# Faults


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ([], "", "must be an object, not a list"),
        (b'{"mode": "report", "mode": "enforce"}', "mode", "is given more than once"),
        ({"deployment": {"exection_role": "x"}}, "deployment.exection_role", "did you mean execution_role?"),
        ({"description": "x" * 9000}, "", "bytes long as the app writes it; SSM Parameter Store takes 8,192"),
        ({"accounts": {"submit": ["2222"]}}, "accounts.submit[0]", "must match the pattern"),
        ({"metrics": [{"path": "a", "at_least": 1}]}, "metrics[0].name", "is required and missing"),
        ({"metrics": [{"name": "a", "path": "a"}]}, "metrics[0]", "needs `at_least`, `at_most` or both"),
        ({"metrics": [{"name": "a", "path": "b[", "at_least": 1}]}, "metrics[0].path", "no JMESPath expression"),
        ({"metrics": [{"name": "a", "path": "b", "at_least": 2, "at_most": 1}]}, "metrics[0]", "cannot be at least 2"),
        ({"validation": {"outputs": ["s3://a"]}}, "validation.outputs[0]", "are S3 prefixes"),
        ({"submissions": {"submitters": ["alice"]}}, "submissions.submitters[0]", "is no pattern of an ARN"),
        (
            approvals(approvers=["arn:aws:sts::123456789012:assumed-role/risk/x"]),
            "approvals.approvers[0]",
            "names sessions, whose names callers choose",
        ),
        (approvals(break_glass=["me"]), "approvals.break_glass[0]", "is no pattern of an ARN"),
        (approvals(trusted_sessions=["me"]), "approvals.trusted_sessions[0]", "is no pattern of an ARN"),
        (approvals(identity="asserted"), "approvals.publishers", "must name who is believed"),
        (approvals(publishers={"a.b": [ALICE]}), "approvals.identity", "only believed where `identity` is `asserted`"),
        (
            approvals(identity="asserted", publishers={"signoff.x": [ALICE]}),
            'approvals.publishers["signoff.x"]',
            "a source of AWS's or Signoff's own",
        ),
        (approvals(identity="asserted", publishers={"acme": []}), "approvals.publishers.acme", "names nobody"),
        (approvals(roles={"risk": {"members": []}}), "approvals.roles.risk.members", "names nobody"),
        (approvals(roles={"risk": {"members": [ALICE], "needed": 0}}), "approvals.roles.risk.needed", "at least 1"),
        (approvals(expiry={"action": "reject"}), "approvals.expiry.after", "is required and missing"),
        (approvals(expiry={"after": "P0D"}), "approvals.expiry.after", "is a time from now on"),
        (
            approvals(expiry={"after": "P2D", "reminders": ["P1D", "P3D"]}),
            "approvals.expiry.reminders[1]",
            "come before",
        ),
        (approvals(revocation={"after": "-P1D"}), "approvals.revocation.after", "a time from the approval on"),
    ],
)
def test_a_fault_is_told_where_it_stands_and_what_to_do(document: Any, path: str, words: str) -> None:
    found = faults(document)
    assert words in found[path]
    assert len(found) == 1


def test_rules_about_good_fields_are_tried_beside_faulty_ones() -> None:
    document = approvals(
        needed=0,
        approvers=["alice", 3, ALICE],
        identity="assumed",
        publishers={"aws.x": []},
        roles={"risk": {"needed": 0}},
    )
    assert set(faults(document)) == {
        "approvals.needed",
        "approvals.approvers[1]",
        "approvals.identity",
        'approvals.publishers["aws.x"]',
        "approvals.roles.risk.members",
        "approvals.roles.risk.needed",
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"roles": {"risk": {"members": [ALICE]}, "owners": {"members": [ALICE]}}}, "approvals.roles"),
        ({"roles": {"risk": {"members": [ALICE, BOB], "needed": 3}}}, "approvals.roles"),
        ({"needed": 3, "approvers": [ALICE, BOB]}, "approvals.needed"),
        ({"needed": 3, "roles": {"risk": {"members": [ALICE, BOB]}}}, "approvals.needed"),
    ],
)
def test_a_vote_that_nobody_could_win_is_a_fault(fields: dict[str, Any], path: str) -> None:
    assert "can never" in faults(approvals(**fields))[path]


def test_a_vote_that_nobody_could_win_is_told_beside_other_faults() -> None:
    found = faults(approvals(needed=3, approvers=[ALICE], expiry={"after": "2 weeks"}))
    assert set(found) == {"approvals.needed", "approvals.expiry.after"}


@pytest.mark.parametrize(
    "fields",
    [
        {"roles": {"risk": {"members": [ALICE]}, "owners": {"members": [ALICE, BOB]}}},
        {"roles": {"risk": {"members": [RISK]}, "owners": {"members": [RISK]}}},
        {"needed": 3, "approvers": ["arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_0123456789abcdef"]},
        {
            "needed": 3,
            "approvers": ["arn:aws:iam::123456789012:role/federated"],
            "trusted_sessions": ["arn:aws:iam::*:role/fed*"],
        },
        {"needed": 9},
    ],
)
def test_a_vote_that_somebody_could_win_is_none(fields: dict[str, Any]) -> None:
    assert faults(approvals(**fields)) == {}


# Warnings


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ({}, "approvals.approvers", "anyone of the registry's account may approve"),
        (approvals(approvers=["arn:aws:iam::*:user/a"]), "approvals.approvers[0]", "in any account that the group"),
        (
            approvals(approvers=["arn:aws:iam::123456789012:role/team/risk"]),
            "approvals.approvers[0]",
            "has a path, which no session shows, and matches nobody: write role/risk",
        ),
        (
            approvals(approvers=["arn:aws:iam::123456789012:role/*"]),
            "approvals.approvers[0]",
            "every role, a job's too",
        ),
        (asserted("arn:aws:iam::*:role/t"), 'approvals.publishers["acme.tickets"][0]', "in any account"),
        (asserted(ALICE), "approvals.identity", "nothing is proven"),
        (approvals(submitter_may_approve=True), "approvals.submitter_may_approve", "one person alone"),
        (approvals(unknown_submitter="accept"), "approvals.unknown_submitter", "one person alone"),
        (approvals(approvers=[ALICE, BOB], needed=2), "approvals.needed", "what one of them submits can never be"),
        ({"mode": "report"}, "mode", "nothing is held"),
        (
            {**approvals(approvers=["arn:aws:identitycenter:::user/a@b"]), "accounts": {"submit": ["222222222222"]}},
            "approvals.approvers[0]",
            "users of that name in 222222222222 too",
        ),
        (
            {"submissions": {"submitters": [ALICE]}, "accounts": {"submit": ["222222222222"]}},
            "accounts.submit[0]",
            "names nobody of it",
        ),
        ({"artifact": {"formats": ["onnx", "pickle"]}}, "artifact.formats[1]", "a program that runs when it is loaded"),
        ({"artifact": {"formats": ["pytorch"]}}, "artifact.formats[0]", "holds a pickle"),
        ({"artifact": {"formats": ["torchscript"]}}, "artifact.formats[0]", "is a program that PyTorch runs"),
        ({"artifact": {"formats": ["unknown"]}}, "artifact.formats[0]", "is not looked into"),
        ({"artifact": {"code": {"compiled": ["lib/*.so"]}}}, "artifact.code.compiled[0]", "lets compiled code in"),
        ({"artifact": {"code": {"python": ["code/*", "*"]}}}, "artifact.code.python[1]", "means anywhere"),
        ({"artifact": {"forbidden_files": ["./data/*"]}}, "artifact.forbidden_files[0]", "matches no file"),
        ({"artifact": {"code": {"scripts": ["/code/*"]}}}, "artifact.code.scripts[0]", "matches no file"),
    ],
)
def test_what_is_weak_is_warned_of(document: Any, path: str, words: str) -> None:
    assert words in warned(document)[path]


def test_a_careful_policy_is_not_warned_of() -> None:
    dave = "arn:aws:iam::222222222222:user/dave"  # one account's, where other accounts' users may have any name
    roles = {"risk": {"members": [RISK]}, "owners": {"members": [ALICE, dave]}}
    document = {
        "submissions": {"submitters": [ALICE, "arn:aws:iam::222222222222:role/training"]},
        "accounts": {"submit": ["222222222222"]},
        **approvals(roles=roles, trusted_sessions=[RISK], break_glass=[dave]),
        "artifact": {"required_files": ["code/*.py"], "forbidden_files": ["*.pkl"], "formats": ["onnx"]},
    }
    assert warned(document) == {}


# Sentences


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "1 person has to approve. Anyone may decide who is of the registry's account"),
        ({"needed": 2, "approvers": [ALICE, BOB]}, f"2 different people have to approve. Listed: {ALICE} or {BOB}."),
        (
            {"needed": 3, "roles": {"risk": {"members": [RISK], "needed": 2}}, "approvers": [BOB]},
            f"3 different people have to approve. 2 of them in the role risk: {RISK}. Also listed: {BOB}.",
        ),
        ({"roles": {"a": {"members": [RISK]}, "b": {"members": [RISK]}}}, "Nobody fills two roles. Nobody else may"),
        ({}, "Nobody decides about what they submitted."),
        ({"submitter_may_withdraw": True}, "they may reject or revoke it"),
        ({"submitter_may_approve": True}, "Who submitted a model may approve it as well."),
    ],
)
def test_it_is_said_who_approves(fields: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**approvals(**fields))["approving"]


@pytest.mark.parametrize(
    ("topic", "fields", "sentence"),
    [
        ("proving", {}, "Whoever decides proves who they are"),
        ("proving", {"trusted_sessions": [RISK]}, f"Sessions of these roles are a person each: {RISK}."),
        ("unknown", {}, "1 more approval is needed"),
        ("unknown", {"unknown_submitter": "refuse"}, "is refused"),
        ("unknown", {"unknown_submitter": "accept"}, "the same approvals are enough"),
        ("expiring", {}, "for as long as it takes"),
        ("expiring", {"expiry": {"after": "PT36H"}}, "after 36 hours is rejected."),
        ("expiring", {"expiry": {"after": "P1D", "action": "extend"}}, "after 1 day is asked for again"),
        ("expiring", {"expiry": {"after": "P30D", "reminders": ["P14D", "P3D"]}}, "after 3 days and 14 days."),
        ("revoking", {}, "once what was approved has changed."),
        ("revoking", {"revocation": {"after": "P180D"}}, "lapses after 180 days."),
        ("revoking", {"revocation": {"superseded": True}}, "once another package is the group's champion."),
        ("break glass", {}, "Nobody may approve alone."),
        ("break glass", {"break_glass": [BOB]}, f"Alone, with a reason and an alarm, {BOB} may approve."),
        ("registry", {}, "is set back."),
        ("registry", {"registry_edits": "count"}, "counts as the vote of a known person"),
    ],
)
def test_what_is_said_of_approvals_is_what_they_say(topic: str, fields: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**approvals(**fields))[topic]


def test_it_is_said_whom_the_bus_believes() -> None:
    assert (
        f"Events from acme.tickets are believed without proof, and only {BOB} may" in told(**asserted(BOB))["proving"]
    )


@pytest.mark.parametrize(
    ("topic", "document", "sentence"),
    [
        ("mode", {"mode": "report"}, "Report only: everything is checked and recorded, and nothing is held."),
        ("demands", {"artifact": {"required_files": ["a", "b"]}}, "The archive holds a and b."),
        ("demands", {"artifact": {"forbidden_files": ["*.a", "b"]}}, "No file in it matches *.a or b."),
        ("demands", {"artifact": {"formats": ["onnx", "npy"]}}, "are of the formats onnx and npy, and of no other."),
        ("demands", {}, "Compiled code may lie nowhere in it."),
        (
            "demands",
            {"artifact": {"code": {"python": ["a/*", "b.py"]}}},
            "Python source may lie where a/* or b.py match",
        ),
        ("demands", {"artifact": {"licence": True, "model_card": True}}, "It holds a licence and a model card."),
        ("demands", {"artifact": {"model_card": True}}, "It holds a model card."),
        (
            "demands",
            {"metrics": [{"name": "a", "path": "x.y", "at_least": 0.5, "at_most": 1}]},
            "least 0.5 and at most 1.",
        ),
        ("demands", {"sources": {"unpinned": ["hub"]}}, "what is not pinned in the vault: hub."),
        ("submitting", {"submissions": {"submitters": [ALICE]}}, f"These may submit: {ALICE}."),
        ("submitting", {"groups": {"create": True}}, "A submission makes the group"),
        ("accounts", {}, "open to no other account."),
        ("accounts", {"accounts": {"submit": ["222222222222"]}}, "Accounts that may submit: 222222222222."),
        ("deploying", {}, "Models run under the role for models that Signoff's stack makes."),
        ("deploying", {"deployment": {"choices": {"tags": ["a"]}}}, "A manifest may choose the tags a."),
        (
            "deploying",
            {"deployment": {"targets": [{"account": "2" * 12, "region": "eu-west-1", "execution_role": "r"}]}},
            "A model is made in account 222222222222 in eu-west-1 too, under r.",
        ),
    ],
)
def test_what_is_said_of_the_rest_is_what_it_says(topic: str, document: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**document)[topic]


# The schema


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_policy_here_is_good_and_fits_the_schema(file: Path) -> None:
    document = json.loads(file.read_bytes())
    assert list(SCHEMA.faults(document)) == []
    assert check(file.name, file.read_bytes()).faults == ()


def test_its_own_examples_fit_the_schema() -> None:
    examples = [(schema, each) for schema in schemas(DOCUMENT) for each in schema.get("examples", ())]
    refused = [each for schema, each in examples if not Schema({**schema, "$defs": DOCUMENT["$defs"]}).accepts(each)]
    assert len(examples) > 15
    assert refused == []
    assert [fault for each in DOCUMENT["examples"] for fault in all_faults(with_execution_role(each))] == []


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema that stands for a field or a structure."""
    for structure in (schema, *schema["$defs"].values()):
        yield structure
        yield from structure["properties"].values()


def test_every_field_is_described() -> None:
    described = {
        name: {field: found.get("description", "") for field, found in structure["properties"].items()}
        for name, structure in {**DOCUMENT["$defs"], "Policy": DOCUMENT}.items()
    }
    assert {name: set(found) for name, found in described.items()} == {
        name: set(known) for name, known in FIELDS.items()
    }
    assert [text for found in described.values() for text in found.values() if len(text) < 10] == []


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], " type"),
        ({"aprovals": {}}, " additionalProperties"),
        ({"mode": "loud"}, ".mode enum"),
        ({"deployment": {"network_isolation": "yes"}}, ".deployment.network_isolation type"),
        ({"metrics": [{"name": "a"}]}, ".metrics[0] required"),
        ({"artifact": {"limits": {"members": 0}}}, ".artifact.limits.members minimum"),
        ({"artifact": {"limits": {"nested": 11}}}, ".artifact.limits.nested maximum"),
        ({"accounts": {"submit": ["22"]}}, ".accounts.submit[0] pattern"),
        (approvals(needed=0), ".approvals.needed minimum"),
        (approvals(needed=21), ".approvals.needed maximum"),
        (approvals(approvers=["alice"]), ".approvals.approvers[0] pattern"),
        (approvals(roles={"a": {"members": []}}), ".approvals.roles.a.members minItems"),
        (approvals(revocation={"after": "P2W"}), ".approvals.revocation.after anyOf"),
        (approvals(identity="asserted", publishers={"aws.x": [ALICE]}), ".approvals.publishers pattern"),
    ],
)
def test_the_schema_refuses_a_fault_where_it_stands(document: Any, where: str) -> None:
    assert where in set(SCHEMA.faults(document))
    assert faults(document)


leaves = (
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from([ALICE, RISK, "reject", "P14D", "PT1H", "x", "22"])
)
values = (
    leaves
    | st.lists(leaves, max_size=2)
    | st.dictionaries(st.sampled_from(["a", "after", "needed"]), leaves, max_size=2)
)
FULL: dict[str, Any] = {
    "mode": "report",
    "submissions": {"submitters": [ALICE]},
    "approvals": {
        "needed": 2,
        "roles": {"risk": {"members": [RISK], "needed": 1}},
        "identity": "asserted",
        "publishers": {"acme": [BOB]},
        "expiry": {"after": "P14D", "action": "extend", "reminders": ["P7D"]},
        "revocation": {"after": "P180D", "superseded": True},
    },
    "metrics": [{"name": "a", "path": "a", "at_least": 1}],
    "accounts": {"submit": ["222222222222"]},
    "deployment": {"vpc": {"subnets": ["s"], "security_groups": ["g"]}, "choices": {"network_isolation": [True]}},
}


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in a document."""
    yield above
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from places(item, (*above, key))


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A policy where one thing, anywhere, is another."""
    document = json.loads(json.dumps(FULL))
    *way, last = draw(st.sampled_from([place for place in places(FULL) if place]))
    parent = document
    for step in way:
        parent = parent[step]
    parent[last] = draw(values)
    return document


@given(damaged())
def test_the_check_refuses_whatever_the_reader_refuses(document: Any) -> None:
    whole = with_execution_role(document)
    try:
        of_document(whole)
    except PolicyFault:
        assert all_faults(whole)
    else:
        unfulfillable = ("can never", "cannot be at least")
        assert [fault for fault in all_faults(whole) if not any(word in fault.message for word in unfulfillable)] == []


@given(damaged())
def test_the_schema_takes_whatever_the_check_takes_and_no_wrong_type(document: Any) -> None:
    found = all_faults(with_execution_role(document))
    if not found:
        assert list(SCHEMA.faults(document)) == []
    if any(fault.message.startswith(("must be", "is not a field", "is required")) for fault in found):
        assert not SCHEMA.accepts(document)


# The page


def test_the_page_has_every_field_of_a_policy() -> None:
    page = (ROOT / "docs/policy.md").read_text()
    rows = [f"| `{path}` | {kind} | {default} | {meaning} |" for path, kind, default, meaning in fields()]
    assert [row for row in rows if row not in page] == []  # make it with `signoff_cli.policies.schema.fields`
    assert page.endswith("\n".join(["|-------|------|---------|---------|", *rows, ""]))


def test_the_examples_of_the_page_are_policies() -> None:
    found = re.findall(r"```json\n(.*?)```", (ROOT / "docs/policy.md").read_text(), re.DOTALL)
    assert len(found) >= 3
    assert [check("example", example.encode()).faults for example in found] == [()] * len(found)
