"""CloudFormation's stacks: what they consist of."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code


class Stacks:
    """The stacks of the account, through one CloudFormation client."""

    def __init__(self, cloudformation: Any) -> None:
        self._cloudformation = cloudformation

    def resource(self, stack: str, logical_id: str) -> str | None:
        """Return the physical id of a stack's resource, or None when the stack or the resource is not there."""
        try:
            answer = self._cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        except ClientError as error:
            if error_code(error) == "ValidationError":
                return None
            raise
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])
