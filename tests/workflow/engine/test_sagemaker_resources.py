"""SageMaker's groups and models of a template are those of SageMaker."""

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.waiting import eventually
from tests.workflow.engine.test_model_registry import IMAGE

GROUP, MODEL = "AWS::SageMaker::ModelPackageGroup", "AWS::SageMaker::Model"
ROLE = "arn:aws:iam::123456789012:role/execution"


class ResourceStack:
    """A stack of one resource and the outputs that are said of it."""

    def __init__(self, engine: Engine) -> None:
        self.name = f"stack-{uuid4().hex[:8]}"
        self._cloudformation = client(engine, "cloudformation")
        self._deploy = self._cloudformation.create_stack

    def deploy(self, kind: str, *attributes: str, status: str = "COMPLETE", **properties: Any) -> dict[str, str]:
        """Deploy the resource; returns what `Ref` and each attribute say of it."""
        outputs: dict[str, Any] = {name: {"Value": {"Fn::GetAtt": ["It", name]}} for name in attributes}
        outputs["Ref"] = {"Value": {"Ref": "It"}}
        template = {"Resources": {"It": {"Type": kind, "Properties": properties}}, "Outputs": outputs}
        self._deploy(StackName=self.name, TemplateBody=json.dumps(template))
        self._deploy = self._cloudformation.update_stack
        eventually(lambda: not self._described()["StackStatus"].endswith("_IN_PROGRESS"), what=f"{self.name} to settle")
        found = self._described()
        assert found["StackStatus"].endswith(status), found
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def events(self) -> str:
        found = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(each.get("ResourceStatusReason", "") for each in found)

    def delete(self) -> None:
        self._cloudformation.delete_stack(StackName=self.name)
        eventually(self._gone, what=f"{self.name} to be deleted")

    def _described(self) -> dict[str, Any]:
        found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return found

    def _gone(self) -> bool:
        try:
            return str(self._described()["StackStatus"]) == "DELETE_COMPLETE"
        except ClientError:
            return True


@pytest.fixture
def stack(engine: Engine) -> ResourceStack:
    return ResourceStack(engine)


@pytest.fixture
def sagemaker(engine: Engine) -> Any:
    return client(engine, "sagemaker")


def policy(group: str, account: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sagemaker:DescribeModelPackage",
        "Resource": f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group}/*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def own_tags(sagemaker: Any, arn: str) -> list[dict[str, str]]:
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    return [tag for tag in tags if not tag["Key"].startswith("aws:")]


def group_name() -> str:
    return f"group-{uuid4().hex[:12]}"


def test_a_group_is_made_with_its_policy_and_tags_and_known_by_its_arn(stack: ResourceStack, sagemaker: Any) -> None:
    name, tags = group_name(), [{"Key": "team", "Value": "tumours"}]

    said = stack.deploy(
        GROUP,
        "ModelPackageGroupArn",
        "ModelPackageGroupStatus",
        "CreationTime",
        ModelPackageGroupName=name,
        ModelPackageGroupDescription="Of a stack",
        ModelPackageGroupPolicy=policy(name, "111111111111"),
        Tags=tags,
    )

    described = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    kept = sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"]
    assert said["Ref"] == said["ModelPackageGroupArn"] == described["ModelPackageGroupArn"]
    assert (said["ModelPackageGroupStatus"], bool(said["CreationTime"])) == ("Completed", True)
    assert described["ModelPackageGroupDescription"] == "Of a stack"
    assert json.loads(kept) == policy(name, "111111111111")
    assert own_tags(sagemaker, said["Ref"]) == tags


def test_a_groups_policy_and_tags_change_where_it_stands(stack: ResourceStack, sagemaker: Any) -> None:
    name = group_name()
    first = stack.deploy(
        GROUP,
        ModelPackageGroupName=name,
        ModelPackageGroupPolicy=policy(name, "111111111111"),
        Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}],
    )

    stack.deploy(
        GROUP,
        ModelPackageGroupName=name,
        ModelPackageGroupPolicy=policy(name, "222222222222"),
        Tags=[{"Key": "b", "Value": "2"}],
    )
    changed = sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"]
    last = stack.deploy(GROUP, ModelPackageGroupName=name, Tags=[{"Key": "b", "Value": "2"}])

    assert last["Ref"] == first["Ref"]
    assert json.loads(changed) == policy(name, "222222222222")
    assert own_tags(sagemaker, last["Ref"]) == [{"Key": "b", "Value": "2"}]
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)


def test_a_groups_description_is_set_once(stack: ResourceStack, sagemaker: Any) -> None:
    name = group_name()
    stack.deploy(GROUP, ModelPackageGroupName=name, ModelPackageGroupDescription="first")

    stack.deploy(GROUP, status="UPDATE_ROLLBACK_COMPLETE", ModelPackageGroupName=name, ModelPackageGroupDescription="2")

    described = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    assert described["ModelPackageGroupDescription"] == "first"
    assert "when a custom-named resource requires replacing" in stack.events()


def test_a_group_goes_with_its_stack(stack: ResourceStack, sagemaker: Any) -> None:
    name = group_name()
    stack.deploy(GROUP, ModelPackageGroupName=name)

    stack.delete()

    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=name)


def test_a_group_whose_policy_is_none_is_not_made(stack: ResourceStack, sagemaker: Any) -> None:
    name = group_name()

    stack.deploy(GROUP, status="ROLLBACK_COMPLETE", ModelPackageGroupName=name, ModelPackageGroupPolicy="{")

    assert "Invalid resource policy" in stack.events()
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=name)


def test_a_model_is_made_from_all_that_the_template_says(stack: ResourceStack, sagemaker: Any) -> None:
    asked = {
        "Containers": [
            {"Image": IMAGE, "ContainerHostname": "first", "Environment": {"A": "1"}},
            {"Image": IMAGE, "ContainerHostname": "second"},
        ],
        "InferenceExecutionConfig": {"Mode": "Direct"},
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": True,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }

    said = stack.deploy(MODEL, "ModelName", "ModelArn", **asked, Tags=[{"Key": "team", "Value": "tumours"}])

    described = sagemaker.describe_model(ModelName=said["ModelName"])
    shown = [{k: v for k, v in each.items() if k != "Mode"} for each in described["Containers"]]
    assert said["Ref"] == said["ModelArn"] == described["ModelArn"]
    assert said["ModelName"].startswith(stack.name)
    assert {name: described[name] for name in asked} | {"Containers": shown} == asked
    assert own_tags(sagemaker, said["Ref"]) == [{"Key": "team", "Value": "tumours"}]


def test_a_model_that_changes_is_another_one_and_the_former_goes(stack: ResourceStack, sagemaker: Any) -> None:
    first = stack.deploy(MODEL, "ModelName", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)

    retagged = stack.deploy(
        MODEL, "ModelName", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE, Tags=[{"Key": "a", "Value": "1"}]
    )
    second = stack.deploy(
        MODEL, "ModelName", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE, EnableNetworkIsolation=True
    )

    assert retagged == first
    assert second["ModelName"] != first["ModelName"]
    assert sagemaker.describe_model(ModelName=second["ModelName"])["EnableNetworkIsolation"] is True
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName=first["ModelName"])


def test_a_model_with_a_name_of_its_own_is_not_replaced_under_it(stack: ResourceStack, sagemaker: Any) -> None:
    name = f"model-{uuid4().hex[:12]}"
    stack.deploy(MODEL, ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)

    stack.deploy(
        MODEL,
        status="UPDATE_ROLLBACK_COMPLETE",
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "Environment": {"A": "1"}},
        ExecutionRoleArn=ROLE,
    )

    assert "Environment" not in sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
