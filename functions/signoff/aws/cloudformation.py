"""CloudFormation's stacks and their resources."""

from __future__ import annotations

from typing import Any

from signoff.aws.clients import ignoring


class Stacks:
    """The stacks of the account, through one CloudFormation client."""

    def __init__(self, cloudformation: Any) -> None:
        self._cloudformation = cloudformation

    def resource(self, stack: str, logical_id: str) -> str | None:
        """Return the physical id of a stack's resource, or None when the stack or the resource is not there."""
        with ignoring({"ValidationError"}):
            answer = self._cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
            return str(answer["StackResourceDetail"]["PhysicalResourceId"])
        return None
