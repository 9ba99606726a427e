"""What AWS's services do under the roles of a template's resources: its documentation says so, no request shows it."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.support.template import SynthesizedTemplate

LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
SAMPLING = ("xray:GetSamplingRules", "xray:GetSamplingTargets")
QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
LOG_DELIVERY = (
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
)
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
IMAGES = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
MODEL_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
ANYWHERE = ("ecr:GetAuthorizationToken", "cloudwatch:PutMetricData")
# SageMaker writes what a job answers in parts, and gives parts up, when there are many of them.
PARTS = "s3:AbortMultipartUpload"


class Use(NamedTuple):
    """An action that a role (its construct's path) does to a resource (an ARN, or a pattern of a policy)."""

    role: str
    action: str
    resource: str


def service_uses(template: SynthesizedTemplate) -> Iterator[Use]:
    """Yield what services do under the roles of a template's functions, builds, workflows and models."""
    roles = {template.role(name): name for name in template.of_type("AWS::IAM::Role")}
    for role, action, resource in _by_arn(template):
        if role in roles:
            yield Use(roles[role], action, resource)
    for name in roles.values():
        if name in ("MeasuringRole", "ModelExecutionRole"):
            yield from _under_models(template, name)


def _by_arn(template: SynthesizedTemplate) -> Iterator[tuple[str, str, str]]:
    """Yield what is done under a role's ARN."""
    yield from _functions(template)
    yield from _mappings(template)
    for build in template.of_type("AWS::CodeBuild::Project").values():
        group = build["LogsConfig"]["CloudWatchLogs"]["GroupName"]
        yield from ((build["ServiceRole"], action, _log_group(template, group)) for action in LOGS)
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
    for machine in template.of_type("AWS::StepFunctions::StateMachine").values():
        if machine["LoggingConfiguration"]["Level"] != "OFF":
            yield from ((machine["RoleArn"], action, "*") for action in LOG_DELIVERY)
        if machine["TracingConfiguration"]["Enabled"]:
            yield from ((machine["RoleArn"], action, "*") for action in (*TRACES, *SAMPLING))


def _functions(template: SynthesizedTemplate) -> Iterator[tuple[str, str, str]]:
    """Yield what Lambda does under the roles of functions: it writes logs and traces.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    for function in template.of_type("AWS::Lambda::Function").values():
        group = _log_group(template, function["LoggingConfig"]["LogGroup"])
        yield from ((function["Role"], action, group) for action in LOGS)
        if function["TracingConfig"]["Mode"] == "Active":
            yield from ((function["Role"], action, "*") for action in TRACES)


def _mappings(template: SynthesizedTemplate) -> Iterator[tuple[str, str, str]]:
    """Yield what Lambda does under the roles of functions that it reads queues and streams for.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-events.html
    """
    functions = zip(
        template.logical_ids("AWS::Lambda::Function"), template.of_type("AWS::Lambda::Function").values(), strict=True
    )
    roles = {template.resolve({"Ref": logical}): function["Role"] for logical, function in functions}
    for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values():
        role, source = roles[mapping["FunctionName"]], mapping["EventSourceArn"]
        if ":sqs:" in source:
            yield from ((role, action, source) for action in QUEUE)
            continue
        yield from ((role, action, source) for action in STREAM)
        yield role, "dynamodb:ListStreams", "*"
        yield role, "sqs:SendMessage", mapping["DestinationConfig"]["OnFailure"]["Destination"]


def _under_models(template: SynthesizedTemplate, role: str) -> Iterator[Use]:
    """Yield what SageMaker does under the roles of models beside reading them: images, logs, metrics."""
    for use in granted(template, role):
        if use.action in (*ANYWHERE, *IMAGES, *MODEL_LOGS, PARTS):
            yield use
        # Endpoints, which read the models, are made by others.
        if role == "ModelExecutionRole" and use.action in ("s3:GetObject", "s3:ListBucket"):
            yield use


def _log_group(template: SynthesizedTemplate, name: str) -> str:
    for logical in template.logical_ids("AWS::Logs::LogGroup"):
        if template.resolve({"Ref": logical}) == name:
            return str(template.resolve({"Fn::GetAtt": [logical, "Arn"]}))
    raise LookupError(name)


def granted(template: SynthesizedTemplate, *roles: str) -> Iterator[Use]:
    """Yield what the policies of `roles`, or of all roles, allow: each action with each resource."""
    for name, role in template.of_type("AWS::IAM::Role").items():
        if roles and name not in roles:
            continue
        for statement in (each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]):
            for action in _listed(statement["Action"]):
                yield from (Use(name, action, resource) for resource in _listed(statement["Resource"]))


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
