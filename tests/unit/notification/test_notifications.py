"""What people are told of the ledger's entries: one message for each stage, which nobody can make say anything else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from signoff.aws.sns import Topics
from signoff.documents.text import one_line
from signoff.ledger.entries import Draft, Entry, Kind, Stage
from signoff.ledger.history import baseline_key, submission_key, unknown_key
from signoff.notification.comparison import brief
from signoff.notification.message_format import Notification
from signoff.notification.notifications import MESSAGES, notifications
from tests.support import compared
from tests.support.entries import (
    APPROVED,
    APPROVER,
    ARN,
    EVIDENCE,
    PENDING,
    SUBMITTER,
    annotated,
    blocked,
    decided,
    deleted,
    errored,
    evidence,
    history,
    model_created,
    model_retired,
    refused,
    registered,
    reverted,
    started,
    subject_changed,
    updated,
)
from tests.support.repository import ROOT
from tests.support.world import World

CHOSEN = frozenset({"decision", "verdict", "status"})
OTHER_APPROVER = "arn:aws:iam::123456789012:user/eve"
LIMIT = 262_144  # bytes of a message and its attributes
DECIDED = {"decision": "approve", "reason": "because", "person": APPROVER, "evidence": "e" * 64, "policy": "p" * 64}
VOTED = Draft(Kind.VOTED, APPROVER, {**DECIDED, "roles": ["owners"], "outstanding": "1 more approval (1 of risk)"})
REPEATED = Draft(Kind.STATEMENT_REPEATED, APPROVER, {"decision": "approve", "reason": "because"})
JOINED = Draft(Kind.VOTED, APPROVER, {**DECIDED, "roles": [], "joins": True})
ALONE = Draft(Kind.DECISION_RECORDED, APPROVER, {**DECIDED, "roles": [], "votes": [APPROVER], "break_glass": True})
REMINDED = Draft(Kind.REMINDED, "signoff", {"reminder": "P7D", "extended": False, "waiting_since": "2026-03-02"})
EXTENDED = Draft(Kind.REMINDED, "signoff", {"reminder": None, "extended": True, "waiting_since": "2026-03-02"})
EXPIRED = Draft(Kind.EXPIRED, "signoff", {"after": "P14D", "waiting_since": "2026-03-02"})
OTHER = {"by": ARN.replace("/3", "/4"), "by_version": 4}
SUPERSEDED = Draft(Kind.SUPERSEDED, "signoff", OTHER)
REINSTATED = Draft(Kind.REINSTATED, "signoff", {"after": OTHER["by"], "after_version": 4})
FOUND = {"id": "CVE-1", "severity": "HIGH", "package": "openssl 1.1", "fixed_in": "1.2"}
SCANNED = {"image": "sklearn@sha256:1", "scan": {"completed": "2026-03-03"}, "refused": 1, "findings": [FOUND]}
UNSOUND = Draft(Kind.IMAGE_FINDINGS_CHANGED, "signoff", {"images": [SCANNED], "found": ["CVE-1"], "block_at": "HIGH"})
OBSERVED = Draft(Kind.REGISTRY_OBSERVED, "signoff", {"found": "Approved", "last_modified_by": APPROVER})
ENFORCED = Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": True, "policy": "p" * 64})
ELSEWHERE = Draft(Kind.DEPLOYMENT_FAILED, "signoff", {"place": "210987654321/eu-west-1", "because": "no role"})
MODEL = {"group": "Churn", "model": {"name": "churn-v0", "arn": "arn:churn-v0"}, "review": "PR 7"}
BASELINE = Draft(Kind.BASELINE_DEPLOYED, "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1", MODEL)
GONE = Draft(Kind.BASELINE_RETIRED, "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1", MODEL)
FAULTS = [{"path": "InferenceSpecification", "message": "is missing"}, {"path": "", "message": "no JSON"}]
UNREGISTERED = Draft(
    Kind.REGISTRATION_FAILED,
    "signoff",
    {"group": "churn", "submission": "churn/monday", "faults": FAULTS, "fault_count": 2},
)
COMPARED = evidence(checks=compared.CHECKS[:3], comparison=brief(compared.EVIDENCE))
EVERY = {
    "registration failed": ([UNREGISTERED], [Stage.REGISTRATIONS]),
    "registered": ([registered()], []),
    "started": ([registered(), started()], []),
    "errored": ([registered(), started(), errored()], [Stage.REGISTRATIONS]),
    "failed": ([registered(), started(), evidence("failed")], [Stage.REGISTRATIONS]),
    "passed": (PENDING, [Stage.APPROVALS]),
    "compared": ([*PENDING[:2], COMPARED], [Stage.APPROVALS]),
    "voted": ([*PENDING, VOTED], [Stage.APPROVALS]),
    "joined": ([*PENDING, decided("reject"), JOINED], [Stage.DECISIONS]),
    "approved": ([*PENDING, decided("approve")], [Stage.DECISIONS]),
    "rejected": ([*PENDING, decided("reject")], [Stage.DECISIONS]),
    "revoked": ([*APPROVED, decided("revoke")], [Stage.DECISIONS]),
    "rolled back": ([*APPROVED, decided("rollback")], [Stage.DECISIONS]),
    "re-opened": ([*PENDING, decided("reject"), decided("reopen")], [Stage.DECISIONS, Stage.APPROVALS]),
    "alone": ([*PENDING, ALONE], [Stage.DECISIONS, Stage.APPROVALS]),
    "refused": ([*PENDING, refused()], [Stage.DECISIONS]),
    "repeated": ([*PENDING, VOTED, REPEATED], []),
    "reminded": ([*PENDING, REMINDED], [Stage.APPROVALS]),
    "extended": ([*PENDING, EXTENDED], [Stage.APPROVALS]),
    "expired": ([*PENDING, EXPIRED], [Stage.APPROVALS]),
    "annotated": ([*PENDING, annotated(ticket="CHG-1")], []),
    "updated": ([*PENDING, updated("Approved")], []),
    "reverted": ([*PENDING, reverted("Approved")], [Stage.DECISIONS]),
    "observed": ([*PENDING, OBSERVED], [Stage.DECISIONS]),
    "enforced": ([*PENDING, ENFORCED], [Stage.DECISIONS]),
    "changed": ([*APPROVED, subject_changed()], [Stage.DECISIONS]),
    "created": ([*APPROVED, model_created()], [Stage.DEPLOYMENTS]),
    "retired": ([*APPROVED, model_retired()], [Stage.DEPLOYMENTS]),
    "blocked": ([*APPROVED, blocked("live", "shadow")], [Stage.DEPLOYMENTS]),
    "elsewhere": ([*APPROVED, ELSEWHERE], [Stage.DEPLOYMENTS]),
    "unsound": ([*APPROVED, UNSOUND], [Stage.DEPLOYMENTS]),
    "superseded": ([*APPROVED, SUPERSEDED], [Stage.DEPLOYMENTS]),
    "reinstated": ([*APPROVED, REINSTATED], [Stage.DEPLOYMENTS]),
    "deleted": ([*PENDING, deleted()], [Stage.DEPLOYMENTS]),
    "baseline": ([BASELINE], [Stage.DEPLOYMENTS]),
    "baseline retired": ([GONE], [Stage.DEPLOYMENTS]),
}
LAST = st.sampled_from(sorted(EVERY)).map(lambda name: entry_of(name))
ODD = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(), min_size=1),
    st.sampled_from(
        [
            "ok\n\nApprove it: curl https://evil.example/",
            "ok\r\nApprove it: signoff approve other/1",
            "ok" + " " * 400 + "Approve it: signoff approve other/1",
            "\u2028Approve it: now",
            "\u202eevorppa",
            "\ud800",
            "\ufffe\uffff",
            "x" * 8_000,
            "\N{GRINNING FACE}" * 2_000,
            '\\"' * 2_000,
            "<!channel> <https://evil.example|Approve> `x`",
            "\x1b[2J\x00",
            "",
        ]
    ),
)


def entry_of(name: str) -> Entry:
    drafts, _ = EVERY[name]
    keys = {
        "registration failed": submission_key("churn/monday"),
        **dict.fromkeys(("baseline", "baseline retired"), baseline_key("Churn")),
    }
    package = keys.get(name)
    return (history(*drafts, package=package) if package else history(*drafts)).entries[-1]


def told(name: str) -> list[Notification]:
    return notifications(entry_of(name))


def spoiled(node: Any, text: str, keep: frozenset[str] = CHOSEN) -> Any:
    """Return details with `text` behind every text in them; what Signoff itself chooses from stays."""
    match node:
        case dict():
            return {key: value if key in keep else spoiled(value, text, keep) for key, value in node.items()}
        case list():
            return [spoiled(each, text, keep) for each in node]
        case str():
            return node + text
        case _:
            return node


def sent(notification: Notification) -> dict[str, Any]:
    """Return what SNS is asked to publish, once botocore's model of SNS has found it right."""
    sns, published = recording_sns()
    with Stubber(sns) as stubber:
        stubber.add_response("publish", {"MessageId": "1"})
        Topics(sns, {stage: f"arn:aws:sns:us-east-1:123456789012:{stage}" for stage in Stage}).publish(notification)
    return published.pop()


@cache
def recording_sns() -> tuple[Any, list[dict[str, Any]]]:
    """Return a client of SNS, and the list that what it is called with is added to."""
    nobody = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    sns = get_session().create_client("sns", region_name="us-east-1", **nobody)
    published: list[dict[str, Any]] = []
    sns.meta.events.register("provide-client-params.sns.Publish", lambda params, **_: published.append(params))
    return sns, published


def shape(text: str) -> list[str]:
    """Return how each line of a message begins: what says whose words follow."""
    return ["-" if line.startswith("- ") else line.partition(":")[0] for line in text.split("\n")]


@pytest.mark.parametrize("name", EVERY)
def test_each_kind_of_entry_is_told_where_it_belongs(name: str):
    assert [notification.stage for notification in told(name)] == EVERY[name][1]


def test_there_are_words_for_just_those_kinds_that_people_are_told_of():
    assert set(MESSAGES) == {entry_of(name).kind for name, (_, stages) in EVERY.items() if stages}


def test_every_kind_of_entry_is_weighed_here():
    assert {entry_of(name).kind for name in EVERY} == set(Kind)


@pytest.mark.parametrize("name", EVERY)
def test_a_message_names_the_package_and_what_to_type(name: str):
    for notification in told(name):
        about = "churn/monday" if name == "registration failed" else ARN
        assert about in notification.text or "churn-v0" in notification.text
        assert "signoff " in notification.text
        assert notification.attributes["stage"] == notification.stage
        assert notification.attributes["kind"] == entry_of(name).kind


def test_an_approval_is_asked_for_with_all_that_it_takes_to_decide():
    checks = [
        {"name": "artifact:model", "status": "passed", "reason": "a readable archive of 3 members"},
        {"name": "metric:accuracy", "status": "passed", "reason": "0.94 is within 0.9 <= accuracy"},
    ]
    facts = {"checks": checks, "submitter": SUBMITTER, "outstanding": "2 more approvals (1 of risk)"}
    entry = history(registered(), started(), evidence("passed", **facts)).entries[-1]
    (notification,) = notifications(entry)
    assert notification.subject == "Signoff: Churn/3 needs approval"
    assert notification.text.split("\n")[:9] == [
        "Churn/3 needs approval",
        "",
        f"Package: {ARN}",
        "Submitted by: user/sam",
        "Verdict: passed, 2 checks",
        f"Evidence: {'e' * 64}",
        "Outstanding: 2 more approvals (1 of risk)",
        "- passed artifact:model: a readable archive of 3 members",
        "- passed metric:accuracy: 0.94 is within 0.9 <= accuracy",
    ]
    assert 'Approve it: signoff approve Churn/3 --reason "..."' in notification.text.split("\n")
    assert 'Reject it: signoff reject Churn/3 --reason "..."' in notification.text.split("\n")
    assert notification.attributes == {
        "stage": "approvals",
        "kind": "EvidenceRecorded",
        "group": "Churn",
        "version": "3",
        "status": "PendingApproval",
    }


def test_an_approval_is_asked_for_with_how_good_the_model_is_and_what_changed():
    (notification,) = told("compared")
    bounds = "no worse than by 0.005; >= 0.9"
    lines = notification.text.split("\n")
    at = lines.index(f"Evidence: {'e' * 64}")
    assert lines[at + 1 : at + 6] == [
        "Compared: with the champion churn/2, claimed on the same data",
        f"Metric: auc: 0.991, champion 0.987 (+0.004 [-0.002, +0.01]), {bounds}: inconclusive, asks",
        "Changed: InferenceSpecification.Containers[0].Image, model.tar.gz code/inference.py",
        "To accept by name: champion:auc",
        "- asks champion:auc: it cannot be told apart",
    ]


def test_a_message_tells_of_eight_metrics_and_counts_the_others():
    rows = [compared.row(f"m{number}", 1, 2, "worse") for number in range(9)]
    checks = [{"name": f"champion:m{number}", "status": "failed", "reason": "worse"} for number in range(9)]
    evidence_of = {"checks": checks, "comparison": {**compared.COMPARISON, "metrics": rows}}
    failed = evidence("failed", checks=checks, comparison=brief(evidence_of))
    (notification,) = notifications(history(registered(), started(), failed).entries[-1])
    lines = notification.text.split("\n")
    assert sum(line.startswith("Metric: ") for line in lines) == 8
    assert "Further metrics: 1" in lines


def test_what_an_event_holds_of_a_comparison_is_bounded():
    rows = [compared.row(f"m{number}", 1, 2, "worse") for number in range(50)]
    checks = [{"name": f"champion:m{number}", "status": "failed", "reason": "worse"} for number in range(50)]
    changes = [{"part": "p" * 5000, "before": "x" * 5000, "after": None}] * 300
    held = brief({"checks": checks, "comparison": {**compared.COMPARISON, "metrics": rows, "changed": changes}})
    assert (len(held["metrics"]), len(held["changed"]), held["changed_count"]) == (10, 10, 300)
    assert held["champion"]["name"] == "churn/2"
    assert len(json.dumps(held)) < 6000


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        ("aws", "https://console.aws.amazon.com/s3/object/"),
        ("aws-cn", "https://console.amazonaws.cn/s3/object/"),
        ("aws-us-gov", "https://console.amazonaws-us-gov.com/s3/object/"),
    ],
)
def test_the_report_is_a_link_to_the_console_of_the_partition(partition: str, console: str):
    key = entry_of("passed").package.replace("arn:aws:", f"arn:{partition}:")
    (notification,) = notifications(replace(entry_of("passed"), package=key))
    assert f"Report: {console}vault?region=us-east-1&prefix=evidence/e.json" in notification.text.split("\n")
    assert f"Evidence at: {EVIDENCE['uri']}" in notification.text.split("\n")
    assert console in notification.chat["content"]["description"]


def test_where_no_console_is_known_the_evidence_is_found_by_its_uri():
    key = entry_of("passed").package.replace("arn:aws:", "arn:aws-iso:")
    (notification,) = notifications(replace(entry_of("passed"), package=key))
    assert "https://" not in notification.text
    assert f"Evidence at: {EVIDENCE['uri']}" in notification.text.split("\n")


def test_what_failed_stands_above_what_passed():
    checks = [{"name": f"c{n}", "status": "passed", "reason": "fine"} for n in range(40)]
    checks += [{"name": "last", "status": "failed", "reason": "0.4 is below"}]
    entry = history(registered(), started(), evidence("failed", checks=checks)).entries[-1]
    (notification,) = notifications(entry)
    listed = [line for line in notification.text.split("\n") if line.startswith("- ")]
    assert listed[0] == "- failed last: 0.4 is below"
    assert listed[-1] == "- and 16 more"


@pytest.mark.parametrize("name", EVERY)
def test_the_only_links_are_to_the_consoles_report(name: str):
    for notification in told(name):
        links = re.findall(r"https?://\S+", notification.text + json.dumps(notification.chat))
        assert all(link.startswith("https://console.aws.amazon.com/s3/object/vault?") for link in links)


@given(LAST, ODD)
def test_nothing_that_others_write_makes_a_line_of_its_own(entry: Entry, text: str):
    own = CHOSEN | {"uri"}  # is left out unless it is as the vault writes it
    plain_entry = replace(entry, details=spoiled(entry.details, "x", own))
    odd_entry = replace(entry, details=spoiled(entry.details, text, own), actor=f"{entry.actor}{text}")
    for plain, odd in zip(notifications(plain_entry), notifications(odd_entry), strict=True):
        assert shape(odd.text) == shape(plain.text)
        assert odd.chat["content"]["nextSteps"] == plain.chat["content"]["nextSteps"]
        assert not re.search(r"[^\S\n ]| {2}", odd.text)


@given(LAST, ODD, ODD)
def test_whatever_an_entry_says_sns_takes_the_message(entry: Entry, text: str, group: str):
    key = f"{entry.package[:20]}{text}@2026" if entry.arn is None else entry.package
    details = spoiled(entry.details, text)
    for notification in notifications(replace(entry, details=details, group=group or None, package=key)):
        request = sent(notification)
        assert re.fullmatch(r"[A-Za-z0-9][\x20-\x7e]{0,98}", request["Subject"])
        attributes = request["MessageAttributes"]
        assert all(value["StringValue"] for value in attributes.values())
        size = sum(len(name + value["DataType"] + value["StringValue"]) * 4 for name, value in attributes.items())
        assert len(request["Message"].encode()) + size < LIMIT
        message = json.loads(request["Message"])
        assert message["default"] == notification.text
        assert json.loads(message["https"]) == notification.chat


@given(ODD)
def test_a_name_that_is_no_groups_is_not_put_into_a_command(group: str):
    entry = replace(entry_of("passed"), group=f"{group};rm")
    (notification,) = notifications(entry)
    assert "signoff " not in notification.text
    assert notification.chat["content"]["nextSteps"] == []


@given(LAST, ODD)
def test_a_chat_shows_no_link_or_mention_that_somebody_wrote(entry: Entry, text: str):
    for notification in notifications(replace(entry, details=spoiled(entry.details, text), group=text or None)):
        content = notification.chat["content"]
        assert not re.search(r"[<>\[\]]", content["title"] + content["description"] + "".join(content["nextSteps"]))
        assert "`" not in content["title"] + content["description"]
        assert len(content["description"]) <= 3000
        assert (notification.chat["version"], notification.chat["source"]) == ("1.0", "custom")
        assert notification.chat["metadata"]["enableCustomActions"] is False


def test_what_is_said_of_one_package_is_one_thread():
    threads = {told(name)[0].chat["metadata"]["threadId"] for name in ("passed", "approved", "created")}
    ids = [each.chat["id"] for name in ("passed", "approved", "alone") for each in told(name)]
    assert len(threads) == 1
    assert len(set(ids)) == len(ids)


def test_a_decision_about_a_package_that_nobody_knows_is_told_without_a_command():
    about = refused("UnknownPackage")
    about.details["package"] = "arn:aws:x"
    entry = history(about, package=unknown_key("2026-03-02")).entries[-1]
    (notification,) = notifications(entry)
    assert "arn:aws:x" in notification.text
    assert "signoff " not in notification.text
    assert "version" not in notification.attributes


def test_the_version_is_a_number_to_filter_by_and_the_rest_is_text():
    request = sent(told("passed")[0])
    types = {name: value["DataType"] for name, value in request["MessageAttributes"].items()}
    assert types == {"stage": "String", "kind": "String", "group": "String", "version": "Number", "status": "String"}
    assert request["TopicArn"].endswith(":approvals")
    assert request["MessageStructure"] == "json"


@given(st.text(), st.integers(3, 50))
def test_one_line_is_one_line(text: str, limit: int):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert line.encode().decode() == line


def test_an_approval_request_says_who_submitted_and_how_many_approvals_it_takes():
    world = World(approvals={"needed": 2})
    arn = world.pending()
    (notification,) = notifications(world.history(arn).last(Kind.EVIDENCE_RECORDED))
    lines = notification.text.split("\n")
    assert f"Submitted by: {world.state(arn).submitter.split(':', 5)[-1]}" in lines
    assert "Outstanding: 2 more approvals" in lines


def test_an_approval_request_says_who_may_have_changed_the_package():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.registry.by_hand(arn, OTHER_APPROVER, SourceUri="s3://elsewhere")
    world.deliver()
    (notification,) = notifications(world.history(arn).last(Kind.EVIDENCE_RECORDED))
    assert "Changed since by: user/eve, unknown" in notification.text.split("\n")


def samples() -> dict[str, Entry]:
    """The entries whose messages docs/notifications.md shows."""
    checks = [
        {"name": "artifact:model", "status": "passed", "reason": "a readable archive of 3 members, sha256 9f86d081"},
        {"name": "metric:accuracy", "status": "passed", "reason": "0.94 is within 0.9 <= accuracy"},
        {"name": "champion:accuracy", "status": "passed", "reason": "0.02 better, which is not certain", "asks": True},
    ]
    row = compared.row("accuracy", 0.94, 0.92, "inconclusive", interval=[-0.01, 0.05], bound="no worse than by 0.005")
    comparison = brief({"checks": checks, "comparison": {**compared.COMPARISON, "metrics": [row]}})
    facts = {"checks": checks, "submitter": SUBMITTER, "outstanding": "2 more approvals (1 of risk)"}
    facts["comparison"] = comparison
    asked = [registered(group="churn"), started(), evidence("passed", **facts)]
    reason = {"reason": "Beats the champion by 2 points", "roles": ["risk"], "votes": [OTHER_APPROVER, APPROVER]}
    said = Draft(Kind.DECISION_RECORDED, APPROVER, {**DECIDED, **reason})
    submission = submission_key("churn/monday")
    return {
        "approvals": history(*asked).entries[-1],
        "decisions": history(*asked, said).entries[-1],
        "registrations": history(UNREGISTERED, package=submission).entries[-1],
        "deployments": history(*asked, said, model_created(), decided("revoke"), blocked("live")).entries[-1],
    }


@pytest.mark.parametrize("stage", Stage)
def test_the_documentation_shows_messages_as_they_are(stage: Stage):
    guide = (ROOT / "docs" / "notifications.md").read_text()
    (notification,) = notifications(samples()[stage])
    shown = re.search(rf"Subject: `([^\n]*)`\n\n<!-- {stage} -->\n```text\n(.*?)```", guide, re.DOTALL)
    assert shown
    assert shown.groups() == (notification.subject, notification.text)
    assert notification.stage is stage
