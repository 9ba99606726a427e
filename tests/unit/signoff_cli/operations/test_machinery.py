"""The machinery: rules, readers of queues, alarms, the sweep, and the last deployment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signoff_cli.operations.findings import Finding
from signoff_cli.operations.machinery import Machinery
from tests.support.answering import Answering, Refusal
from tests.support.clock import START
from tests.support.operations import parts

SWEEP = "aws lambda invoke --function-name Sweep /dev/stdout"
NOW = START + timedelta(days=3)


def machinery(**answers: Any) -> Machinery:
    named = {name.replace("__", "."): answer for name, answer in answers.items()}
    return Machinery("Signoff", parts(), Answering(named), NOW, SWEEP)


def listed(params: dict[str, Any], **states: str) -> dict[str, Any]:
    rules = {"default": ["Signoff-RulesObjectCreated"], "signoff": ["Signoff-RulesDecisionMade"]}
    assert params["NamePrefix"] == "Signoff"
    return {"Rules": [{"Name": name, "State": states["state"]} for name in rules[params["EventBusName"]]]}


def test_rules_that_are_enabled_are_no_findings() -> None:
    assert list(machinery(events__ListRules=lambda params: listed(params, state="ENABLED")).rules()) == []


def test_disabled_rules_are_told_with_what_enables_them_on_their_bus() -> None:
    findings = list(machinery(events__ListRules=lambda params: listed(params, state="DISABLED")).rules())
    assert [each.commands[0] for each in findings] == [
        "aws events enable-rule --name Signoff-RulesDecisionMade --event-bus-name signoff",
        "aws events enable-rule --name Signoff-RulesObjectCreated --event-bus-name default",
    ]


def test_rules_that_are_gone_are_told() -> None:
    findings = list(machinery(events__ListRules={"Rules": []}).rules())
    assert {(each.kind, each.subject) for each in findings} == {
        ("missing_part", "RulesDecisionMade"),
        ("missing_part", "RulesObjectCreated"),
    }


def mapped(state: str) -> dict[str, Any]:
    return {"State": state, "EventSourceArn": "arn:aws:sqs:us-east-1:1:RegisterQueue"}


@pytest.mark.parametrize(("state", "told"), [("Enabled", 0), ("Enabling", 0), ("Disabled", 1), ("Disabling", 1)])
def test_a_queue_that_nothing_reads_is_told(state: str, told: int) -> None:
    findings = list(machinery(lambda__GetEventSourceMapping=mapped(state)).readers())
    assert len(findings) == told
    assert all("nothing reads RegisterQueue" in each.what for each in findings)


def test_a_mapping_that_is_gone_is_told() -> None:
    (finding,) = machinery(lambda__GetEventSourceMapping=Refusal("ResourceNotFoundException")).readers()
    assert (finding.kind, finding.subject) == ("missing_part", "RegisterModelInbox")


def alarm(name: str, state: str) -> dict[str, Any]:
    told = {"StateReason": "1 datapoint was greater", "AlarmDescription": "Something failed"}
    return {"AlarmName": f"Signoff-Alarms{name}", "StateValue": state, "StateUpdatedTimestamp": START, **told}


def ringing(*alarms: dict[str, Any]) -> list[Finding]:
    return list(machinery(cloudwatch__DescribeAlarms={"MetricAlarms": alarms}).alarms())


def test_alarms_that_do_not_ring_are_no_findings() -> None:
    assert ringing(alarm("RegisterDeadLettersWaiting", "OK"), alarm("SweepErrors", "INSUFFICIENT_DATA")) == []


def test_an_alarm_that_rings_is_told_with_its_reason_and_its_command() -> None:
    first, second = ringing(alarm("RegisterDeadLettersWaiting", "ALARM"), alarm("SweepErrors", "ALARM"))
    assert (first.subject, first.since) == ("RegisterDeadLettersWaiting", "2026-03-02T09:15:20.000Z")
    assert first.why == "Something failed (1 datapoint was greater)"
    assert first.commands == ("signoff redrive RegisterDeadLetters",)
    assert second.commands == ("aws logs tail Signoff-SweepLogs --since 2h --filter-pattern ERROR",)


def test_an_alarm_that_is_gone_is_told() -> None:
    assert [each.kind for each in ringing(alarm("SweepErrors", "OK"))] == ["missing_part"]


def stack(status: str = "UPDATE_COMPLETE", **more: Any) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "Signoff", "StackStatus": status, "CreationTime": START, **more}]}


def test_a_sweep_that_came_to_its_end_is_no_finding() -> None:
    logged = {"events": [{"message": '{"message":"swept"}'}]}
    assert list(machinery(cloudformation__DescribeStacks=stack(), logs__FilterLogEvents=logged).sweeps()) == []


def test_a_sweep_that_has_not_come_to_its_end_for_an_hour_is_told() -> None:
    silent = machinery(cloudformation__DescribeStacks=stack(), logs__FilterLogEvents={"events": []})
    (finding,) = silent.sweeps()
    assert finding.kind == "sweep"
    assert finding.commands[0] == SWEEP


def test_of_a_stack_that_was_just_made_no_sweep_is_expected() -> None:
    young = stack(CreationTime=NOW - timedelta(minutes=10))
    assert list(machinery(cloudformation__DescribeStacks=young).sweeps()) == []


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_a_stack_that_is_deployed_is_no_finding(status: str) -> None:
    assert list(machinery(cloudformation__DescribeStacks=stack(status)).deployment()) == []


def test_a_deployment_that_failed_is_told_with_what_failed_first() -> None:
    def event(name: str, status: str, reason: str) -> dict[str, Any]:
        return {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason}

    events = [
        event("Rules", "UPDATE_FAILED", "Resource update cancelled"),
        event("PolicyOfChurn", "UPDATE_FAILED", "the parameter is too long"),
        event("Signoff", "UPDATE_IN_PROGRESS", "User Initiated"),
    ]
    failed = machinery(
        cloudformation__DescribeStacks=stack("UPDATE_ROLLBACK_COMPLETE"),
        cloudformation__DescribeStackEvents={"StackEvents": events},
    )
    (finding,) = failed.deployment()
    assert (finding.kind, finding.why) == ("failed_deployment", "PolicyOfChurn: the parameter is too long")
    assert finding.commands == ("make diff", "make deploy")
