"""Roles: each may do exactly what its function calls."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from tests.support.iam import allowed, listed
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

EVERY_FUNCTION = {
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
}
BUILD = {"logs:CreateLogStream", "logs:PutLogEvents"}
INBOX = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}
DOCUMENTS = {"s3:GetObject", "s3:ListBucket"}
READ = DOCUMENTS | {"s3:GetObjectVersion"}
VERSIONS = {"s3:ListBucketVersions"}
COPY = {"s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"}
APPEND = {"dynamodb:PutItem", "dynamodb:Query"}
GOVERNANCE = {
    *("sagemaker:DescribeModelPackage", "sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags"),
    "ssm:GetParameters",
}
CHAMPIONS = {"dynamodb:Query", "ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"}
INSPECTOR = {"inspector2:ListFindings", "inspector2:ListCoverage"}
ALLOWED = {
    "RegisterModelRole": EVERY_FUNCTION
    | {"ssm:GetParametersByPath"}
    | INBOX
    | READ
    | APPEND
    | GOVERNANCE
    | {
        *("s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging", *COPY),
        *("sagemaker:CreateModelPackage", "sagemaker:CreateModelPackageGroup", "sagemaker:AddTags"),
        *("dynamodb:GetItem", "ecr:BatchGetImage", "lambda:InvokeFunction"),
    },
    "KeepSignatureRole": EVERY_FUNCTION | INBOX | DOCUMENTS | {"s3:PutObject"},
    "OpenValidationRole": EVERY_FUNCTION | DOCUMENTS | APPEND | GOVERNANCE | {"s3:PutObject", "sagemaker:AddTags"},
    "KeepArtifactRole": EVERY_FUNCTION | READ | VERSIONS | COPY,
    "InspectArtifactRole": EVERY_FUNCTION | READ | VERSIONS | {"s3:PutObject"},
    "KeepAtLengthRole": BUILD | READ | VERSIONS | COPY,
    "InspectAtLengthRole": BUILD | READ | VERSIONS | {"s3:PutObject"},
    "EvaluateModelRole": EVERY_FUNCTION
    | READ
    | {"dynamodb:Query", "s3:PutObject", "ecr:BatchGetImage", "iam:PassRole", "sagemaker:DescribeModelPackage"}
    | {
        *("sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:DeleteModel", "sagemaker:AddTags"),
        *("sagemaker:DescribeTransformJob", "sagemaker:StopTransformJob"),
    },
    "RecordEvidenceRole": EVERY_FUNCTION
    | READ
    | APPEND
    | GOVERNANCE
    | {"s3:PutObject", "sagemaker:UpdateModelPackage", "ecr:BatchGetImage"}
    | {"ecr:DescribeImageScanFindings", "ecr:DescribeImageSigningStatus", *INSPECTOR},
    "ApplyDecisionRole": EVERY_FUNCTION
    | INBOX
    | DOCUMENTS
    | VERSIONS
    | APPEND
    | GOVERNANCE
    | {"s3:PutObject", "s3:GetObjectRetention", "s3:PutObjectRetention", "sagemaker:UpdateModelPackage"}
    | {"s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging"},
    "CreateModelRole": EVERY_FUNCTION
    | INBOX
    | READ
    | VERSIONS
    | APPEND
    | GOVERNANCE
    | CHAMPIONS
    | {
        *("sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:DeleteModel", "sagemaker:AddTags"),
        *("sagemaker:ListEndpoints", "sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
        *("sagemaker:UpdateModelPackage", "iam:PassRole"),
        *("sagemaker:CreateAction", "sagemaker:UpdateAction", "sagemaker:CreateArtifact", "sagemaker:AddAssociation"),
        *("sagemaker:ListArtifacts", "sagemaker:ListAssociations"),
    },
    "SweepRole": EVERY_FUNCTION
    | INBOX
    | DOCUMENTS
    | APPEND
    | CHAMPIONS
    | {
        *("dynamodb:GetItem", "dynamodb:BatchGetItem", "ssm:GetParameters", "sqs:SendMessage"),
        *("sagemaker:DescribeModelPackage", "sagemaker:BatchDescribeModelPackage", "sagemaker:ListModelPackages"),
        *("sagemaker:Search", "sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags"),
        *("states:StartExecution", "states:DescribeExecution"),
        *("dynamodb:Scan", "s3:PutObject", "s3:PutObjectRetention"),
        *("ecr:BatchGetImage", "ecr:DescribeImageScanFindings", *INSPECTOR),
        *("sagemaker:ListModels", "sagemaker:DescribeModel", "sagemaker:DeleteModel"),
        *("sagemaker:ListTransformJobs", "sagemaker:StopTransformJob"),
    },
    "RecordBaselineRole": EVERY_FUNCTION
    | APPEND
    | CHAMPIONS
    | {
        *("sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags", "sagemaker:DescribeModel"),
        *("cloudformation:DescribeStackResource", "ssm:GetParameters"),
    },
    "AnnounceRole": EVERY_FUNCTION
    | {
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
        *("events:PutEvents", "sqs:SendMessage", "sns:Publish"),
    },
    "ValidationRole": {
        "lambda:InvokeFunction",
        *("codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"),
        *("sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob", "sagemaker:StopTransformJob"),
        *("sagemaker:ListTags", "sagemaker:AddTags"),
        *("events:PutTargets", "events:PutRule", "events:DescribeRule"),
        *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
        *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
        "logs:DescribeLogGroups",
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
    },
    "Rules/StartValidationRole": {"states:StartExecution"},
    "MeasuringRole": {
        *("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload", "cloudwatch:PutMetricData"),
        *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"),
        *("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    },
    "ModelExecutionRole": {
        *("s3:GetObject", "s3:ListBucket", "cloudwatch:PutMetricData"),
        *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"),
        *("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    },
}
# Actions that AWS lets one narrow and that are granted on `*` nevertheless.
ON_EVERYTHING = {
    # A metric has no ARN; the dataset that the action's reference names is something else.
    "cloudwatch:PutMetricData",
    # Of no group, but of all: the list that the sweep goes through names no resource.
    "sagemaker:ListModelPackages",
    # What Step Functions needs to log; its documentation asks for `*`.
    *("logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
}
PACKAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/breast-cancer/1"


def policy_of(template: SynthesizedTemplate, role: str) -> dict[str, Any]:
    (policy,) = template.one("AWS::IAM::Role", role)["Policies"]
    document: dict[str, Any] = policy["PolicyDocument"]
    return document


def grants(template: SynthesizedTemplate) -> Iterator[tuple[str, str, str]]:
    """Every role, action and resource that is allowed together."""
    for role in template.of_type("AWS::IAM::Role"):
        for statement in policy_of(template, role)["Statement"]:
            for action in listed(statement["Action"]):
                yield from ((role, action, resource) for resource in listed(statement["Resource"]))


def test_there_are_no_other_roles_and_no_other_policies(template):
    assert set(template.of_type("AWS::IAM::Role")) == set(ALLOWED)
    assert not template.of_type("AWS::IAM::Policy")
    assert set(template.of_type("AWS::IAM::ManagedPolicy")) == {"Auditors", "Operators"}
    assert not [role for role in template.of_type("AWS::IAM::Role").values() if "ManagedPolicyArns" in role]


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_may_do_exactly_what_is_listed(template, role):
    assert {action for name, action, _ in grants(template) if name == role} == ALLOWED[role]


def test_an_auditor_reads_what_is_compared_and_nothing_else(template):
    policy = template.one("AWS::IAM::ManagedPolicy", "Auditors")["PolicyDocument"]
    granted = {action for statement in policy["Statement"] for action in listed(statement["Action"])}
    assert granted == {
        *("cloudformation:DescribeStacks", "cloudformation:DescribeStackResource", "cloudformation:GetTemplate"),
        *("dynamodb:Query", "dynamodb:GetItem", "dynamodb:Scan"),
        *("ssm:GetParametersByPath", "ssm:GetParameterHistory"),
        *("s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"),
        *("sagemaker:DescribeModelPackage", "sagemaker:DescribeModel", "sagemaker:ListTags", "sagemaker:ListModels"),
        *("sagemaker:ListModelPackageGroups", "sagemaker:ListModelPackages", "sagemaker:DescribeModelPackageGroup"),
    }
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::signoff-artifacts/breast-cancer/a/model.tar.gz", {})
    parameters = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
    # IAM is asked about the path itself, which no pattern of what lies below it matches.
    assert allowed(policy, "ssm:GetParametersByPath", f"{parameters}/signoff/policies", {})
    assert allowed(policy, "ssm:GetParameterHistory", f"{parameters}/signoff/policies/groups/churn", {})
    assert not allowed(policy, "ssm:GetParameterHistory", f"{parameters}/signoff/champions/churn", {})


def test_no_action_is_a_pattern(template):
    assert [grant for grant in grants(template) if "*" in grant[1]] == []


def test_nothing_is_granted_on_everything_where_aws_takes_less(template):
    reference = json.loads((resources.files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text())

    def narrower(action: str) -> bool:
        service, _, operation = action.partition(":")
        known = {name.lower(): facts for name, facts in reference[service]["Actions"].items()}
        return bool((known.get(operation.lower()) or {}).get("Resources"))

    loose = {action for _, action, resource in grants(template) if resource == "*" and narrower(action)}
    assert loose <= ON_EVERYTHING


def test_every_role_lies_under_the_path_that_the_guardrails_reserve(template):
    assert {role["Path"] for role in template.of_type("AWS::IAM::Role").values()} == {"/signoff/"}


def test_each_role_trusts_one_service_and_for_this_account_only(template):
    trusts = {
        name: role["AssumeRolePolicyDocument"]["Statement"] for name, role in template.of_type("AWS::IAM::Role").items()
    }
    assert all(len(statements) == 1 for statements in trusts.values())
    services = {name: statements[0]["Principal"]["Service"] for name, statements in trusts.items()}
    others = {"ModelExecutionRole": "sagemaker", "ValidationRole": "states", "Rules/StartValidationRole": "events"}
    others |= {"KeepAtLengthRole": "codebuild", "InspectAtLengthRole": "codebuild", "MeasuringRole": "sagemaker"}
    assert services == {name: f"{others.get(name, 'lambda')}.amazonaws.com" for name in ALLOWED}
    conditions = [trusts[name][0]["Condition"] for name in others]
    assert conditions == [{"StringEquals": {"aws:SourceAccount": ACCOUNT}}] * 6


@pytest.mark.parametrize("role", ["RecordEvidenceRole", "ApplyDecisionRole", "CreateModelRole"])
def test_only_the_function_that_decides_may_approve_a_package(template, role):
    policy, approved = policy_of(template, role), {"sagemaker:ModelApprovalStatus": "Approved"}
    may_approve = allowed(policy, "sagemaker:UpdateModelPackage", PACKAGE, approved)
    assert may_approve is (role == "ApplyDecisionRole")
    assert allowed(policy, "sagemaker:UpdateModelPackage", PACKAGE, {})
    assert allowed(policy, "sagemaker:UpdateModelPackage", PACKAGE, {"sagemaker:ModelApprovalStatus": "Rejected"})


@pytest.mark.parametrize(("status", "may"), [("PendingManualApproval", True), ("Approved", False)])
def test_a_package_is_registered_as_pending_only(template, status, may):
    policy, context = policy_of(template, "RegisterModelRole"), {"sagemaker:ModelApprovalStatus": status}
    assert allowed(policy, "sagemaker:CreateModelPackage", PACKAGE, context) is may


def test_only_the_report_is_written_beside_a_submission(template):
    policy, submission = policy_of(template, "RegisterModelRole"), "arn:aws:s3:::signoff-artifacts/breast-cancer/a"
    assert allowed(policy, "s3:PutObject", f"{submission}/registration-report.json", {})
    assert not allowed(policy, "s3:PutObject", f"{submission}/manifest.json", {})


def test_models_run_under_the_roles_that_the_policies_name(template, chosen):
    own = template.role("ModelExecutionRole")
    to_sagemaker = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    policy = policy_of(template, "CreateModelRole")
    assert allowed(policy, "iam:PassRole", own, to_sagemaker)
    assert not allowed(policy, "iam:PassRole", own, {"iam:PassedToService": "lambda.amazonaws.com"})
    other = f"arn:aws:iam::{ACCOUNT}:role/models/cancer"
    assert not allowed(policy, "iam:PassRole", other, to_sagemaker)
    assert allowed(policy_of(chosen, "CreateModelRole"), "iam:PassRole", other, to_sagemaker)


@pytest.mark.parametrize("role", ["RegisterModelRole", "RecordEvidenceRole", "CreateModelRole", "SweepRole"])
def test_packages_are_encrypted_with_the_keys_that_were_named_and_only_by_sagemaker(template, chosen, role):
    key, action = "arn:aws:kms:us-east-1:123456789012:key/of-the-registry", "kms:GenerateDataKey"
    by_sagemaker = {"kms:ViaService": f"sagemaker.{REGION}.amazonaws.com"}
    assert not allowed(policy_of(template, role), action, key, by_sagemaker)
    assert allowed(policy_of(chosen, role), action, key, by_sagemaker)
    assert not allowed(policy_of(chosen, role), action, key, {"kms:ViaService": f"s3.{REGION}.amazonaws.com"})


@pytest.mark.parametrize(("verb", "results"), [("Keep", "kept"), ("Inspect", "inspected")])
def test_a_build_may_do_to_artifacts_and_vault_what_the_function_may(template, verb, results):
    """But the function asks and the build answers, each where the other cannot."""
    own = f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    granted = {
        role: {(action, resource) for name, action, resource in grants(template) if name == role and "s3:" in action}
        for role in (f"{verb}ArtifactRole", f"{verb}AtLengthRole")
    }
    function = granted[f"{verb}ArtifactRole"]
    build = {grant for grant in granted[f"{verb}AtLengthRole"] if not grant[1].startswith(own)}
    vault = "arn:aws:s3:::signoff-vault"
    assert build - function == {("s3:PutObject", f"{vault}/{results}/*"), ("s3:GetObject", f"{vault}/requests/*")}
    assert function - build == {("s3:PutObject", f"{vault}/requests/*")}
    fetched = {resource for _, resource in granted[f"{verb}AtLengthRole"] - build}
    assert all(resource.startswith(own) and resource.endswith(".zip") for resource in fetched)


def test_the_workflow_starts_builds_of_these_projects_only_and_learns_of_their_end(template):
    events, builds = f"arn:aws:events:{REGION}:{ACCOUNT}", f"arn:aws:codebuild:{REGION}:{ACCOUNT}"
    resources_of = {
        service: {where for role, action, where in grants(template) if role == "ValidationRole" and service in action}
        for service in ("codebuild:", "events:")
    }
    assert resources_of == {
        "codebuild:": {f"{builds}:project/Signoff-{task}AtLength" for task in ("Keep", "Inspect")},
        "events:": {
            f"{events}:rule/StepFunctionsGetEventForCodeBuildStartBuildRule",
            f"{events}:rule/StepFunctionsGetEventsForSageMakerTransformJobsRule",
        },
    }


@pytest.mark.parametrize("role", ["EvaluateModelRole", "ValidationRole", "SweepRole"])
def test_models_and_jobs_of_a_measurement_are_known_by_their_names(template, role):
    policy, where = policy_of(template, role), f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
    for action in ("CreateModel", "DeleteModel", "CreateTransformJob", "StopTransformJob"):
        for kind in ("model", "transform-job"):
            assert not allowed(policy, f"sagemaker:{action}", f"{where}:{kind}/churn-v1-0123456789", {})
    assert allowed(policy, "sagemaker:StopTransformJob", f"{where}:transform-job/signoff-eval-candidate-01", {})


def test_temporary_models_run_under_signoffs_own_role_alone(template):
    policy, passed = policy_of(template, "EvaluateModelRole"), {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert allowed(policy, "iam:PassRole", template.role("MeasuringRole"), passed)
    assert not allowed(policy, "iam:PassRole", template.role("ModelExecutionRole"), passed)


def test_whoever_measures_reads_the_rows_that_policies_name_and_writes_no_answers(template, chosen):
    policy = policy_of(template, "EvaluateModelRole")
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::held-out/churn.csv", {})
    answers = template.one("AWS::S3::BucketPolicy", "Answers/Policy")["PolicyDocument"]["Statement"]
    (only,) = [each for each in answers if each.get("Sid") == "OnlyAnswers"]
    assert only["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": [template.role("MeasuringRole")]}}
    assert (only["Effect"], only["Action"]) == ("Deny", "s3:PutObject")


def test_artifacts_are_read_from_the_buckets_that_were_named(template, chosen):
    elsewhere = "arn:aws:s3:::training-output/job/model.tar.gz"
    assert not allowed(policy_of(template, "KeepArtifactRole"), "s3:GetObject", elsewhere, {})
    assert allowed(policy_of(chosen, "KeepArtifactRole"), "s3:GetObject", elsewhere, {})


@pytest.mark.parametrize("role", ["InspectArtifactRole", "InspectAtLengthRole"])
def test_who_parses_hostile_bytes_reads_the_vault_and_writes_findings_only(template, role):
    policy, vault = policy_of(template, role), "arn:aws:s3:::signoff-vault"
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::signoff-artifacts/churn/a/model.tar.gz", {})
    for prefix in ("models", "evidence", "registrations", "policies", "heads", "kept"):
        assert not allowed(policy, "s3:PutObject", f"{vault}/{prefix}/any", {})
    assert allowed(policy, "s3:PutObject", f"{vault}/findings/1.json", {})
    assert not any(action.startswith(("dynamodb:", "sagemaker:")) for _, action, _ in grants(template) if _ == role)


def test_the_sweep_starts_only_this_workflow_and_sends_only_to_its_queues(template):
    resources_of = {
        action: {resource for role, granted, resource in grants(template) if role == "SweepRole" and granted == action}
        for action in ("states:StartExecution", "sqs:SendMessage")
    }
    queues = {f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-{name}Queue" for name in ("Register", "Decision", "Deploy")}
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Signoff-Validation"
    assert resources_of == {"states:StartExecution": {machine}, "sqs:SendMessage": queues}
