"""Models in other accounts and regions: who makes them, from which copies, under which roles."""

import json

import pytest

from infra.policy_files import load
from tests.support.iam import allowed, denied, listed
from tests.support.shared_registry import (
    DEPLOYS,
    HERE,
    MODELS,
    REGIONAL,
    STRANGER,
    SUBMITS,
    THERE,
    bucket_policy,
    by,
    grants_of,
    open_to,
    person,
)
from tests.support.template import ACCOUNT

THEIRS = "arn:aws:iam::222222222222:role/models"
VPC = {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/models"


def champion(region: str) -> str:
    """The ARN of a group's champion in a region of the account."""
    return f"arn:aws:ssm:{region}:{ACCOUNT}:parameter/signoff/champions/churn"


def writes(policy, parameter: str) -> bool:
    """Whether a role may read, write and delete a parameter; half of that fails the test."""
    (every,) = {allowed(policy, f"ssm:{verb}Parameter", parameter, {}) for verb in ("Get", "Put", "Delete")}
    return every


def test_only_create_model_takes_on_the_role_that_deploys(central, workload):
    trust = workload.one("AWS::IAM::Role", "Deployer")["AssumeRolePolicyDocument"]
    maker = central.role("CreateModelRole")
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    (pattern,) = statement["Condition"]["ArnLike"].values()
    condition = {"Statement": [statement | {"Resource": "*"}]}
    assert pattern == f"arn:aws:iam::{ACCOUNT}:role/signoff/Signoff-CreateModelRole*"
    assert open_to(condition, ACCOUNT, "sts:AssumeRole", "any", aws__PrincipalArn=maker)
    for other in (person(ACCOUNT), central.role("ApplyDecisionRole"), f"arn:aws:iam::{ACCOUNT}:role/CreateModelRole"):
        assert not open_to(condition, ACCOUNT, "sts:AssumeRole", "any", aws__PrincipalArn=other)


def test_the_role_that_deploys_makes_models_and_publishes_champions_and_touches_nothing_else(workload):
    policy = grants_of(workload, "Deployer")
    actions = {action for statement in policy["Statement"] for action in listed(statement["Action"])}
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert actions == {
        *("sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:DeleteModel", "sagemaker:AddTags"),
        *("sagemaker:ListEndpoints", "sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
        *("ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"),
        "iam:PassRole",
    }
    for where in (HERE, THERE):
        assert allowed(policy, "sagemaker:CreateModel", f"arn:aws:sagemaker:{where}:{ACCOUNT}:model/any", {})
        assert writes(policy, champion(where))
        assert not writes(policy, f"arn:aws:ssm:{where}:{ACCOUNT}:parameter/signoff/policies/default")
    assert not allowed(policy, "sagemaker:CreateModel", f"arn:aws:sagemaker:us-west-2:{ACCOUNT}:model/any", {})
    assert not writes(policy, champion("us-west-2"))
    assert allowed(policy, "iam:PassRole", workload.role("ModelExecutionRole"), passed)
    assert not allowed(policy, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/Administrator", passed)


def test_create_model_takes_on_the_roles_of_the_accounts_that_the_policies_name(central):
    policy = grants_of(central, "CreateModelRole")
    taken = {
        account: f"arn:aws:iam::{account}:role/signoff/SignoffDeployer" for account in (SUBMITS, DEPLOYS, STRANGER)
    }
    assert {account: allowed(policy, "sts:AssumeRole", role, {}) for account, role in taken.items()} == {
        SUBMITS: True,
        DEPLOYS: True,
        STRANGER: False,
    }


def test_create_model_makes_models_in_the_regions_that_the_policies_name(central, template):
    there = f"arn:aws:sagemaker:{THERE}:{ACCOUNT}:model/any"
    assert allowed(grants_of(central, "CreateModelRole"), "sagemaker:CreateModel", there, {})
    assert not allowed(grants_of(template, "CreateModelRole"), "sagemaker:CreateModel", there, {})


def test_create_model_publishes_champions_in_the_regions_that_the_policies_name(central, template):
    several, alone = (grants_of(found, "CreateModelRole") for found in (central, template))
    assert [writes(several, champion(where)) for where in (HERE, THERE, "us-west-2")] == [True, True, False]
    assert [writes(alone, champion(where)) for where in (HERE, THERE)] == [True, False]
    for other in ("SweepRole", "RecordBaselineRole"):
        assert not writes(grants_of(central, other), champion(THERE))


def test_models_in_the_own_accounts_other_regions_run_under_the_roles_that_the_policies_name(central):
    policy, to_sagemaker = grants_of(central, "CreateModelRole"), {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert allowed(policy, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/models", to_sagemaker)
    assert not allowed(policy, "iam:PassRole", MODELS[DEPLOYS], to_sagemaker)


def test_what_cannot_be_forwarded_waits_in_a_queue_that_takes_it(central, workload):
    for found, queue, rule in (
        (central, "OthersDeadLetters", f"Rules/Tell{SUBMITS}/Rule"),
        (workload, "DecisionDeadLetters", "Decisions/Rule"),
    ):
        (target,) = found.one("AWS::Events::Rule", rule)["Targets"]
        waiting = target["DeadLetterConfig"]["Arn"]
        policy = found.one("AWS::SQS::QueuePolicy", f"{queue}/Policy")["PolicyDocument"]
        name = f"Signoff-{rule.replace('/', '-')}"
        source = {"aws:SourceArn": f"arn:aws:events:{HERE}:{ACCOUNT}:rule/{name}", "aws:SecureTransport": "true"}
        assert waiting.endswith(queue)
        assert allowed(policy, "sqs:SendMessage", waiting, source), policy


def test_a_registry_for_one_account_takes_on_no_roles_and_forwards_nothing(template):
    roles = template.of_type("AWS::IAM::Role")
    actions = {a for role in roles for s in grants_of(template, role)["Statement"] for a in listed(s["Action"])}
    assert "sts:AssumeRole" not in actions
    assert not template.of_type("AWS::SageMaker::ModelPackageGroup")
    assert not [name for name in template.of_type("AWS::Events::Rule") if "Tell" in name]


# Further regions


def test_another_region_has_a_vault_that_only_create_model_writes_to(central, region):
    properties, policy = region.one("AWS::S3::Bucket", "Vault"), bucket_policy(region, "Vault")
    model = "arn:aws:s3:::signoff-vault/models/Churn/1/model.tar.gz"

    def puts(principal: str, key: str = model) -> bool:
        return not denied(policy, "s3:PutObject", key, {"aws:PrincipalArn": principal, "aws:SecureTransport": "true"})

    assert properties["BucketName"] == REGIONAL
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert puts(central.role("CreateModelRole"))
    assert not puts(central.role("RegisterModelRole"))
    assert not puts(person(ACCOUNT))
    assert not puts(central.role("CreateModelRole"), "arn:aws:s3:::signoff-vault/evidence/1.json")
    maker = by(ACCOUNT, aws__PrincipalArn=central.role("CreateModelRole"))
    assert denied(policy, "s3:DeleteObjectVersion", model, maker)


def test_what_is_copied_to_another_region_is_kept_as_long_as_what_was_approved(region):
    lock = region.one("AWS::S3::Bucket", "Vault")["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Days": 2557, "Mode": "GOVERNANCE"}


def test_create_model_knows_the_vaults_of_other_regions_and_may_write_there(central, template):
    variables = {
        name: found.one("AWS::Lambda::Function", "CreateModel")["Environment"]["Variables"]
        for name, found in {"central": central, "alone": template}.items()
    }
    assert variables["central"]["SIGNOFF_REGIONAL_VAULTS"] == f"{THERE}={REGIONAL}"
    assert "SIGNOFF_REGIONAL_VAULTS" not in variables["alone"]
    copy = f"arn:aws:s3:::{REGIONAL}/models/Churn/1/model.tar.gz"
    assert allowed(grants_of(central, "CreateModelRole"), "s3:PutObject", copy, {})
    versions = "s3:ListBucketVersions"
    assert allowed(grants_of(central, "CreateModelRole"), versions, f"arn:aws:s3:::{REGIONAL}", {})
    assert allowed(grants_of(central, "ModelExecutionRole"), "s3:GetObject", copy, {})


def pulls(policy, region: str) -> set[bool]:
    """Whether a model's role may pull an image and write its log in a region."""
    image = f"arn:aws:ecr:{region}:763104351884:repository/any"
    log = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/any"
    return {allowed(policy, "ecr:BatchGetImage", image, {}), allowed(policy, "logs:CreateLogGroup", log, {})}


def test_models_pull_images_and_log_in_each_region_that_they_are_deployed_to(central, workload):
    for template in (central, workload):
        policy = grants_of(template, "ModelExecutionRole")
        assert pulls(policy, HERE) == pulls(policy, THERE) == {True}
        assert pulls(policy, "us-west-2") == {False}


def test_evidence_looks_images_up_in_each_region_that_models_are_deployed_to(central, template):
    def looks_up(found, region: str) -> bool:
        image = f"arn:aws:ecr:{region}:763104351884:repository/any"
        return allowed(grants_of(found, "RecordEvidenceRole"), "ecr:BatchGetImage", image, {})

    assert [looks_up(central, region) for region in (HERE, THERE, "us-west-2")] == [True, True, False]
    assert [looks_up(template, region) for region in (HERE, THERE)] == [True, False]


def test_models_are_put_into_a_vpc_only_where_that_is_chosen(central, template, chosen):
    interface = f"arn:aws:ec2:{HERE}:{ACCOUNT}:network-interface/any"
    allowing = [
        allowed(grants_of(each, "ModelExecutionRole"), "ec2:CreateNetworkInterface", interface, {})
        for each in (template, central, chosen)
    ]
    assert allowing == [False, False, True]


@pytest.mark.parametrize(
    ("deployment", "uses"),
    [
        ({}, False),
        ({"vpc": VPC}, True),
        ({"choices": {"vpcs": [VPC]}}, True),
        ({"targets": [{"region": THERE, "execution_role": ROLE, "vpc": VPC}]}, True),
        ({"targets": [{"region": THERE, "execution_role": THEIRS, "account": "222222222222", "vpc": VPC}]}, False),
    ],
)
def test_a_policy_says_whether_models_of_this_account_are_put_into_a_vpc(tmp_path, deployment, uses):
    (tmp_path / "groups").mkdir()
    (tmp_path / "default.json").write_text("{}")
    (tmp_path / "groups" / "churn.json").write_text(json.dumps({"deployment": deployment}))
    (policy,) = [each for each in load(tmp_path) if each.group]
    assert policy.uses_vpc is uses
