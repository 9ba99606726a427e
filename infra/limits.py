"""What AWS limits in the size of what is deployed, looked up in the synthesised templates before anything is deployed.

AWS refuses what is too large in the middle of a deployment, and names neither the policy file nor the remedy. The sizes
are estimates, because CloudFormation makes up the names of resources: each is taken to be as long as it can become.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

KB = 1024
_FEWER = "open groups to the same accounts and give them one prefix (-c sharedPrefixes), or open fewer of them"
_ROLES = "name the execution roles by a pattern (-c executionRoles=arn:aws:iam::<account>:role/models/*)"
_FOLDERS = "put the policies of groups into folders, infra/policies/groups/<folder>/<group>.json"
_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "ap-southeast-2",
    "AWS::Partition": "aws-us-gov",
    "AWS::URLSuffix": "amazonaws.com.cn",
    "AWS::StackId": f"arn:aws:cloudformation:ap-southeast-2:123456789012:stack/Signoff/{'0' * 36}",
}
_LONGEST_NAME = 64
_NAMES = ("BucketName", "RoleName", "Name", "AliasName")


class LimitExceeded(ValueError):
    """Raised when something is larger than AWS takes; the message says what, by how much, and what to do."""


@dataclass(frozen=True)
class Limit:
    """What AWS takes at most of something, in characters or pieces, where it says so, and what helps."""

    what: str
    most: int
    remedy: str
    source: str

    def complaint(self, where: str, size: int) -> str | None:
        """Return what is wrong with a size, or None."""
        if size <= self.most:
            return None
        return f"{where}: {self.what} is {size:,}, and AWS takes {self.most:,}: {self.remedy} ({self.source})"


_AWS = "https://docs.aws.amazon.com"
_CFN = f"{_AWS}/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
_IAM = f"{_AWS}/IAM/latest/UserGuide/reference_iam-quotas.html"
_SQS = f"{_AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"
_EVENTS = f"{_AWS}/eventbridge/latest/userguide/eb-quota.html"

RESOURCES = Limit("the number of resources", 500, _FOLDERS, _CFN)
OUTPUTS = Limit("the number of outputs", 200, "leave some out", _CFN)
PARAMETERS = Limit("the number of parameters", 200, "leave some out", _CFN)
# AWS says 1 MB; the smaller of its two meanings.
TEMPLATE = Limit("the template's size in bytes", 1_000_000, _FOLDERS, _CFN)
RULES = Limit("the number of rules on one bus", 300, _FEWER, _EVENTS)

BUCKET_POLICY = Limit(
    "the bucket's policy", 20 * KB, _FEWER, f"{_AWS}/AmazonS3/latest/userguide/add-bucket-policy.html"
)
BUS_POLICY = Limit(
    "the bus's policy", 10_240, "name fewer publishers in approvals.publishers, or give sources the same ones", _EVENTS
)
PATTERN = Limit("the rule's event pattern", 2048, _FEWER, _EVENTS)
TARGETS = Limit("the number of the rule's targets", 5, "make another rule", _EVENTS)
INLINE = Limit("what the role's inline policies have together", 10_240, _ROLES, _IAM)
TRUST = Limit("the role's trust policy", 2048, "let fewer assume it", _IAM)
MANAGED = Limit("the managed policy", 6144, "grant less, or by patterns", _IAM)
KEY_POLICY = Limit("the key's policy", 32 * KB, _FEWER, f"{_AWS}/kms/latest/developerguide/resource-limits.html")
QUEUE_POLICY = Limit("the queue's policy", 8192, "open groups to fewer accounts", _SQS)
QUEUE_STATEMENTS = Limit("the number of statements in the queue's policy", 20, "put them together", _SQS)
TOPIC_POLICY = Limit(
    "the topic's policy", 30 * KB, "name fewer", f"{_AWS}/sns/latest/dg/sns-access-policy-use-cases.html"
)
TABLE_POLICY = Limit(
    "the table's policy", 20 * KB, "name fewer", f"{_AWS}/amazondynamodb/latest/developerguide/ServiceQuotas.html"
)
GROUP_POLICY = Limit(
    "the model package group's policy",
    20_480,
    "open the group to fewer accounts",
    f"{_AWS}/sagemaker/latest/APIReference/API_PutModelPackageGroupPolicy.html",
)
PARAMETER = Limit(
    "the value of the parameter",
    8 * KB,
    "shorten the policy's file",
    f"{_AWS}/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
)
STANDARD = Limit("the value of the standard parameter", 4 * KB, "make it an advanced one", PARAMETER.source)
ENVIRONMENT = Limit(
    "the function's environment",
    4 * KB,
    "choose fewer regions",
    f"{_AWS}/lambda/latest/dg/gettingstarted-limits.html",
)
Properties = Mapping[str, Any]
Measured = Iterator[tuple[Limit, int]]


def check(assembly: Path) -> None:
    """Raise LimitExceeded, with all that is too large, if AWS would refuse a template in the folder `assembly`."""
    complaints = [
        complaint
        for path in sorted(assembly.glob("*.template.json"))
        for where, limit, size in measured(path)
        if (complaint := limit.complaint(where, size))
    ]
    if complaints:
        raise LimitExceeded("\n".join(complaints))


def measured(path: Path) -> Iterator[tuple[str, Limit, int]]:
    """Yield what is limited in the template at `path`: where it is, its limit, and its size."""
    template = Template(json.loads(path.read_bytes()))
    stack = path.name.partition(".")[0]
    for limit, size in (
        (TEMPLATE, path.stat().st_size),
        (RESOURCES, len(template.resources)),
        (OUTPUTS, len(template.document.get("Outputs", {}))),
        (PARAMETERS, len(template.document.get("Parameters", {}))),
        *((RULES, size) for size in template.rules_of_each_bus()),
    ):
        yield stack, limit, size
    for logical, resource in template.resources.items():
        measure = _MEASURES.get(resource["Type"])
        if measure:
            for limit, size in measure(template, resource["Properties"]):
                yield f"{stack} {template.path(logical)}", limit, size


class Template:
    """A template as CloudFormation would deploy it, with stand-ins of the greatest length for what it makes up."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.resources: Mapping[str, Any] = document.get("Resources", {})

    def path(self, logical: str) -> str:
        """The construct's path of a resource, or its logical id."""
        path = self.resources[logical].get("Metadata", {}).get("aws:cdk:path", logical)
        return str(path).removesuffix("/Resource")

    def size(self, node: Any) -> int:
        """The characters of a document, without white space, as AWS counts them."""
        text = self.text(node)
        return len(text if isinstance(text, str) else json.dumps(text, separators=(",", ":"), ensure_ascii=False))

    def rules_of_each_bus(self) -> list[int]:
        """How many rules there are on each bus."""
        rules = [each["Properties"] for each in self.resources.values() if each["Type"] == "AWS::Events::Rule"]
        buses = [self.text(rule.get("EventBusName", "default")) for rule in rules]
        return [buses.count(bus) for bus in sorted(set(buses))]

    def text(self, node: Any) -> Any:
        """`node` with each reference replaced by a name or an ARN."""
        match node:
            case {"Ref": str(name)}:
                return _PSEUDO.get(name) or self._name(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._arn(name) if attribute.endswith("Arn") else self._name(name)
            case {"Fn::Join": [separator, list(parts)]}:
                return str(separator).join(str(self.text(part)) for part in parts)
            case {"Fn::Sub": str(text)}:
                return text
            case dict() if len(node) == 1 and next(iter(node)).startswith("Fn::"):
                return "x" * _LONGEST_NAME
            case dict():
                return {key: self.text(value) for key, value in node.items()}
            case list():
                return [self.text(value) for value in node]
            case _:
                return node

    def _name(self, logical: str) -> str:
        properties = self.resources.get(logical, {}).get("Properties", {})
        given = next((properties[name] for name in _NAMES if name in properties), None)
        # The stack's name, the logical id and what makes it unique.
        return str(self.text(given)) if given else f"Signoff-{logical}-ABCDEFGHIJKL"[:_LONGEST_NAME]

    def _arn(self, logical: str) -> str:
        name, resource = self._name(logical), self.resources.get(logical, {})
        match resource.get("Type"):
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{name}"
            case "AWS::IAM::Role":
                return f"arn:aws:iam::123456789012:role{resource['Properties'].get('Path', '/')}{name}"
            case _:
                return f"arn:aws:service:ap-southeast-2:123456789012:resource/{name}"


def _role(template: Template, role: Properties) -> Measured:
    yield INLINE, sum(template.size(policy["PolicyDocument"]) for policy in role.get("Policies", ()))
    yield TRUST, template.size(role["AssumeRolePolicyDocument"])


def _rule(template: Template, rule: Properties) -> Measured:
    yield PATTERN, template.size(rule.get("EventPattern", {}))
    yield TARGETS, len(rule.get("Targets", ()))


def _queue(template: Template, policy: Properties) -> Measured:
    yield QUEUE_POLICY, template.size(policy["PolicyDocument"])
    yield QUEUE_STATEMENTS, len(policy["PolicyDocument"]["Statement"])


def _parameter(template: Template, parameter: Properties) -> Measured:
    yield STANDARD if parameter.get("Tier", "Standard") == "Standard" else PARAMETER, template.size(parameter["Value"])


def _function(template: Template, function: Properties) -> Measured:
    variables = function.get("Environment", {}).get("Variables", {})
    yield ENVIRONMENT, sum(template.size(text) for text in chain(variables, variables.values()))


def _of(limit: Limit, *names: str) -> Callable[[Template, Properties], Measured]:
    """What measures one property, by the names that lead to it."""

    def measure(template: Template, properties: Properties) -> Measured:
        node: Any = properties
        for name in names:
            node = node.get(name, {})
        yield limit, template.size(node)

    return measure


_MEASURES: Mapping[str, Callable[[Template, Properties], Measured]] = {
    "AWS::S3::BucketPolicy": _of(BUCKET_POLICY, "PolicyDocument"),
    "AWS::Events::EventBus": _of(BUS_POLICY, "Policy"),
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _of(MANAGED, "PolicyDocument"),
    "AWS::KMS::Key": _of(KEY_POLICY, "KeyPolicy"),
    "AWS::SQS::QueuePolicy": _queue,
    "AWS::SNS::TopicPolicy": _of(TOPIC_POLICY, "PolicyDocument"),
    "AWS::DynamoDB::Table": _of(TABLE_POLICY, "ResourcePolicy", "PolicyDocument"),
    "AWS::SageMaker::ModelPackageGroup": _of(GROUP_POLICY, "ModelPackageGroupPolicy"),
    "AWS::SSM::Parameter": _parameter,
    "AWS::Lambda::Function": _function,
}
