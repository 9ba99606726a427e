"""CloudFormation: AWS::SageMaker::ModelPackageGroup and AWS::SageMaker::Model, made by the engine's SageMaker.

`Ref`, `Fn::GetAtt` and replacement are as in CloudFormation's resource schemas: the id is the ARN; a group's name and
description are set once, and only a model's tags can change.
"""

import json
from collections.abc import Callable
from typing import Any

from local.sagemaker.account import RequestRefused

Properties = dict[str, Any]
Ask = Callable[[str, Properties], Properties]
Answer = tuple[str, Properties]

_GROUP, _MODEL = "AWS::SageMaker::ModelPackageGroup", "AWS::SageMaker::Model"
_REPLACING = {
    _GROUP: ("ModelPackageGroupName", "ModelPackageGroupDescription"),
    _MODEL: (
        "ModelName",
        "PrimaryContainer",
        "Containers",
        "InferenceExecutionConfig",
        "ExecutionRoleArn",
        "VpcConfig",
        "EnableNetworkIsolation",
    ),
}
_LONGEST_NAME = 63


def install(ask: Ask) -> None:
    """Have the running emulator make the two types through `ask`, which takes an action and its request."""
    from ministack.services.cloudformation import provisioners

    provisioners._REPLACING_PROPERTIES.update(_REPLACING)
    for kind, name, resources in (
        (_GROUP, "ModelPackageGroupName", GroupResource(ask)),
        (_MODEL, "ModelName", ModelResource(ask)),
    ):
        provisioners._CUSTOM_NAME_REPLACEMENT[kind] = {"name": name}
        provisioners._STACK_TAG_PROPERTY[kind] = ("Tags", "list")
        provisioners._RESOURCE_HANDLERS[kind] = {
            "create": resources.create,
            "update": resources.update,
            "delete": resources.delete,
        }


class GroupResource:
    """CloudFormation's handler of model package groups."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def create(self, logical_id: str, properties: Properties, stack: str) -> Answer:
        """Create the group and put its policy."""
        given = {name: value for name, value in properties.items() if name != "ModelPackageGroupPolicy"}
        arn = self._ask("CreateModelPackageGroup", given)["ModelPackageGroupArn"]
        try:
            self._apply_policy(properties)
        except RequestRefused:
            self.delete(arn, properties)
            raise
        return self._described(arn)

    def update(self, arn: str, old: Properties, new: Properties, *_: Any) -> Answer:
        """Put or delete the policy, and change the tags that the template says."""
        if old.get("ModelPackageGroupPolicy") != new.get("ModelPackageGroupPolicy"):
            self._apply_policy(new, instead_of=old)
        _retag(self._ask, arn, old, new)
        return self._described(arn)

    def delete(self, arn: str, properties: Properties) -> None:
        """Delete the group, unless it is gone already."""
        _unless_gone(self._ask, "DeleteModelPackageGroup", {"ModelPackageGroupName": arn})

    def _described(self, arn: str) -> Answer:
        found = self._ask("DescribeModelPackageGroup", {"ModelPackageGroupName": arn})
        names = ("ModelPackageGroupArn", "CreationTime", "ModelPackageGroupStatus")
        return arn, {name: str(found[name]) for name in names}

    def _apply_policy(self, properties: Properties, instead_of: Properties | None = None) -> None:
        policy, group = properties.get("ModelPackageGroupPolicy"), properties["ModelPackageGroupName"]
        if policy:
            text = policy if isinstance(policy, str) else json.dumps(policy)
            self._ask("PutModelPackageGroupPolicy", {"ModelPackageGroupName": group, "ResourcePolicy": text})
        elif instead_of and instead_of.get("ModelPackageGroupPolicy"):
            self._ask("DeleteModelPackageGroupPolicy", {"ModelPackageGroupName": group})


class ModelResource:
    """CloudFormation's handler of models."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def create(self, logical_id: str, properties: Properties, stack: str) -> Answer:
        """Create the model, under a name of its own unless the template has one."""
        from ministack.services.cloudformation.provisioners import _physical_name

        name = properties.get("ModelName") or _physical_name(stack, logical_id, max_len=_LONGEST_NAME)
        given = properties | {"ModelName": name}
        if isinstance(given.get("EnableNetworkIsolation"), str):
            given["EnableNetworkIsolation"] = given["EnableNetworkIsolation"].lower() == "true"
        return _model(self._ask("CreateModel", given)["ModelArn"])

    def update(self, arn: str, old: Properties, new: Properties, *_: Any) -> Answer:
        """Change the tags: whatever else changes makes another model."""
        _retag(self._ask, arn, old, new)
        return _model(arn)

    def delete(self, arn: str, properties: Properties) -> None:
        """Delete the model, unless it is gone already."""
        _unless_gone(self._ask, "DeleteModel", {"ModelName": arn.rpartition("/")[2]})


def _model(arn: str) -> Answer:
    return arn, {"ModelArn": arn, "ModelName": arn.rpartition("/")[2]}


def _retag(ask: Ask, arn: str, old: Properties, new: Properties) -> None:
    tags = new.get("Tags") or []
    gone = {tag["Key"] for tag in old.get("Tags") or []} - {tag["Key"] for tag in tags}
    if gone:
        ask("DeleteTags", {"ResourceArn": arn, "TagKeys": sorted(gone)})
    if tags:
        ask("AddTags", {"ResourceArn": arn, "Tags": tags})


def _unless_gone(ask: Ask, action: str, request: Properties) -> None:
    try:
        ask(action, request)
    except RequestRefused as refusal:
        # SageMaker's messages for a missing group or model; a group that still has packages is kept.
        if not any(words in refusal.message for words in ("does not exist", "Cannot find", "Could not find")):
            raise
