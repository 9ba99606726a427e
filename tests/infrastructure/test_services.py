"""What the policies of resources let AWS's services do: on whose behalf a service comes is always pinned.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.iam import listed
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

TEMPLATES = ("template", "chosen", "ephemeral", "central", "region", "workload")
# The condition keys by which a service says for whom it comes; CloudWatch Logs says it in the encryption's context.
ON_BEHALF = {"aws:SourceArn", "aws:SourceAccount", "kms:EncryptionContext:aws:logs:arn"}
PINNING = {"StringEquals", "ArnEquals", "ArnLike", "StringLike"}
BUCKETS = "arn:aws:s3:::"


@pytest.fixture(params=TEMPLATES)
def any_template(request: pytest.FixtureRequest) -> SynthesizedTemplate:
    found: SynthesizedTemplate = request.getfixturevalue(request.param)
    return found


def granted(template: SynthesizedTemplate) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a resource's policy that allows a service anything, with the resource's name.

    Roles are left out: only principals of a role's own account can pass it to a service.
    """
    for kind in {resource["Type"] for resource in template.document["Resources"].values()} - {"AWS::IAM::Role"}:
        for name, properties in template.of_type(kind).items():
            for statement in allowing(properties):
                if _to_services(statement["Principal"]):
                    yield f"{kind} {name}", statement


def _to_services(principal: Any) -> bool:
    """Whether a principal includes AWS's services, by name or because it includes everyone."""
    return principal == "*" or "Service" in principal or "*" in listed(principal.get("AWS", []))


def allowing(node: Any) -> Iterator[dict[str, Any]]:
    """Every statement below `node` that allows something to a principal."""
    if isinstance(node, dict):
        if node.get("Effect") == "Allow" and "Principal" in node:
            yield node
        for value in node.values():
            yield from allowing(value)
    elif isinstance(node, list):
        for value in node:
            yield from allowing(value)


def pinned(statement: dict[str, Any]) -> list[str]:
    """The values by which a statement pins on whose behalf a service comes: none if any value leaves it open."""
    return [
        value
        for operator, keys in statement.get("Condition", {}).items()
        if operator in PINNING
        for key, values in keys.items()
        if key in ON_BEHALF and all(_closed(str(one)) for one in listed(values))
        for value in listed(values)
    ]


def _closed(value: str) -> bool:
    """Whether a value names this account (or a bucket, which only one account can have) before its first wildcard."""
    certain = value.partition("*")[0].partition("?")[0]
    return ACCOUNT in certain or (value.startswith(BUCKETS) and certain == value)


def test_a_service_may_only_come_for_this_account(any_template):
    assert [name for name, statement in granted(any_template) if not pinned(statement)] == []


@pytest.mark.parametrize("name", ["template", "chosen", "ephemeral", "central"])
def test_the_scan_finds_what_services_may_do(request, name):
    found = [name for name, _ in granted(request.getfixturevalue(name))]
    assert {kind.split()[0] for kind in found} >= {"AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"}


def test_no_function_may_be_called_by_a_service(any_template):
    assert not any_template.of_type("AWS::Lambda::Permission")


def rules_to(template: SynthesizedTemplate) -> dict[str, set[str]]:
    """The ARNs of the rules that send to each queue, or leave there what they cannot deliver."""
    found: dict[str, set[str]] = {}
    for name, rule in template.of_type("AWS::Events::Rule").items():
        source = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/Signoff-{name.replace('/', '-')}"
        for target in rule["Targets"]:
            for queue in (target["Arn"], target.get("DeadLetterConfig", {}).get("Arn", "")):
                if queue.startswith("arn:aws:sqs:"):
                    found.setdefault(queue.rpartition(":")[2], set()).add(source)
    return found


@pytest.mark.parametrize("name", ["template", "chosen", "ephemeral", "central"])
def test_a_queue_takes_messages_of_the_rules_that_send_to_it_and_of_no_others(request, name):
    """With and without a customer's key: any rule of the account can carry any event that somebody makes up."""
    template = request.getfixturevalue(name)
    taken: dict[str, set[str]] = {}
    for policy in template.of_type("AWS::SQS::QueuePolicy").values():
        for statement in allowing(policy):
            sources = listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
            for queue in policy["Queues"]:
                taken.setdefault(queue, set()).update(sources)
    assert taken == rules_to(template)
    assert len(taken) > 8


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}},
        {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:*:rule/{ACCOUNT}"}},
        {"StringEquals": {"aws:SourceAccount": [ACCOUNT, "*"]}},
    ],
)
def test_what_leaves_open_for_whom_a_service_comes_pins_nothing(condition):
    assert not pinned({"Condition": condition} if condition else {})
