"""What AWS's services do under the roles of a template's resources: its documentation says so, no request shows it."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.repository import ROOT
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
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html
INSPECTOR = ("inspector2:ListFindings", "inspector2:ListCoverage")
# Where AWS's reference names the packages, policies that are known to work name the group too, or the other way round.
EITHER = {"sagemaker:CreateModelPackage": "model-package-group/*", "sagemaker:ListModelPackages": "model-package/*"}
# What CloudFormation's handlers of a resource type call, by `aws cloudformation describe-type`.
PROVISIONING = {
    "AWS::SSM::Parameter": {
        *("ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:ListTagsForResource"),
        *("ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"),
    },
    "AWS::SageMaker::ModelPackageGroup": {
        *("sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags"),
        *("sagemaker:DeleteModelPackageGroup", "sagemaker:GetModelPackageGroupPolicy", "sagemaker:AddTags"),
        *("sagemaker:DeleteModelPackageGroupPolicy", "sagemaker:DeleteTags"),
    },
    "AWS::IAM::ManagedPolicy": {
        *("iam:CreatePolicy", "iam:DeletePolicy", "iam:GetPolicy", "iam:GetPolicyVersion"),
        *("iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"),
        "iam:ListEntitiesForPolicy",
    },
}
# What Service Catalog does for a product's stack, and for its template.
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-launch.html
LAUNCHING = {
    *("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack"),
    *("cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:SetStackPolicy"),
    *("cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:DeleteChangeSet"),
    *("cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate", "s3:GetObject"),
}
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
    for use in granted(template):
        if _by_models(use) or _asked_on_behalf(use, template) or _provisioned(use):
            yield use


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


def _by_models(use: Use) -> bool:
    """Return whether SageMaker does this under the role of a model, beside reading it: images, logs, metrics.

    Endpoints, which read the models under the default role, are made by others.
    """
    beside = use.action in (*ANYWHERE, *IMAGES, *MODEL_LOGS, PARTS)
    reading = use.action in ("s3:GetObject", "s3:ListBucket", "kms:Decrypt")
    return (use.role == "MeasuringRole" and beside) or (use.role == "ModelExecutionRole" and (beside or reading))


def _asked_on_behalf(use: Use, template: SynthesizedTemplate) -> bool:
    """Return whether a service asks another for this on a role's behalf, or may name its resource in another way."""
    scans = Use(use.role, "ecr:DescribeImageScanFindings", "")[:2]
    by_ecr = use.action in INSPECTOR and scans in {each[:2] for each in granted(template, use.role)}
    return by_ecr or use.resource.endswith(EITHER.get(use.action, "nothing"))


def _provisioned(use: Use) -> bool:
    """Return whether the launch role of projects needs this for what their templates name."""
    if use.role != "Projects/LaunchRole":
        return False
    templates = [json.loads(path.read_bytes()) for path in (ROOT / "infra/project").glob("v*.json")]
    types = {resource["Type"] for one in templates for resource in one["Resources"].values()}
    return use.action in LAUNCHING.union(*(PROVISIONING.get(kind, set()) for kind in types))


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
