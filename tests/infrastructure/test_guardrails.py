"""The guardrails: nobody but Signoff walks through the gate, and nobody walks round it."""

import json
from dataclasses import replace

import pytest

from infra.access.guardrails import (
    BOUNDARY_LIMIT,
    SCP_LIMIT,
    GuardrailScope,
    GuardrailTooLong,
    main,
    permissions_boundary,
    service_control_policy,
)
from tests.support.iam import allowed, denied
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
PERSON = f"{ROLE}/DataScientist"
DEPLOYER = f"{ROLE}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
OPERATOR = f"{ROLE}/Operator"
GATE = GuardrailScope(account=ACCOUNT, operators=("Operator",))
BUILDS = f"arn:aws:codebuild:{REGION}:{ACCOUNT}"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


@pytest.fixture(scope="module")
def policy() -> dict:
    return json.loads(service_control_policy(GATE))


def refused(policy: dict, principal: str, action: str, resource: str, **context: object) -> bool:
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    return denied(policy, action, resource, {"aws:PrincipalArn": principal, **keys})


def own(template: SynthesizedTemplate, name: str) -> str:
    return template.role(f"{name}Role")


@pytest.mark.parametrize(
    ("action", "resource", "role"),
    [
        ("sagemaker:CreateModel", f"{SAGEMAKER}:model/any", "CreateModel"),
        ("s3:PutObject", "arn:aws:s3:::signoff-vault1a2b-xyz/models/g/1/model.tar.gz", "RegisterModel"),
        ("dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-LedgerA1B2-XYZ", "ApplyDecision"),
        ("iam:PassRole", f"{ROLE}/signoff/Signoff-ModelExecutionRole-XYZ", "CreateModel"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-ApplyDecision-X", "Validation"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-DecisionQueueA1-XYZ", "Sweep"),
        ("codebuild:StartBuild", f"{BUILDS}:project/InspectAtLength-XYZ", "Validation"),
        ("codebuild:StartSandbox", f"{BUILDS}:project/InspectAtLength-XYZ", "Validation"),
        ("ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/champions/churn", "CreateModel"),
        ("ssm:DeleteParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/champions/churn", "Sweep"),
    ],
)
def test_only_signoff_does_what_the_gate_is_for(policy, template, action, resource, role):
    assert refused(policy, PERSON, action, resource)
    assert not refused(policy, own(template, role), action, resource)


@pytest.mark.parametrize("action", ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"])
def test_only_signoff_approves_and_others_may_still_register_and_reject(policy, template, action):
    package = f"{SAGEMAKER}:model-package/breast-cancer/1"
    assert refused(policy, PERSON, action, package, sagemaker__ModelApprovalStatus="Approved")
    assert not refused(policy, PERSON, action, package, sagemaker__ModelApprovalStatus="PendingManualApproval")
    assert not refused(policy, PERSON, action, package)
    approved = {"sagemaker__ModelApprovalStatus": "Approved"}
    assert not refused(policy, own(template, "ApplyDecision"), action, package, **approved)


@pytest.mark.parametrize("action", ["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:CreateModelPackageGroup"])
def test_only_signoff_sets_the_tags_by_which_it_knows_its_groups(policy, template, action):
    group = f"{SAGEMAKER}:model-package-group/breast-cancer"
    assert refused(policy, PERSON, action, group, aws__TagKeys=["team", "signoff:governed"])
    assert not refused(policy, PERSON, action, group, aws__TagKeys=["team"])
    assert not refused(policy, own(template, "RegisterModel"), action, group, aws__TagKeys=["signoff:governed"])


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/policies/groups/breast-cancer"),
        ("ssm:DeleteParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/policies/default"),
        ("ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/constructs/record-baseline"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::signoff-vault1a2b-xyz"),
        ("s3:DeleteBucketPolicy", "arn:aws:s3:::signoff-vault1a2b-xyz"),
        ("dynamodb:DeleteResourcePolicy", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-LedgerA1B2-XYZ"),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-LedgerA1B2-XYZ"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-ApplyDecision-XYZ"),
        ("codebuild:UpdateProject", f"{BUILDS}:project/InspectAtLength-XYZ"),
        ("states:UpdateStateMachine", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ValidationBF17-XYZ"),
        ("events:DisableRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/Signoff-RulesPackageRegistered-XYZ"),
        ("events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/signoff/Signoff-RulesDecisionMade-XYZ"),
        ("iam:PutRolePolicy", f"{ROLE}/signoff/Signoff-AnnounceRole-XYZ"),
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}/signoff/Signoff-AnnounceRole-XYZ"),
        ("iam:CreateRole", f"{ROLE}/signoff/Mine"),
        ("iam:CreateRole", f"{ROLE}/cdk-mine-cfn-exec-role-mine"),
        ("iam:UpdateAssumeRolePolicy", DEPLOYER),
    ],
)
def test_only_a_deployment_changes_the_gate(policy, template, action, resource):
    assert refused(policy, PERSON, action, resource)
    assert refused(policy, own(template, "ApplyDecision"), action, resource)
    assert not refused(policy, DEPLOYER, action, resource)


@pytest.mark.parametrize("path", ["", "team/", "aws-reserved/sso.amazonaws.com/"])
def test_nobody_makes_a_role_that_would_pass_for_a_permission_sets(policy, template, path):
    role = f"{ROLE}/{path}AWSReservedSSO_Approver_0123456789abcdef"
    everybody = [PERSON, OPERATOR, DEPLOYER, own(template, "ApplyDecision")]
    assert all(refused(policy, who, "iam:CreateRole", role) for who in everybody)
    assert not refused(policy, PERSON, "iam:CreateRole", f"{ROLE}/{path}Analyst")


@pytest.mark.parametrize("action", ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectRetention"])
def test_a_deployment_has_no_hand_in_the_vault(policy, action):
    assert refused(policy, DEPLOYER, action, "arn:aws:s3:::signoff-vault1a2b-xyz/models/g/1/model.tar.gz")


def test_operators_redrive_what_failed_and_others_do_not(policy):
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-DecisionQueueA1-XYZ"
    assert refused(policy, PERSON, "sqs:SendMessage", queue)
    assert not refused(policy, OPERATOR, "sqs:SendMessage", queue)
    assert refused(policy, OPERATOR, "sagemaker:CreateModel", f"{SAGEMAKER}:model/any")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "arn:aws:s3:::signoff-artifacts1a2b-xyz/breast-cancer/a/manifest.json"),
        ("s3:GetObject", "arn:aws:s3:::signoff-vault1a2b-xyz/evidence/1.json"),
        ("dynamodb:Query", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-LedgerA1B2-XYZ"),
        ("states:StartExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ValidationBF17-XYZ"),
        ("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/signoff"),
        ("sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint/any"),
        ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/champions/churn"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:billing"),
        ("codebuild:StartBuild", f"{BUILDS}:project/billing"),
        ("iam:GetRole", f"{ROLE}/signoff/Signoff-AnnounceRole-XYZ"),
    ],
)
def test_everyday_work_goes_on(policy, action, resource):
    assert not refused(policy, PERSON, action, resource)


def test_the_boundary_allows_all_but_what_the_scp_refuses(policy):
    boundary, person = json.loads(permissions_boundary(GATE)), {"aws:PrincipalArn": PERSON}
    assert allowed(boundary, "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*", person)
    assert not allowed(boundary, "sagemaker:CreateModel", f"{SAGEMAKER}:model/any", person)
    assert boundary["Statement"][1:] == policy["Statement"]


BASELINE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-RecordBaseline-XYZ"


@pytest.mark.parametrize(
    ("action", "resource"),
    [("sagemaker:CreateModel", f"{SAGEMAKER}:model/any"), ("lambda:InvokeFunction", BASELINE)],
)
def test_stacks_make_models_and_record_them_only_where_baselines_are_chosen(policy, action, resource):
    with_baselines = json.loads(service_control_policy(replace(GATE, baselines=True)))
    assert refused(policy, DEPLOYER, action, resource)
    assert not refused(with_baselines, DEPLOYER, action, resource)
    assert refused(with_baselines, PERSON, action, resource)


def test_both_fit_what_aws_takes():
    assert len(service_control_policy(replace(GATE, baselines=True))) <= SCP_LIMIT
    assert len(service_control_policy(GATE)) <= SCP_LIMIT
    assert len(permissions_boundary(GATE)) <= BOUNDARY_LIMIT


def test_a_policy_that_has_grown_too_long_is_refused():
    crowded = GuardrailScope(deployers=tuple(f"a-rather-long-name-of-a-deployer-{number}" for number in range(20)))
    with pytest.raises(GuardrailTooLong, match="name fewer deployers"):
        service_control_policy(crowded)


def test_the_command_prints_the_policy_for_the_account(capsys):
    main(["scp", "--account", ACCOUNT, "--operator", "Operator"])
    assert capsys.readouterr().out.strip() == service_control_policy(GATE)
