"""The guardrails: nobody but Signoff walks through the gate, and nobody walks round it."""

import json
from dataclasses import replace

import pytest

from infra.access.guardrails import (
    KINDS,
    GuardrailScope,
    GuardrailTooLong,
    main,
)
from infra.access.guardrails import policy as guardrail
from tests.support.iam import allowed, denied
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
PERSON = f"{ROLE}/DataScientist"
DEPLOYER = f"{ROLE}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
STARTER = f"{ROLE}/cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}"
PUBLISHER = f"{ROLE}/cdk-hnb659fds-file-publishing-role-{ACCOUNT}-{REGION}"
OPERATOR = f"{ROLE}/Operator"
GATE = GuardrailScope(account=ACCOUNT, operators=("Operator",))
BUILDS = f"arn:aws:codebuild:{REGION}:{ACCOUNT}"
STACKS = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


@pytest.fixture(scope="module")
def policy() -> dict:
    return both(GATE)


def both(gate: GuardrailScope) -> dict:
    """The two service control policies together, as they are attached."""
    documents = [json.loads(guardrail(kind, gate)) for kind in ("scp-gate", "scp-deployment")]
    return {"Statement": [statement for document in documents for statement in document["Statement"]]}


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
        ("states:StartExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ValidationBF17-XYZ", "Sweep"),
        ("states:StopExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:execution:ValidationBF17-XYZ:1", "Sweep"),
        ("states:RedriveExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:execution:ValidationBF17-XYZ:1", "Sweep"),
        ("states:SendTaskSuccess", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ValidationBF17-XYZ", "Sweep"),
        ("sqs:ReceiveMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-DecisionQueueA1-XYZ", "ApplyDecision"),
        ("sqs:StartMessageMoveTask", f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-DecisionDeadLettersA1-X", "Sweep"),
        ("codebuild:RetryBuild", f"{BUILDS}:project/InspectAtLength-XYZ", "Validation"),
        ("codebuild:StopBuild", f"{BUILDS}:project/InspectAtLength-XYZ", "Validation"),
    ],
)
def test_only_signoff_does_what_the_gate_is_for(policy, template, action, resource, role):
    assert refused(policy, PERSON, action, resource)
    assert not refused(policy, own(template, role), action, resource)


def test_only_signoff_registers_packages_as_approved_and_others_may_still_register(policy, template):
    action = "sagemaker:CreateModelPackage"
    package = f"{SAGEMAKER}:model-package/breast-cancer/1"
    assert refused(policy, PERSON, action, package, sagemaker__ModelApprovalStatus="Approved")
    assert not refused(policy, PERSON, action, package, sagemaker__ModelApprovalStatus="PendingManualApproval")
    assert not refused(policy, PERSON, action, package)
    approved = {"sagemaker__ModelApprovalStatus": "Approved"}
    assert not refused(policy, own(template, "ApplyDecision"), action, package, **approved)


@pytest.mark.parametrize("status", ["Approved", "Rejected", None])
def test_only_signoff_changes_a_package_once_it_is_registered(policy, template, status):
    package = f"{SAGEMAKER}:model-package/breast-cancer/1"
    context = {"sagemaker__ModelApprovalStatus": status} if status else {}
    assert refused(policy, PERSON, "sagemaker:UpdateModelPackage", package, **context)
    for role in ("ApplyDecision", "RecordEvidence"):
        assert not refused(policy, own(template, role), "sagemaker:UpdateModelPackage", package, **context)


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
        ("iam:UpdateAssumeRolePolicy", STARTER),
        ("iam:PassRole", DEPLOYER),
        ("cloudformation:CreateStack", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:UpdateStack", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:CreateChangeSet", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:ExecuteChangeSet", f"{STACKS}/SignoffRegion-eu-west-1/1a2b"),
        ("cloudformation:SetStackPolicy", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:RollbackStack", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:DeleteStack", f"{STACKS}/SignoffWorkload/1a2b"),
        ("cloudformation:UpdateTerminationProtection", f"{STACKS}/Signoff/1a2b"),
        ("lambda:AddPermission", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-CreateModel-XYZ"),
        ("lambda:CreateFunctionUrlConfig", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-CreateModel-XYZ"),
        ("lambda:UpdateFunctionUrlConfig", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-CreateModel-XYZ"),
        ("lambda:PublishVersion", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-CreateModel-XYZ"),
        ("lambda:PutRuntimeManagementConfig", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-CreateModel-XYZ"),
        ("lambda:DeleteFunctionConcurrency", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-CreateModel-XYZ"),
        ("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/signoff/mine"),
        ("events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/signoff/mine"),
        ("events:UpdateEventBus", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/signoff"),
        ("dynamodb:UpdateTimeToLive", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-LedgerA1B2-XYZ"),
        ("dynamodb:UpdateContinuousBackups", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Signoff-LedgerA1B2-XYZ"),
        ("s3:PutBucketNotification", "arn:aws:s3:::signoff-artifacts1a2b-xyz"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::signoff-artifacts1a2b-xyz"),
        ("s3:PutLifecycleConfiguration", "arn:aws:s3:::signoff-artifacts1a2b-xyz"),
        ("s3:PutEncryptionConfiguration", "arn:aws:s3:::signoff-vault1a2b-xyz"),
        ("s3:PutObject", f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}/1a2b.zip"),
        ("s3:DeleteObject", f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}/1a2b.zip"),
        ("sns:SetTopicAttributes", f"arn:aws:sns:{REGION}:{ACCOUNT}:Signoff-NotificationsApprovalsTopic-XYZ"),
        ("sns:DeleteTopic", f"arn:aws:sns:{REGION}:{ACCOUNT}:Signoff-NotificationsApprovalsTopic-XYZ"),
        ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:Signoff-AlarmsDecisions-XYZ"),
        ("cloudwatch:DisableAlarmActions", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:Signoff-AlarmsDecisions-XYZ"),
        ("sqs:SetQueueAttributes", f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-DecisionQueueA1-XYZ"),
    ],
)
def test_only_a_deployment_changes_the_gate(policy, template, action, resource):
    assert refused(policy, PERSON, action, resource)
    if action != "iam:PassRole":
        assert refused(policy, own(template, "ApplyDecision"), action, resource)
    assert not refused(policy, DEPLOYER, action, resource)


def test_whoever_starts_a_deployment_passes_on_the_role_that_carries_it_out(policy):
    for action, resource in (
        ("iam:PassRole", DEPLOYER),
        ("cloudformation:CreateChangeSet", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:ExecuteChangeSet", f"{STACKS}/Signoff/1a2b"),
    ):
        assert not refused(policy, STARTER, action, resource)
    code = f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}/1a2b.zip"
    assert not refused(policy, PUBLISHER, "s3:PutObject", code)


@pytest.mark.parametrize("role", [DEPLOYER, STARTER, PUBLISHER])
def test_only_the_named_pipelines_become_a_deployer(policy, role):
    named, pipeline = both(replace(GATE, pipelines=("Release",))), f"{ROLE}/Release"
    assert refused(named, PERSON, "sts:AssumeRole", role)
    assert not refused(named, pipeline, "sts:AssumeRole", role)
    assert not refused(named, PERSON, "sts:AssumeRole", f"{ROLE}/Analyst")
    assert not refused(policy, PERSON, "sts:AssumeRole", role)


@pytest.mark.parametrize("verb", ["Create", "Update", "Delete"])
def test_nothing_else_is_mapped_onto_signoffs_functions(policy, verb):
    action, mapping = f"lambda:{verb}EventSourceMapping", f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:1"
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
    assert refused(policy, PERSON, action, mapping, lambda__FunctionArn=f"{function}:Signoff-ApplyDecision-XYZ")
    assert not refused(policy, DEPLOYER, action, mapping, lambda__FunctionArn=f"{function}:Signoff-ApplyDecision-XYZ")
    assert not refused(policy, PERSON, action, mapping, lambda__FunctionArn=f"{function}:billing")


@pytest.mark.parametrize("action", ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:UpdateAlias"])
def test_only_a_deployment_changes_signoffs_key(policy, action):
    key, alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1a2b", {"kms__ResourceAliases": ["alias/signoff"]}
    assert refused(policy, PERSON, action, key, **alias)
    assert not refused(policy, DEPLOYER, action, key, **alias)
    assert not refused(policy, PERSON, action, key, kms__ResourceAliases=["alias/billing"])
    assert not refused(policy, PERSON, "kms:Decrypt", key, **alias)


@pytest.mark.parametrize("path", ["", "team/", "aws-reserved/sso.amazonaws.com/"])
def test_nobody_makes_a_role_that_would_pass_for_a_permission_sets(policy, template, path):
    role = f"{ROLE}/{path}AWSReservedSSO_Approver_0123456789abcdef"
    everybody = [PERSON, OPERATOR, DEPLOYER, own(template, "ApplyDecision")]
    assert all(refused(policy, who, "iam:CreateRole", role) for who in everybody)
    assert not refused(policy, PERSON, "iam:CreateRole", f"{ROLE}/{path}Analyst")


@pytest.mark.parametrize("action", ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectRetention"])
def test_a_deployment_has_no_hand_in_the_vault(policy, action):
    assert refused(policy, DEPLOYER, action, "arn:aws:s3:::signoff-vault1a2b-xyz/models/g/1/model.tar.gz")


def test_operators_have_a_package_validated_again(policy):
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ValidationBF17-XYZ"
    assert not refused(policy, OPERATOR, "states:StartExecution", machine)


@pytest.mark.parametrize("action", ["StartBuild", "StartBuildBatch", "StartSandbox", "RetryBuild", "StopBuild"])
def test_operators_start_no_builds(policy, template, action):
    project = f"{BUILDS}:project/InspectAtLength-XYZ"
    assert all(refused(policy, who, f"codebuild:{action}", project) for who in (OPERATOR, PERSON, DEPLOYER))
    assert not refused(policy, own(template, "Validation"), f"codebuild:{action}", project)


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
        ("states:StartExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Billing"),
        ("states:DescribeExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:execution:ValidationBF17-XYZ:1"),
        ("cloudformation:DescribeStacks", f"{STACKS}/Signoff/1a2b"),
        ("cloudformation:UpdateStack", f"{STACKS}/Billing/1a2b"),
        ("events:DescribeRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/Signoff-RulesPackageRegistered-XYZ"),
        ("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/mine"),
        ("lambda:GetEventSourceMapping", f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:1"),
        ("sns:Subscribe", f"arn:aws:sns:{REGION}:{ACCOUNT}:Signoff-NotificationsApprovalsTopic-XYZ"),
        ("sqs:GetQueueAttributes", f"arn:aws:sqs:{REGION}:{ACCOUNT}:Signoff-DecisionQueueA1-XYZ"),
        ("iam:PassRole", f"{ROLE}/Analyst"),
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
    boundary, person = json.loads(guardrail("boundary", GATE)), {"aws:PrincipalArn": PERSON}
    assert allowed(boundary, "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*", person)
    assert not allowed(boundary, "sagemaker:CreateModel", f"{SAGEMAKER}:model/any", person)
    assert boundary["Statement"][1:] == policy["Statement"]


BASELINE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Signoff-RecordBaseline-XYZ"


@pytest.mark.parametrize(
    ("action", "resource"),
    [("sagemaker:CreateModel", f"{SAGEMAKER}:model/any"), ("lambda:InvokeFunction", BASELINE)],
)
def test_stacks_make_models_and_record_them_only_where_baselines_are_chosen(policy, action, resource):
    with_baselines = both(replace(GATE, baselines=True))
    assert refused(policy, DEPLOYER, action, resource)
    assert not refused(with_baselines, DEPLOYER, action, resource)
    assert refused(with_baselines, PERSON, action, resource)


@pytest.mark.parametrize("kind", KINDS)
def test_each_fits_what_aws_takes(kind):
    """With room for the roles of a team, and for a statement more."""
    limit, _ = KINDS[kind]
    assert len(guardrail(kind, replace(GATE, baselines=True, pipelines=("Release",)))) <= limit - 250


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_that_has_grown_too_long_is_refused(kind):
    crowd = tuple(f"a-rather-long-name-of-a-role-{number}" for number in range(40))
    crowded = GuardrailScope(deployers=crowd, operators=crowd)
    with pytest.raises(GuardrailTooLong, match="name fewer deployers"):
        guardrail(kind, crowded)


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_names_actions_or_all_but_some_and_never_both(kind):
    for statement in json.loads(guardrail(kind, GATE))["Statement"]:
        assert len({"Action", "NotAction"} & set(statement)) == 1
        assert all(statement[part] for part in ("Action", "NotAction", "Resource") if part in statement)


def test_the_command_prints_the_policy_for_the_account(capsys):
    main(["scp-gate", "--account", ACCOUNT, "--operator", "Operator"])
    assert capsys.readouterr().out.strip() == guardrail("scp-gate", GATE)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scp-gate"], False),
        (["scp-deployment"], True),
        (["boundary"], True),
        (["scp-deployment", "--pipeline", "Release"], False),
    ],
)
def test_the_command_says_who_could_still_become_a_deployer(capsys, arguments, told):
    main(arguments)
    assert ("--pipeline" in capsys.readouterr().err) is told
