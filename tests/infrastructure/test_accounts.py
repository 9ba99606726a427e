"""One registry, other accounts: what each may reach, and that none of them can approve."""

import json
from typing import Any

import pytest

from infra.app import WORKLOAD, build
from infra.policy_files import PolicyFileFault, load
from infra.settings import SettingFault, read
from tests.infrastructure.conftest import read_template
from tests.support.cfn_lint import linted
from tests.support.iam import allowed, denied, listed
from tests.support.patterns import matches
from tests.support.shared_registry import (
    CENTRAL,
    DEPLOYS,
    GROUP,
    HERE,
    MODELS,
    SOURCE_KEY,
    STRANGER,
    SUBMITS,
    THERE,
    bucket_policy,
    bus_policy,
    by,
    grants_of,
    group_policy,
    open_to,
)
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

PACKAGES = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package"
CENTRAL_BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/signoff"


# The group


def test_a_group_with_accounts_is_made_governed_and_outlives_the_stack(central):
    ((name, group),) = central.of_type("AWS::SageMaker::ModelPackageGroup").items()
    tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
    (raw,) = central.raw("AWS::SageMaker::ModelPackageGroup")
    assert (name, group["ModelPackageGroupName"]) == ("Groups/churn", "Churn")
    assert tags | {"signoff:governed": "true", "signoff:policy": "own"} == tags
    assert (raw["DeletionPolicy"], raw["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_no_group_policy_ever_grants_the_right_to_approve(central):
    actions = {action for s in group_policy(central)["Statement"] for action in listed(s["Action"])}
    assert actions == {
        "sagemaker:DescribeModelPackageGroup",
        *("sagemaker:DescribeModelPackage", "sagemaker:BatchDescribeModelPackage", "sagemaker:ListModelPackages"),
        *("sagemaker:CreateModelPackage", "sagemaker:CreateModel"),
    }
    assert not [action for action in actions if "UpdateModelPackage" in action or "*" in action]


@pytest.mark.parametrize(
    ("account", "action", "may"),
    [
        (SUBMITS, "CreateModelPackage", True),
        (DEPLOYS, "CreateModelPackage", False),
        (SUBMITS, "CreateModel", False),
        (DEPLOYS, "CreateModel", True),
        (SUBMITS, "DescribeModelPackage", True),
        (DEPLOYS, "DescribeModelPackage", True),
        (STRANGER, "DescribeModelPackage", False),
        (STRANGER, "CreateModelPackage", False),
        *((account, "UpdateModelPackage", False) for account in (SUBMITS, DEPLOYS, STRANGER)),
        *((account, "DeleteModelPackage", False) for account in (SUBMITS, DEPLOYS, STRANGER)),
    ],
)
def test_an_account_may_do_with_packages_what_the_policy_opens_to_it(central, account, action, may):
    assert open_to(group_policy(central), account, f"sagemaker:{action}", f"{PACKAGES}/churn/1") is may


@pytest.mark.parametrize(("status", "may"), [("PendingManualApproval", True), ("Approved", False), ("Rejected", False)])
def test_another_account_registers_packages_as_pending_only(central, status, may):
    given = {"sagemaker__ModelApprovalStatus": status}
    found = open_to(group_policy(central), SUBMITS, "sagemaker:CreateModelPackage", f"{PACKAGES}/churn/1", **given)
    assert found is may


def test_a_group_is_open_to_nobody_by_the_policy_of_another(central):
    assert not open_to(group_policy(central), SUBMITS, "sagemaker:DescribeModelPackage", f"{PACKAGES}/private/1")


# The buckets and the key


@pytest.mark.parametrize(
    ("account", "action", "key", "may"),
    [
        (SUBMITS, "s3:PutObject", "Churn/a/manifest.json", True),
        (SUBMITS, "s3:GetObject", "Churn/a/registration-report.json", True),
        (SUBMITS, "s3:PutObject", "private/a/manifest.json", False),
        (SUBMITS, "s3:PutObject", "Churning/a/manifest.json", False),
        (SUBMITS, "s3:DeleteObject", "Churn/a/manifest.json", False),
        (SUBMITS, "s3:PutObjectTagging", "Churn/a/manifest.json", False),
        (DEPLOYS, "s3:PutObject", "Churn/a/manifest.json", False),
        (STRANGER, "s3:PutObject", "Churn/a/manifest.json", False),
    ],
)
def test_submissions_of_other_accounts_stay_under_the_groups_prefix(central, account, action, key, may):
    found = open_to(bucket_policy(central, "Artifacts"), account, action, f"arn:aws:s3:::signoff-artifacts/{key}")
    assert found is may


@pytest.mark.parametrize(("prefix", "may"), [("Churn/a/", True), ("private/", False), ("", False)])
def test_another_account_lists_only_what_is_under_its_groups_prefix(central, prefix, may):
    where = "arn:aws:s3:::signoff-artifacts"
    found = open_to(bucket_policy(central, "Artifacts"), SUBMITS, "s3:ListBucket", where, s3__prefix=prefix)
    assert found is may


@pytest.mark.parametrize("bucket", ["Artifacts", "Vault"])
def test_what_another_account_uploads_belongs_to_the_buckets_owner(central, bucket):
    ownership = central.one("AWS::S3::Bucket", bucket)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("where", ["central", "region"])
def test_models_are_read_by_those_who_deploy_them_and_by_nobody_else(request, where):
    policy, vault = bucket_policy(request.getfixturevalue(where), "Vault"), "arn:aws:s3:::signoff-vault"
    model = f"{vault}/models/Churn/1/model.tar.gz"

    def reads(account: str, resource: str = model, **context: Any) -> bool:
        return open_to(policy, account, "s3:GetObject", resource, **context)

    assert reads(DEPLOYS)
    assert reads(SUBMITS, aws__PrincipalArn=MODELS[SUBMITS])
    assert not reads(SUBMITS)
    assert not reads(STRANGER)
    assert not reads(DEPLOYS, f"{vault}/models/private/1/model.tar.gz")
    assert not reads(DEPLOYS, f"{vault}/evidence/1.json")
    assert not open_to(policy, DEPLOYS, "s3:PutObject", model)


def test_the_key_is_used_by_way_of_s3_by_those_who_submit_and_deploy(central):
    policy = central.one("AWS::KMS::Key", "Key")["KeyPolicy"]
    by_s3 = {"kms__ViaService": f"s3.{REGION}.amazonaws.com"}
    may = {
        (account, action): open_to(policy, account, f"kms:{action}", "any", **by_s3)
        for account in (SUBMITS, DEPLOYS, STRANGER)
        for action in ("Decrypt", "GenerateDataKey")
    }
    assert may == {
        (SUBMITS, "Decrypt"): True,
        (SUBMITS, "GenerateDataKey"): True,
        (DEPLOYS, "Decrypt"): True,
        (DEPLOYS, "GenerateDataKey"): False,
        (STRANGER, "Decrypt"): False,
        (STRANGER, "GenerateDataKey"): False,
    }
    assert not open_to(policy, SUBMITS, "kms:Decrypt", "any")


def test_what_lies_encrypted_in_other_accounts_buckets_is_decrypted_with_the_keys_that_were_named(central, template):
    def decrypts(found: SynthesizedTemplate) -> bool:
        return allowed(grants_of(found, "KeepArtifactRole"), "kms:Decrypt", SOURCE_KEY, {})

    assert decrypts(central)
    assert not decrypts(template)


# The buses


def may_send(template: SynthesizedTemplate, account: str, detail_type: str, source: str = "acme.tickets") -> bool:
    told = {"events__source": source, "events__detail-type": detail_type}
    return open_to(bus_policy(template), account, "events:PutEvents", CENTRAL_BUS, **told)


@pytest.mark.parametrize("account", [SUBMITS, DEPLOYS])
def test_the_accounts_of_a_group_send_decisions_and_annotations_and_nothing_else(central, account):
    assert may_send(central, account, "Model Approval Decision")
    assert may_send(central, account, "Model Annotation")
    assert not may_send(central, account, "Decision Recorded")
    assert not may_send(central, account, "Model Approval Decision", source="signoff")
    assert not may_send(central, account, "Model Annotation", source="signoff")


def test_an_account_that_no_policy_names_sends_nothing(central):
    assert not may_send(central, STRANGER, "Model Approval Decision")
    assert not may_send(central, STRANGER, "Model Annotation")
    told = by(STRANGER, events__source="acme")
    assert denied(bus_policy(central), "events:PutEvents", CENTRAL_BUS, told)


ANNOTATION = {"detail-type": "Model Annotation"}


def decision(account: str, **fields: Any) -> dict[str, Any]:
    event = {"source": "signoff.cli", "detail-type": "Model Approval Decision", "account": account, "detail": {}}
    return {**event, **fields}


def rule(template: SynthesizedTemplate, name: str) -> dict[str, Any]:
    return template.one("AWS::Events::Rule", name)


@pytest.mark.parametrize(("account", "heard"), [(ACCOUNT, True), (SUBMITS, True), (DEPLOYS, True), (STRANGER, False)])
def test_decisions_are_heard_of_the_own_account_and_of_those_with_a_group(central, account, heard):
    pattern = rule(central, "Rules/DecisionMade")["EventPattern"]
    assert matches(pattern, decision(account)) is heard
    assert matches(pattern, decision(account, **ANNOTATION)) is heard


def test_registry_and_upload_events_of_other_accounts_are_not_taken_for_the_own(central):
    patterns = [
        found["EventPattern"]
        for name, found in central.of_type("AWS::Events::Rule").items()
        if "EventPattern" in found and "EventBusName" not in found
    ]
    assert len(patterns) == 6
    assert [pattern["account"] for pattern in patterns] == [[ACCOUNT]] * 6


def test_an_account_hears_of_its_own_groups_only(central):
    found = rule(central, f"Rules/Tell{SUBMITS}/Rule")
    told = {"source": "signoff", "detail-type": "Decision Recorded", "account": ACCOUNT, "detail": {"group": "Churn"}}
    assert [target["Arn"] for target in found["Targets"]] == [f"arn:aws:events:{REGION}:{SUBMITS}:event-bus/signoff"]
    assert matches(found["EventPattern"], told)
    assert not matches(found["EventPattern"], {**told, "detail": {"group": "private"}})
    assert not matches(found["EventPattern"], {**told, "account": SUBMITS})
    assert not matches(found["EventPattern"], {**told, "source": "acme"})


def test_a_workloads_decisions_and_annotations_go_to_the_registrys_bus(workload):
    found = rule(workload, "Decisions/Rule")
    assert [target["Arn"] for target in found["Targets"]] == [CENTRAL_BUS]
    assert matches(found["EventPattern"], decision(ACCOUNT))  # its own account: both templates have this one
    assert matches(found["EventPattern"], decision(ACCOUNT, **ANNOTATION))
    assert not matches(found["EventPattern"], decision(ACCOUNT, **{"detail-type": "Order Placed"}))
    assert not matches(found["EventPattern"], decision(STRANGER))
    assert not matches(found["EventPattern"], decision(ACCOUNT, source="signoff"))
    role = workload.one("AWS::IAM::Role", "Decisions/Role")
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", CENTRAL_BUS)


def test_only_the_registrys_account_speaks_as_signoff_on_a_workloads_bus(tmp_path):
    build({**CENTRAL, "central": SUBMITS}, tmp_path).synth()
    policy = bus_policy(read_template(tmp_path, WORKLOAD))

    def sends(account: str, source: str) -> bool:
        told = {"events__source": source, "events__detail-type": "Decision Recorded"}
        return open_to(policy, account, "events:PutEvents", CENTRAL_BUS, **told)

    assert sends(SUBMITS, "signoff")
    assert not sends(SUBMITS, "acme")
    assert not sends(STRANGER, "signoff")
    own = by(ACCOUNT, events__source="signoff")
    assert denied(policy, "events:PutEvents", CENTRAL_BUS, own)
    assert not denied(policy, "events:PutEvents", CENTRAL_BUS, {**own, "events:source": "acme"})


# All of it


def test_cfn_lint_finds_nothing_in_any_of_the_stacks(central_assembly, workload_assembly):
    templates = [*central_assembly.glob("*.template.json"), *workload_assembly.glob("*.template.json")]
    assert len(templates) == 4
    assert [found for each in templates for found in linted(each, REGION, THERE)] == []


def test_every_role_lies_under_the_path_that_the_guardrails_reserve(central, workload):
    paths = {role["Path"] for found in (central, workload) for role in found.of_type("AWS::IAM::Role").values()}
    assert paths == {"/signoff/"}


def test_the_command_finds_the_registry_by_a_workloads_outputs(workload):
    assert workload.outputs() == {
        "CentralAccount": ACCOUNT,
        "CentralRegion": HERE,
        "ArtifactsBucket": "signoff-artifacts",
        "BusName": "signoff",
        "DeployerRoleArn": workload.role("Deployer"),
        "ModelExecutionRoleArn": workload.role("ModelExecutionRole"),
    }


@pytest.mark.parametrize("field", [{"accounts": {"submit": [SUBMITS]}}, {"deployment": GROUP["deployment"]}])
def test_the_default_policy_opens_nothing_to_other_accounts(tmp_path, field):
    (tmp_path / "default.json").write_text(json.dumps(field))
    with pytest.raises(PolicyFileFault, match=r"default\.json.*one group"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"central": "12345"}, "twelve digits"),
        ({"central": ACCOUNT}, "centralRegion, centralArtifactsBucket, centralVaultBucket"),
        ({**CENTRAL, "centralRegion": "Ireland"}, "Ireland"),
        ({"regions": "eu-west-1,mars"}, "mars"),
    ],
)
def test_a_place_that_is_none_is_refused(choices, complaint):
    with pytest.raises(SettingFault, match=complaint):
        read(choices.get)
