"""A group's policy says which other account does what with the group and its packages; without one, none does."""

import json
from typing import Any

import pytest

from tests.support.local_sagemaker import INSTANCES, OTHER, OWN, REGION, ROLE, SPECIFICATION, LocalSageMaker

GROUP = f"arn:aws:sagemaker:{REGION}:{OWN}:model-package-group/tumours"
VERSIONS = f"arn:aws:sagemaker:{REGION}:{OWN}:model-package/tumours/*"
FIRST = VERSIONS.replace("*", "1")
THIRD = "333333333333"


@pytest.fixture
def local() -> LocalSageMaker:
    local = LocalSageMaker()
    local.group("Tumours")
    local.approved()
    local.events.clear()
    return local


def statement(*actions: str, effect: str = "Allow", principal: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Principal": principal or {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": [f"sagemaker:{action}" for action in actions],
        "Resource": [GROUP, VERSIONS],
        **more,
    }


def put(local: LocalSageMaker, *statements: dict[str, Any]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    local.ask("PutModelPackageGroupPolicy", ModelPackageGroupName="tumours", ResourcePolicy=policy)


REQUESTS: dict[str, dict[str, Any]] = {
    "DescribeModelPackageGroup": {"ModelPackageGroupName": GROUP},
    "ListModelPackages": {"ModelPackageGroupName": GROUP},
    "CreateModelPackage": {"ModelPackageGroupName": GROUP},
    "DescribeModelPackage": {"ModelPackageName": FIRST},
    "UpdateModelPackage": {"ModelPackageArn": FIRST, "ApprovalDescription": "seen"},
    "DeleteModelPackage": {"ModelPackageName": FIRST},
    "CreateModel": {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": FIRST}, "ExecutionRoleArn": ROLE},
    "ListTags": {"ResourceArn": GROUP},
}


@pytest.mark.parametrize("action", REQUESTS)
def test_another_account_does_nothing_without_a_policy(local: LocalSageMaker, action: str) -> None:
    code, message = local.refusal(action, account=OTHER, **REQUESTS[action])

    assert code == "AccessDeniedException"
    assert f"arn:aws:iam::{OTHER}:root is not authorized to perform: sagemaker:{action} on resource: " in message
    assert local.events == []


@pytest.mark.parametrize("action", REQUESTS)
def test_another_account_does_what_the_policy_grants_and_nothing_else(local: LocalSageMaker, action: str) -> None:
    put(local, statement(action))

    local.ask(action, account=OTHER, **REQUESTS[action])

    for other in set(REQUESTS) - {action}:
        assert local.refusal(other, account=OTHER, **REQUESTS[other])[0] == "AccessDeniedException"
    assert local.refusal(action, account=THIRD, **REQUESTS[action])[0] == "AccessDeniedException"


@pytest.mark.parametrize("action", REQUESTS)
def test_what_is_denied_is_denied_to_everybody(local: LocalSageMaker, action: str) -> None:
    put(local, statement("*"), statement(action, effect="Deny", principal="*"))

    for account in (OWN, OTHER):
        code, message = local.refusal(action, account=account, **REQUESTS[action])
        assert (code, "with an explicit deny" in message) == ("AccessDeniedException", True)


def test_a_role_of_another_account_may_be_the_one_that_is_granted(local: LocalSageMaker) -> None:
    put(local, statement("DescribeModelPackage", principal={"AWS": f"arn:aws:iam::{OTHER}:role/deployer"}))
    session = f"arn:aws:sts::{OTHER}:assumed-role/{{}}/session"

    described = local.ask("DescribeModelPackage", OTHER, caller=session.format("deployer"), ModelPackageName=FIRST)

    assert described["ModelPackageArn"] == FIRST
    refused = local.refusal(
        "DescribeModelPackage", account=OTHER, caller=session.format("other"), ModelPackageName=FIRST
    )
    assert refused[0] == "AccessDeniedException"


def test_a_grant_is_of_the_resources_that_it_names(local: LocalSageMaker) -> None:
    put(local, statement("DescribeModelPackage", "CreateModelPackage", Resource=GROUP))

    for action in ("DescribeModelPackage", "CreateModelPackage"):
        assert local.refusal(action, account=OTHER, **REQUESTS[action])[0] == "AccessDeniedException"


def test_a_package_that_another_account_registers_is_the_owners(local: LocalSageMaker) -> None:
    put(local, statement("CreateModelPackage"))

    arn = local.ask("CreateModelPackage", account=OTHER, ModelPackageGroupName=GROUP)["ModelPackageArn"]

    described = local.package_described(arn)
    assert arn == VERSIONS.replace("*", "2")
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == ("Tumours", 2)
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == f"arn:aws:iam::{OTHER}:root"
    assert [told for told, _ in local.events] == [arn]


def test_a_foreign_group_that_is_not_there_is_as_one_that_is_not_granted(local: LocalSageMaker) -> None:
    nowhere = GROUP.replace("tumours", "none")

    refused = local.refusal("DescribeModelPackageGroup", account=OTHER, ModelPackageGroupName=nowhere)

    assert refused[0] == "AccessDeniedException"


def test_what_is_granted_and_not_there_is_said_not_to_be_there(local: LocalSageMaker) -> None:
    put(local, statement("DescribeModelPackage"))

    code, message = local.refusal("DescribeModelPackage", account=OTHER, ModelPackageName=FIRST.replace("/1", "/7"))

    assert (code, message.endswith("/tumours/7 does not exist.")) == ("ValidationException", True)


def test_a_name_is_of_the_callers_own_account(local: LocalSageMaker) -> None:
    put(local, statement("*"))

    code, message = local.refusal("DescribeModelPackageGroup", account=OTHER, ModelPackageGroupName="tumours")

    assert (code, f":{OTHER}:model-package-group/tumours does not exist." in message) == ("ValidationException", True)


def test_a_model_of_a_foreign_package_is_the_callers(local: LocalSageMaker) -> None:
    put(local, statement("CreateModel"))

    local.ask("CreateModel", account=OTHER, **REQUESTS["CreateModel"])

    assert local.ask("DescribeModel", account=OTHER, ModelName="m")["ModelArn"].split(":")[4] == OTHER
    assert local.ask("ListModels")["Models"] == []


def test_an_unversioned_package_is_its_accounts_alone(local: LocalSageMaker) -> None:
    spec = SPECIFICATION | INSTANCES
    arn = local.ask("CreateModelPackage", ModelPackageName="solo", InferenceSpecification=spec)["ModelPackageArn"]

    assert local.refusal("DescribeModelPackage", account=OTHER, ModelPackageName=arn)[0] == "AccessDeniedException"


def test_what_may_be_described_is_listed_to_another_account(local: LocalSageMaker) -> None:
    local.group("lungs")
    put(local, statement("DescribeModelPackageGroup"))

    def listed(**request: Any) -> list[str]:
        found = local.ask("ListModelPackageGroups", account=OTHER, **request)["ModelPackageGroupSummaryList"]
        return [each["ModelPackageGroupArn"] for each in found]

    assert listed() == listed(CrossAccountFilterOption="SameAccount") == []
    assert listed(CrossAccountFilterOption="CrossAccount") == [GROUP]


def test_many_packages_of_another_account_are_described_by_a_grant_of_that(local: LocalSageMaker) -> None:
    put(local, statement("BatchDescribeModelPackage"))
    lungs = local.package(local.group("lungs"))

    answer = local.ask("BatchDescribeModelPackage", account=OTHER, ModelPackageArnList=[FIRST, lungs])

    assert list(answer["ModelPackageSummaries"]) == [FIRST]
    assert answer["BatchDescribeModelPackageErrorMap"][lungs]["ErrorCode"] == "AccessDeniedException"


def test_a_policy_is_read_as_it_was_put_and_gone_when_deleted(local: LocalSageMaker) -> None:
    named = {"ModelPackageGroupName": "TUMOURS"}
    put(local, statement("CreateModel"))
    first = local.ask("GetModelPackageGroupPolicy", **named)["ResourcePolicy"]
    put(local, statement("DescribeModelPackage"))
    second = local.ask("GetModelPackageGroupPolicy", **named)["ResourcePolicy"]

    local.ask("DeleteModelPackageGroupPolicy", **named)

    assert [json.loads(text)["Statement"][0]["Action"] for text in (first, second)] == [
        ["sagemaker:CreateModel"],
        ["sagemaker:DescribeModelPackage"],
    ]
    gone = ("ValidationException", f"Cannot find resource policy for: {GROUP}")
    assert local.refusal("GetModelPackageGroupPolicy", **named) == gone
    assert local.refusal("DeleteModelPackageGroupPolicy", **named) == gone


def test_a_policy_goes_with_its_group(local: LocalSageMaker) -> None:
    put(local, statement("DescribeModelPackageGroup"))
    local.ask("DeleteModelPackage", ModelPackageName=FIRST)
    local.ask("DeleteModelPackageGroup", ModelPackageGroupName="tumours")
    local.group("tumours")

    code, _ = local.refusal("DescribeModelPackageGroup", account=OTHER, ModelPackageGroupName=GROUP)

    assert code == "AccessDeniedException"


@pytest.mark.parametrize("action", ["GetModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy"])
def test_the_policy_of_no_group_is_not_found(local: LocalSageMaker, action: str) -> None:
    refused = local.refusal(action, ModelPackageGroupName="none")

    expected = f"Cannot find Model Package Group: {GROUP.replace('tumours', 'none')}"
    assert refused == ("ValidationException", expected)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"Statement": []}',
        '{"Statement": ["Allow"]}',
        json.dumps({"Statement": [statement("CreateModel", effect="Perhaps")]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}),
        json.dumps({"Statement": {"Effect": "Allow", "Resource": "*", "Action": "*"}}),
        "x" * 20_481,
        "",
    ],
)
def test_what_is_no_policy_is_not_put(local: LocalSageMaker, text: str) -> None:
    code, _ = local.refusal("PutModelPackageGroupPolicy", ModelPackageGroupName="tumours", ResourcePolicy=text)

    assert code == "ValidationException"
    assert "Cannot find" in local.refusal("GetModelPackageGroupPolicy", ModelPackageGroupName="tumours")[1]
