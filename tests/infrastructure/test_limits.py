"""What AWS limits in size: a registry of 500 groups and 50 accounts fits, and what does not is told at synthesis."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import limits, names
from infra.access.accounts import Families
from infra.access.principals import without_covered
from infra.app import STACK, synthesise
from infra.events.rules import in_patterns
from infra.limits import LimitExceeded
from infra.policy_files import PolicyFileFault, load
from signoff_cli.audit.deployed_policies import deployed_texts, nested_stacks, with_nested
from tests.infrastructure.conftest import read_template
from tests.support.iam import allowed
from tests.support.patterns import matches
from tests.support.shared_registry import bucket_policy, open_to
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

NAMING = ("Name", "BucketName", "AliasName", "TableName", "LogGroupName", "ModelPackageGroupName", "RoleName")
UNITS, GROUPS_EACH, ACCOUNTS_EACH = 10, 50, 5
ROLES = f"arn:aws:iam::{ACCOUNT}:role/models"


def group(unit: int, number: int) -> str:
    return f"unit{unit}-model-{number:02}"


def accounts(unit: int) -> list[str]:
    """The accounts of a business unit: all but the last submit, and the last deploys and runs models."""
    return [f"{200000000000 + ACCOUNTS_EACH * unit + number}" for number in range(ACCOUNTS_EACH)]


def policy(unit: int, number: int) -> dict[str, Any]:
    *submitting, runs = accounts(unit)
    target = {"account": runs, "region": REGION, "execution_role": f"arn:aws:iam::{runs}:role/signoff/SignoffModels"}
    return {
        "accounts": {"submit": submitting, "deploy": [runs]},
        "submissions": {"submitters": [f"arn:aws:iam::{account}:role/Trainer" for account in submitting]},
        "approvals": {"identity": "asserted", "publishers": {f"tickets{unit}": [f"{ROLES}/Tickets{unit}"]}},
        "deployment": {"execution_role": f"{ROLES}/{group(unit, number)}", "targets": [target]},
    }


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of a registry with 500 groups, of ten units with five accounts each."""
    base = tmp_path_factory.mktemp("crowded")
    (base / "policies").mkdir()
    (base / "policies" / "default.json").write_text("{}")
    for unit in range(UNITS):
        folder = base / "policies" / "groups" / f"unit{unit}"
        folder.mkdir(parents=True)
        for number in range(GROUPS_EACH):
            (folder / f"{group(unit, number)}.json").write_text(json.dumps(policy(unit, number)))
    choices = {
        "policies": str(base / "policies"),
        "sharedPrefixes": ",".join(f"unit{unit}-" for unit in range(UNITS)),
        "executionRoles": f"{ROLES}/*",
        "regions": "eu-west-1",
        "suffix": "-2",
        "customerManagedKey": "true",
    }
    return synthesise({"bundle": "source", "nag": "false", **choices}, base / "out")


@pytest.fixture(scope="module")
def registry(crowded: Path) -> SynthesizedTemplate:
    return read_template(crowded, STACK)


def test_500_groups_and_50_accounts_are_within_the_limits_of_aws(crowded):
    sizes = {
        (limit.what, where): size / limit.most for path in templates(crowded) for where, limit, size in measured(path)
    }
    assert max(sizes.values()) <= 1
    assert {limit.what for limit in (limits.BUCKET_POLICY, limits.BUS_POLICY, limits.INLINE)} <= {
        what for what, _ in sizes
    }


def templates(assembly: Path) -> list[Path]:
    return sorted(assembly.glob("*.template.json"))


def measured(path: Path) -> Iterator[tuple[str, limits.Limit, int]]:
    return limits.measured(path)


def test_each_of_them_is_open_to_its_own_units_accounts_and_to_no_others(registry):
    artifacts, vault = bucket_policy(registry, "Artifacts"), bucket_policy(registry, "Vault")
    for unit in (0, UNITS - 1):
        upload = f"arn:aws:s3:::signoff-artifacts/{group(unit, 7)}/a/manifest.json"
        model = f"arn:aws:s3:::signoff-vault/models/{group(unit, 7)}/a/model.tar.gz"
        for other in range(UNITS):
            submits, deploys = accounts(other)[0], accounts(other)[-1]
            trainer = {"aws__PrincipalArn": f"arn:aws:iam::{submits}:role/Trainer"}
            assert open_to(artifacts, submits, "s3:PutObject", upload, **trainer) is (unit == other)
            assert not open_to(artifacts, submits, "s3:PutObject", upload)
            assert open_to(vault, deploys, "s3:GetObject", model) is (unit == other)


def test_each_account_hears_of_its_own_units_groups(registry):
    for unit in (0, UNITS - 1):
        rule = registry.one("AWS::Events::Rule", f"Rules/Tell{accounts(unit)[2]}/Rule")["EventPattern"]
        event = {"source": "signoff", "detail-type": "Decision Recorded", "account": ACCOUNT}
        heard = [other for other in range(UNITS) if matches(rule, {**event, "detail": {"group": group(other, 3)}})]
        assert heard == [unit]


def test_models_run_under_each_groups_own_role_by_one_pattern(registry):
    (granted,) = registry.one("AWS::IAM::Role", "CreateModelRole")["Policies"]
    document = granted["PolicyDocument"]
    by_sagemaker = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert allowed(document, "iam:PassRole", f"{ROLES}/{group(3, 3)}", by_sagemaker)
    assert not allowed(document, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/Administrator", by_sagemaker)


def test_an_audit_reads_the_policies_of_the_nested_stacks_too(crowded, registry):
    nested = {
        logical: json.loads(
            next(crowded.glob(f"*{logical.split('NestedStack')[0]}*.nested.template.json")).read_bytes()
        )
        for logical in nested_stacks(registry.document)
    }
    whole = with_nested(registry.document, nested)
    texts = deployed_texts(whole, registry.outputs(), names.POLICIES)
    assert len(texts) == UNITS * GROUPS_EACH + 1
    assert None not in texts.values()
    assert json.loads(texts[f"{names.POLICIES}/groups/{group(2, 5)}"])["deployment"]["execution_role"].endswith(
        group(2, 5)
    )


# What a stack leaves under a fixed name


@pytest.fixture(scope="module")
def region(crowded: Path) -> SynthesizedTemplate:
    return read_template(crowded, f"{STACK}Region-eu-west-1")


def test_a_suffix_tells_apart_what_an_earlier_stack_has_left(registry, region):
    vault = f"signoff-vault-{ACCOUNT}-eu-west-1-2"
    variables = registry.one("AWS::Lambda::Function", "CreateModel")["Environment"]["Variables"]
    assert region.one("AWS::S3::Bucket", "Vault")["BucketName"] == vault
    assert variables["SIGNOFF_REGIONAL_VAULTS"] == f"eu-west-1={vault}"
    for found in (registry, region):
        assert [alias["AliasName"] for alias in found.of_type("AWS::KMS::Alias").values()] == ["alias/signoff-2"]
    (policy,) = registry.one("AWS::IAM::Role", "CreateModelRole")["Policies"]
    key = "arn:aws:kms:eu-west-1:123456789012:key/any"
    for alias, may in (("alias/signoff-2", True), ("alias/signoff", False)):
        assert allowed(policy["PolicyDocument"], "kms:Decrypt", key, {"kms:ResourceAliases": [alias]}) is may


def test_nothing_else_is_left_under_a_fixed_name(crowded):
    """What is named so is in docs/operations.md, with what to do about it."""
    fixed = {
        resource["Type"]
        for path in templates(crowded)
        for resource in json.loads(path.read_bytes())["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
        and any(name in resource["Properties"] for name in NAMING)
        and resource["Type"] != "AWS::Logs::LogGroup"  # of the workflow: its name holds the stack's id
    }
    assert fixed == {"AWS::KMS::Alias", "AWS::S3::Bucket", "AWS::SageMaker::ModelPackageGroup"}


# What does not fit


def assembly_of(folder: Path, *resources: dict[str, Any], **parts: Any) -> Path:
    document = {"Resources": {f"R{number}": each for number, each in enumerate(resources)}, **parts}
    (folder / "Signoff.template.json").write_text(json.dumps(document))
    return folder


def document(*arns: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": list(arns)}
    return {"Version": "2012-10-17", "Statement": [statement]}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


LONG = document(*(f"arn:aws:s3:::vault/models/group-{number:04}/*" for number in range(1000)))
BIG = "x" * 9000
TOO_LARGE: dict[str, tuple[dict[str, Any], str]] = {
    "bucket": (resource("AWS::S3::BucketPolicy", PolicyDocument=LONG), "bucket's policy.*20,480.*sharedPrefixes"),
    "bus": (resource("AWS::Events::EventBus", Policy=LONG), "bus's policy.*10,240.*publishers"),
    "rule": (resource("AWS::Events::Rule", EventPattern={"source": [BIG]}), "event pattern.*2,048"),
    "role": (
        resource("AWS::IAM::Role", AssumeRolePolicyDocument={}, Policies=[{"PolicyDocument": LONG}]),
        "inline policies.*10,240.*executionRoles",
    ),
    "trust": (resource("AWS::IAM::Role", AssumeRolePolicyDocument=LONG), "trust policy.*2,048"),
    "managed": (resource("AWS::IAM::ManagedPolicy", PolicyDocument=LONG), "managed policy.*6,144"),
    "key": (resource("AWS::KMS::Key", KeyPolicy=LONG), "key's policy.*32,768"),
    "queue": (resource("AWS::SQS::QueuePolicy", PolicyDocument=LONG), "queue's policy.*8,192"),
    "statements": (
        resource("AWS::SQS::QueuePolicy", PolicyDocument={"Statement": document()["Statement"] * 21}),
        "number of statements.*20",
    ),
    "topic": (resource("AWS::SNS::TopicPolicy", PolicyDocument=LONG), "topic's policy.*30,720"),
    "table": (resource("AWS::DynamoDB::Table", ResourcePolicy={"PolicyDocument": LONG}), "table's policy.*20,480"),
    "group": (resource("AWS::SageMaker::ModelPackageGroup", ModelPackageGroupPolicy=LONG), "group's policy.*20,480"),
    "parameter": (resource("AWS::SSM::Parameter", Value=BIG, Tier="Intelligent-Tiering"), "parameter.*8,192"),
    "standard": (resource("AWS::SSM::Parameter", Value=BIG[:5000]), "standard parameter.*4,096"),
    "environment": (resource("AWS::Lambda::Function", Environment={"Variables": {"A": BIG}}), "environment.*4,096"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_aws_would_refuse_for_its_size_is_refused_at_synthesis_with_what_to_do(tmp_path, name):
    large, complaint = TOO_LARGE[name]
    with pytest.raises(LimitExceeded, match=f"^Signoff R0: .*{complaint}") as refused:
        limits.check(assembly_of(tmp_path, large))
    assert "https://docs.aws.amazon.com/" in str(refused.value)


@pytest.mark.parametrize(
    ("resources", "parts", "complaint"),
    [
        (501, {}, "resources is 501, and AWS takes 500: put the policies of groups into folders"),
        (1, {"Outputs": {str(number): {} for number in range(201)}}, "outputs is 201"),
        (1, {"Parameters": {str(number): {} for number in range(201)}}, "parameters is 201"),
        (1, {"Description": "x" * 1_000_000}, "template's size"),
    ],
)
def test_a_template_that_is_too_large_is_refused(tmp_path, resources, parts, complaint):
    topics = [resource("AWS::SNS::Topic")] * resources
    with pytest.raises(LimitExceeded, match=complaint):
        limits.check(assembly_of(tmp_path, *topics, **parts))


def test_more_rules_than_a_bus_takes_are_refused_and_those_of_two_buses_are_not_one_buses(tmp_path):
    def rules(bus: str) -> list[dict[str, Any]]:
        return [resource("AWS::Events::Rule", EventBusName=bus, EventPattern={"source": ["a"]})] * 160

    limits.check(assembly_of(tmp_path, *rules("one"), *rules("two")))
    with pytest.raises(LimitExceeded, match="rules on one bus is 320"):
        limits.check(assembly_of(tmp_path, *rules("one"), *rules("one")))


def test_everything_that_is_too_large_is_told_at_once(tmp_path):
    large = [TOO_LARGE[name][0] for name in ("bucket", "bus")]
    with pytest.raises(LimitExceeded) as refused:
        limits.check(assembly_of(tmp_path, *large))
    assert len(str(refused.value).splitlines()) == 2


def test_a_policy_is_measured_with_the_names_that_cloudformation_makes_up(tmp_path):
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {}}

    def check(count: int) -> None:
        arns = [{"Fn::Join": ["", [{"Fn::GetAtt": ["R0", "Arn"]}, f"/models/group-{n:04}/*"]]} for n in range(count)]
        limits.check(assembly_of(tmp_path, bucket, resource("AWS::S3::BucketPolicy", PolicyDocument=document(*arns))))

    check(150)
    with pytest.raises(LimitExceeded, match="bucket's policy"):
        check(460)


# How policies are kept small

WORDS = st.sampled_from(["fraud", "risk", "credit"])
NAMES = st.builds(lambda word, number: f"{word}-{number}", WORDS, st.integers(0, 4))


@given(st.sets(NAMES), st.sets(NAMES), st.sets(WORDS.map(lambda word: f"{word}-")))
def test_a_prefix_stands_for_a_family_only_where_all_of_it_is_meant(files, meant, prefixes):
    groups = files | meant
    patterns = Families(sorted(groups), sorted(prefixes)).patterns(meant)
    found = {
        name
        for name in groups
        if any(name == one or (one[-1] == "*" and name.startswith(one[:-1])) for one in patterns)
    }
    assert found == meant


def test_a_rules_pattern_has_no_more_groups_than_fit():
    groups = [f"group-{number:03}-{'x' * 50}" for number in range(500)]
    parts = list(in_patterns(groups))
    assert [name for part in parts for name in part] == groups
    whole = {"account": [ACCOUNT], "source": ["signoff"]}
    sizes = [len(json.dumps({**whole, "detail": {"group": [{"prefix": one} for one in part]}})) for part in parts]
    assert max(sizes) <= limits.PATTERN.most
    assert list(in_patterns(["one"])) == [["one"]]


def test_a_role_that_a_pattern_covers_is_not_named_beside_it():
    covered, other = f"{ROLES}/one", f"arn:aws:iam::{ACCOUNT}:role/other"
    assert without_covered([covered, f"{ROLES}/*", other, covered]) == sorted([f"{ROLES}/*", other])
    assert without_covered([f"{ROLES}/[a]*", f"{ROLES}/a1"]) == sorted([f"{ROLES}/[a]*", f"{ROLES}/a1"])


# Folders


def test_a_folder_gives_a_policy_no_other_name(tmp_path):
    (tmp_path / "groups" / "fraud").mkdir(parents=True)
    for path in ("default", "groups/churn", "groups/fraud/cards"):
        (tmp_path / f"{path}.json").write_text("{}")
    found = {policy.name: (policy.group, policy.folder) for policy in load(tmp_path)}
    assert found == {
        "default": (None, None),
        "groups/churn": ("churn", None),
        "groups/cards": ("cards", "fraud"),
    }


def test_one_group_has_no_policies_in_two_folders(tmp_path):
    for path in ("default", "groups/Churn", "groups/fraud/churn"):
        (tmp_path / f"{path}.json").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{path}.json").write_text("{}")
    with pytest.raises(PolicyFileFault, match=rf"fraud/churn\.json: {re.escape(str(tmp_path))}/groups/Churn\.json is"):
        load(tmp_path)
