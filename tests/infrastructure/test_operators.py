"""What an operator may do, and that `signoff doctor` and docs/operations.md know every part of the stack."""

import json
import re

import pytest

from signoff_cli.operations.alarm_advice import advice
from signoff_cli.operations.dead_letters import READERS
from signoff_cli.operations.destinations import destination_of
from signoff_cli.operations.parts import ALARM, DEAD_LETTERS, FUNCTION, LOG_GROUP, MAPPING, RULE, Parts
from tests.support.iam import allowed, listed
from tests.support.repository import ROOT
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

PAGE = (ROOT / "docs/operations.md").read_text()
SWEEP = "aws lambda invoke --function-name Sweep"
LONGEST = 6144  # characters of a managed policy, without white space


def parts_of(template: SynthesizedTemplate) -> Parts:
    """The parts of the stack as ListStackResources names them."""
    return Parts(
        {"LogicalResourceId": logical, "PhysicalResourceId": logical, "ResourceType": resource["Type"]}
        for logical, resource in template.document["Resources"].items()
    )


def policy_of(template: SynthesizedTemplate):
    return template.one("AWS::IAM::ManagedPolicy", "Operators")["PolicyDocument"]


def test_an_operator_sees_what_is_stuck_and_moves_it_on_and_nothing_else(template):
    policy = policy_of(template)
    granted = {action for statement in policy["Statement"] for action in listed(statement["Action"])}
    assert granted == {
        *("cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:ListStackResources"),
        *("events:ListRules", "cloudwatch:DescribeAlarms", "lambda:GetEventSourceMapping", "logs:FilterLogEvents"),
        *("ssm:GetParametersByPath", "ssm:GetParameter", "ssm:GetParameterHistory"),
        *("dynamodb:Query", "dynamodb:Scan", "dynamodb:GetShardIterator", "dynamodb:GetRecords"),
        *("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *("sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:SendMessage"),
        *("states:DescribeExecution", "states:StartExecution", "lambda:InvokeFunction"),
    }


def test_an_operator_empties_no_queue_that_a_function_reads_and_decides_nothing(template, central):
    for policy in (policy_of(template), policy_of(central)):
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-RegisterQueue"
        assert allowed(policy, "sqs:SendMessage", queue, {})
        assert not allowed(policy, "sqs:ReceiveMessage", queue, {})
        assert not allowed(policy, "dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-Ledger", {})
        invoked = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-"
        assert allowed(policy, "lambda:InvokeFunction", f"{invoked}Sweep", {})
        assert not allowed(policy, "lambda:InvokeFunction", f"{invoked}ApplyDecision", {})


def test_a_registry_for_others_lets_its_operators_reach_their_buses(template, central):
    bus = "arn:aws:events:us-east-1:222222222222:event-bus/signoff"
    assert allowed(policy_of(central), "events:PutEvents", bus, {})
    assert not allowed(policy_of(template), "events:PutEvents", bus, {})


def test_the_operators_policy_is_no_longer_than_iam_takes(central):
    # With room for longer names than those that a test makes up: CloudFormation adds 20 characters to each.
    text = json.dumps(policy_of(central), separators=(",", ":"))
    assert len(text) + 20 * text.count("Signoff-") < LONGEST


@pytest.mark.parametrize("stack", ["template", "central"])
def test_letters_of_every_dead_letter_queue_have_somewhere_to_go(stack, request):
    parts = parts_of(request.getfixturevalue(stack))
    for queue in parts.dead_letter_queues():
        assert destination_of(queue, parts, lambda _: None, lambda _: None).name


def test_the_log_of_each_queues_reader_is_known(template):
    parts = parts_of(template)
    read = {name.removesuffix(DEAD_LETTERS) for name in parts.dead_letter_queues()} - {"Validation"}
    assert read == {*READERS}
    assert all(f"{reader}Logs" in parts.of(LOG_GROUP) for reader in READERS.values())


def test_rules_and_readers_are_found_by_their_types(template):
    parts = parts_of(template)
    assert {"RulesSweepDue", "RulesDecisionMade"} <= parts.of(RULE).keys()
    assert {"RegisterModelInbox", "AnnounceEntries"} <= parts.of(MAPPING).keys()


def alarms_of(template: SynthesizedTemplate) -> list[str]:
    return [name.removeprefix("Alarms") for name in parts_of(template).of(ALARM)]


def test_every_alarm_has_commands_of_its_own(template, central):
    for each in (template, central):
        parts, alarms = parts_of(each), alarms_of(each)
        assert len(alarms) > 30
        assert [name for name in alarms if "describe-alarms" in " ".join(advice(name, parts, SWEEP))] == []


def test_the_page_has_every_alarm_with_the_first_command_that_doctor_prints(central):
    parts, functions = parts_of(central), "|".join(parts_of(central).of(FUNCTION))
    for alarm in alarms_of(central):
        named = re.sub(rf"^({functions})(Errors|Throttles)$", r"a function's name and `\2`", alarm)
        row = next((line for line in PAGE.splitlines() if line.startswith("|") and named in line.split("|")[1]), "")
        command = re.sub(r"\S+Logs\S*", "<its log group>", advice(alarm, parts, SWEEP)[0])
        assert re.sub(r"redrive \S+Letters", "redrive QUEUE", command) in row or command in row, alarm
