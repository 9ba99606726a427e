"""The topics by which people are notified: who may speak on them, who hears, and under which key."""

import re

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from infra import settings
from infra.settings import SettingFault, Subscriber, read
from signoff.ledger.entries import Stage
from tests.support.iam import allowed, denied
from tests.support.repository import ROOT
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

TOPICS = [f"Notifications/{stage.title()}Topic" for stage in Stage]


def arn(name: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:Signoff-{name.replace('/', '-')}"


def refuses(template: SynthesizedTemplate, topic: str, principal: str, tls: str = "true") -> bool:
    documents = template.of_type("AWS::SNS::TopicPolicy").values()
    (policy,) = (each["PolicyDocument"] for each in documents if each["Topics"] == [arn(topic)])
    context = {"aws:PrincipalArn": principal, "aws:SecureTransport": tls}
    return denied(policy, "sns:Publish", arn(topic), context)


def test_the_app_and_the_functions_know_the_same_stages():
    assert tuple(Stage) == settings.STAGES


def test_each_stage_has_a_topic_and_the_stack_says_where(template):
    assert set(template.of_type("AWS::SNS::Topic")) == set(TOPICS)
    told = {f"{stage.title()}TopicArn": arn(topic) for stage, topic in zip(Stage, TOPICS, strict=True)}
    assert told.items() <= template.outputs().items()


def test_announce_knows_every_topic_and_may_publish_there_and_nowhere_else(template):
    variables = template.one("AWS::Lambda::Function", "Announce")["Environment"]["Variables"]
    (policy,) = template.one("AWS::IAM::Role", "AnnounceRole")["Policies"]
    for stage, topic in zip(Stage, TOPICS, strict=True):
        assert variables[f"SIGNOFF_TOPIC_{stage.upper()}"] == arn(topic)
        assert allowed(policy["PolicyDocument"], "sns:Publish", arn(topic), {})
    assert not allowed(policy["PolicyDocument"], "sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms", {})


@pytest.mark.parametrize("topic", TOPICS)
def test_nobody_but_announce_speaks_to_people_and_only_over_tls(template, topic):
    announce = template.role("AnnounceRole")
    assert not refuses(template, topic, announce)
    assert refuses(template, topic, announce, tls="false")
    assert refuses(template, topic, f"arn:aws:iam::{ACCOUNT}:user/approver")
    assert refuses(template, topic, template.role("ApplyDecisionRole"))


def test_a_topic_is_under_sns_own_key_or_under_the_customers(template, chosen):
    keys = {topic["KmsMasterKeyId"] for topic in template.of_type("AWS::SNS::Topic").values()}
    assert keys == {f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/sns"}
    theirs = {topic["KmsMasterKeyId"] for topic in chosen.of_type("AWS::SNS::Topic").values()}
    assert theirs == {f"arn:aws:kms:{REGION}:{ACCOUNT}:key/Signoff-Key"}
    (policy,) = chosen.one("AWS::IAM::Role", "AnnounceRole")["Policies"]
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert allowed(policy["PolicyDocument"], action, *theirs, {})


def test_those_whom_the_deployment_names_are_subscribed_and_nobody_else(template, chosen):
    found = [
        (each["TopicArn"], each["Protocol"], each["Endpoint"])
        for each in chosen.of_type("AWS::SNS::Subscription").values()
    ]
    assert sorted(found) == [
        (arn("Notifications/ApprovalsTopic"), "email", "risk@example.com"),
        (arn("Notifications/DeploymentsTopic"), "https", "https://hooks.example.com/models"),
    ]
    assert not template.of_type("AWS::SNS::Subscription")


@pytest.mark.parametrize(
    ("text", "subscriber"),
    [
        ("approvals:mailto:risk@example.com", ("approvals", "email", "risk@example.com")),
        ("decisions:https://example.com", ("decisions", "https", "https://example.com")),
        ("registrations:arn:aws:sqs:eu-west-1:123456789012:in", "sqs"),
        ("deployments:arn:aws-cn:lambda:cn-north-1:123456789012:function:tell:live", "lambda"),
    ],
)
def test_a_subscriber_is_a_stage_and_a_target(text, subscriber):
    if isinstance(subscriber, str):
        stage, _, endpoint = text.partition(":")
        subscriber = (stage, subscriber, endpoint)
    assert read({"notify": text}.get).notify == (Subscriber(*subscriber),)


@pytest.mark.parametrize(
    "text",
    [
        "mailto:risk@example.com",
        "approval:mailto:risk@example.com",
        "approvals",
        "approvals:risk@example.com",
        "approvals:mailto:risk",
        "approvals:mailto:risk@example.com@elsewhere.org",
        "approvals:http://example.com/hook",
        "approvals:https://",
        "approvals:https://user:secret@example.com/hook",
        "approvals:https://example.com/with space",
        "approvals:sms:+4915100000",
        "approvals:arn:aws:sns:eu-west-1:123456789012:topic",
        "approvals:arn:aws:sqs:eu-west-1:123:in",
        "approvals:arn:aws:lambda:eu-west-1:123456789012:in",
    ],
)
def test_a_subscriber_that_is_none_is_refused_by_name(text):
    with pytest.raises(SettingFault, match="notify"):
        read({"notify": text}.get)


def test_an_approval_given_alone_raises_an_alarm(template):
    alarm = template.one("AWS::CloudWatch::Alarm", "Alarms/BreakGlassUsed")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("Signoff", "BreakGlass", 0)
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Sum", "GreaterThanThreshold")


def test_the_web_hook_of_the_documentation_synthesises_and_hears_the_event():
    guide = (ROOT / "docs" / "notifications.md").read_text()
    (snippet,) = (block for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "ApiDestination" in block)
    stack = cdk.Stack(cdk.App(), "Guide", env=cdk.Environment(account=ACCOUNT, region=REGION))
    names = {"cdk": cdk, "events": events, "targets": targets, "sqs": sqs, "self": stack}
    exec(snippet, names)  # noqa: S102 - the documentation's own code
    made = assertions.Template.from_stack(stack)
    (rule,) = (each["Properties"] for each in made.find_resources("AWS::Events::Rule").values())
    assert rule["EventBusName"] == "signoff"
    assert rule["EventPattern"] == {"source": ["signoff"], "detail-type": ["Approval Requested"]}
    (target,) = rule["Targets"]
    assert set(target["InputTransformer"]["InputPathsMap"].values()) == {
        *("$.detail.group", "$.detail.package", "$.detail.version", "$.detail.uri"),
    }
