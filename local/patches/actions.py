"""What a request asks for, as IAM names it: actions and resources that the emulator takes for others.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Extract = Callable[..., Any]


def install() -> None:
    """Patch policy evaluation in the running emulator."""
    from ministack.core import iam_actions

    iam_actions.extract_iam_action = _without_batches(iam_actions.extract_iam_action)
    iam_actions._lambda_action = _with_mappings(iam_actions._lambda_action)
    iam_actions.extract_resource_arn = _with_resources(iam_actions.extract_resource_arn)


def _without_batches(extract: Extract) -> Extract:
    """A batch of messages needs the permission of one (`ChangeMessageVisibilityBatch`: `ChangeMessageVisibility`)."""

    def extract_iam_action(*request: Any) -> str | None:
        action: str | None = extract(*request)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return extract_iam_action


def _with_mappings(action: Extract) -> Extract:
    """Reading one event source mapping is another action than listing all."""
    one = {"GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping", "DELETE": "DeleteEventSourceMapping"}

    def lambda_action(method: str, path: str) -> str | None:
        of_one = path.rstrip("/").rpartition("/")[0].endswith("/event-source-mappings")
        named: str | None = one.get(method) if of_one else action(method, path)
        return named

    return lambda_action


def _with_resources(extract: Extract) -> Extract:
    def extract_resource_arn(service: str, method: str, path: str, headers: Mapping[str, str], *more: Any) -> str:
        body, _, region, account = more
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service == "sqs" and action in {"StartMessageMoveTask", "ListMessageMoveTasks"}:
            return str(json.loads(body)["SourceArn"])  # all others name a queue by its URL
        if service == "monitoring" and action == "DescribeAlarms":
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:*"
        found = str(extract(service, method, path, headers, *more))
        # A log group's ARN ends in `:*` for whatever reads its events.
        return f"{found}:*" if service == "logs" and action == "FilterLogEvents" else found

    return extract_resource_arn
