"""Runs the commands of the AWS CLI that Signoff prints, each of which is one call of boto3."""

from collections.abc import Callable, Sequence
from typing import Any

from botocore import xform_name

# What tells the CLI how to read its arguments, and is no part of a request.
_CLI_ONLY = {"cli-binary-format"}


def run_aws(arguments: Sequence[str], client: Callable[[str], Any]) -> Any:
    """Make the call that `aws <service> <operation> --parameter value ... [output file]` is, and return its answer."""
    service, operation, *words = arguments
    caller = client(service)
    api_name = caller.meta.method_to_api_mapping[operation.replace("-", "_")]
    shape = caller.meta.service_model.operation_model(api_name).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    asked: dict[str, Any] = {}
    while words and words[0].startswith("--"):
        option = words.pop(0).removeprefix("--")
        flag = not words or words[0].startswith("--")
        value = True if flag else words.pop(0)
        if option not in _CLI_ONLY:
            asked[members[option]] = value
    answer = getattr(caller, operation.replace("-", "_"))(**asked)
    assert "FunctionError" not in answer, answer
    return answer
