"""Who calls: the account, region and principal of a request, and SageMaker among what policies are evaluated for."""

from collections.abc import Mapping


def close() -> None:
    """Let policies decide on SageMaker's actions where they are evaluated at all."""
    from ministack.core import iam_actions

    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"


def identify(headers: Mapping[str, str]) -> tuple[str, str, str]:
    """The account id, region and caller's ARN of the request being answered."""
    from ministack.core.iam_evaluator import resolve_caller_identity
    from ministack.core.responses import get_account_id, get_region
    from ministack.core.router import extract_access_key_id

    caller = resolve_caller_identity(extract_access_key_id(dict(headers))) or {}
    account = get_account_id()
    return account, get_region(), caller.get("userArn") or f"arn:aws:iam::{account}:root"
