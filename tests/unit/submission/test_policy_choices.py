"""What a policy lets a manifest say: what of a deployment it may choose, and where SageMaker may test the package."""

from typing import Any

import pytest

from signoff.documents.canonical_json import canonical
from signoff.policy.policy import Policy, of_document
from signoff.submission.policy_choices import effective, policy_faults

ROLE, OTHER = "arn:aws:iam::123456789012:role/model", "arn:aws:iam::123456789012:role/gpu"
VPC = {"security_groups": ["sg-1"], "subnets": ["subnet-1", "subnet-2"]}
CONFIG = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}


def policy(deployment: dict[str, Any] | None = None, **parts: Any) -> Policy:
    return of_document({"deployment": {"execution_role": ROLE, **(deployment or {})}, **parts})


def faults(document: dict[str, Any], of: Policy) -> dict[str, str]:
    return {fault.path: fault.message for fault in policy_faults(document, of)}


CHOICES = [
    ("ExecutionRoleArn", OTHER, {"execution_roles": [OTHER]}),
    ("EnableNetworkIsolation", False, {"network_isolation": [False]}),
    ("VpcConfig", CONFIG, {"vpcs": [VPC]}),
]


@pytest.mark.parametrize(("field", "chosen", "choices"), CHOICES)
def test_a_choice_is_taken_only_when_it_is_offered(field: str, chosen: Any, choices: dict[str, Any]):
    document = {"Deployment": {field: chosen}}
    assert faults(document, policy({"choices": choices})) == {}
    assert set(faults(document, policy())) == {f"Deployment.{field}"}


@pytest.mark.parametrize(
    ("field", "value"), [("ExecutionRoleArn", ROLE), ("EnableNetworkIsolation", True), ("VpcConfig", CONFIG)]
)
def test_what_the_policy_sets_may_be_said_again(field: str, value: Any):
    assert faults({"Deployment": {field: value}}, policy({"vpc": VPC})) == {}


def test_no_network_is_offered_where_the_policy_names_none():
    message = faults({"Deployment": {"VpcConfig": CONFIG}}, policy())["Deployment.VpcConfig"]
    assert message == "is set by the policy; leave it out"


def test_half_of_an_offered_network_is_another_network():
    half = {**CONFIG, "Subnets": ["subnet-1"]}
    assert set(faults({"Deployment": {"VpcConfig": half}}, policy({"choices": {"vpcs": [VPC]}}))) == {
        "Deployment.VpcConfig"
    }


def test_a_tag_is_given_only_for_an_offered_key():
    document = {"Deployment": {"Tags": [{"Key": "team", "Value": "growth"}, {"Key": "cost", "Value": "1"}]}}
    assert set(faults(document, policy({"choices": {"tags": ["team"]}}))) == {"Deployment.Tags[1].Key"}


def test_what_is_offered_is_said_in_the_fault():
    message = faults({"Deployment": {"ExecutionRoleArn": "arn:x"}}, policy({"choices": {"execution_roles": [OTHER]}}))
    assert message["Deployment.ExecutionRoleArn"].endswith(f"offers: {ROLE}, {OTHER}")


def test_a_manifest_without_choices_is_deployed_as_the_policy_says():
    settings = effective(policy({"vpc": VPC, "tags": {"team": "a"}}).deployment, {"PrimaryContainer": {}})
    assert settings["execution_role"] == ROLE
    assert settings["network_isolation"] is True
    assert canonical(settings["vpc"]) == canonical(VPC)
    assert settings["tags"] == {"team": "a"}
    assert "choices" not in settings


def test_the_same_network_said_again_is_the_same_subject():
    deployment = policy({"vpc": VPC}).deployment
    assert canonical(effective(deployment, {"VpcConfig": CONFIG})) == canonical(effective(deployment, {}))


def test_what_a_manifest_chose_stands_over_what_the_policy_sets():
    chosen = {
        "ExecutionRoleArn": OTHER,
        "EnableNetworkIsolation": False,
        "VpcConfig": CONFIG,
        "Tags": [{"Key": "team", "Value": "b"}, {"Key": "cost", "Value": "1"}],
    }
    settings = effective(policy({"tags": {"team": "a", "kept": "yes"}}).deployment, chosen)
    assert (settings["execution_role"], settings["network_isolation"], settings["vpc"]) == (OTHER, False, VPC)
    assert settings["tags"] == {"team": "b", "kept": "yes", "cost": "1"}


def validated(role: str = ROLE, output: str = "s3://tests/churn/1") -> dict[str, Any]:
    job = {"TransformOutput": {"S3OutputPath": output}}
    profile = {"ProfileName": "p", "TransformJobDefinition": job}
    return {"ValidationSpecification": {"ValidationRole": role, "ValidationProfiles": [profile]}}


TESTED = {"roles": [ROLE], "outputs": ["s3://tests/churn/"]}
OUTPUT = "ValidationSpecification.ValidationProfiles[0].TransformJobDefinition.TransformOutput.S3OutputPath"


def test_sagemaker_tests_a_package_under_the_roles_and_below_the_outputs_that_the_policy_names():
    assert faults(validated(), policy(validation=TESTED)) == {}


def test_without_leave_of_the_policy_sagemaker_tests_nothing():
    assert set(faults(validated(), policy())) == {"ValidationSpecification.ValidationRole", OUTPUT}


@pytest.mark.parametrize("output", ["s3://tests/churn", "s3://tests/churn-2/x", "s3://tests/", "s3://elsewhere/churn/"])
def test_what_only_begins_alike_is_not_below_an_output(output: str):
    assert set(faults(validated(output=output), policy(validation=TESTED))) == {OUTPUT}


def test_another_role_is_refused():
    assert set(faults(validated(role=OTHER), policy(validation=TESTED))) == {"ValidationSpecification.ValidationRole"}
