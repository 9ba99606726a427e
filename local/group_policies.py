"""A model package group's resource policy: put, read and deleted by its owner."""

import json

from local.model_registry import describe_group
from local.sagemaker_account import Call, Document, Refused


def put_policy(call: Call) -> Document:
    """PutModelPackageGroupPolicy replaces what policy there is; raises Refused for what is no policy."""
    arn = _group(call)
    _check(call.request["ResourcePolicy"])
    call.account.policies[arn] = call.request["ResourcePolicy"]
    return {"ModelPackageGroupArn": arn}


def get_policy(call: Call) -> Document:
    """GetModelPackageGroupPolicy: the text as it was put; raises Refused where there is none."""
    arn = _group(call)
    if arn not in call.account.policies:
        raise Refused(f"Cannot find resource policy for: {arn}")
    return {"ResourcePolicy": call.account.policies[arn]}


def delete_policy(call: Call) -> Document:
    """DeleteModelPackageGroupPolicy; raises Refused where there is none."""
    arn = _group(call)
    if call.account.policies.pop(arn, None) is None:
        raise Refused(f"Cannot find resource policy for: {arn}")
    return {}


def _group(call: Call) -> str:
    return str(describe_group(call)["ModelPackageGroupArn"])


def _check(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError as malformed:
        raise Refused(f"Invalid resource policy: it is no JSON ({malformed})") from malformed
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in [statements] if isinstance(statements, dict) else statements or [None]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise Refused("Invalid resource policy: each statement must be an object with Effect Allow or Deny")
        for needed in ("Principal", "Action", "Resource"):
            if needed not in statement and f"Not{needed}" not in statement:
                raise Refused(f"Invalid resource policy: a statement has no {needed}")


RULES = {
    "PutModelPackageGroupPolicy": put_policy,
    "GetModelPackageGroupPolicy": get_policy,
    "DeleteModelPackageGroupPolicy": delete_policy,
}
