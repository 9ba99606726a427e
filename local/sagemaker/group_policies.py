"""A model package group's resource policy: put, read and deleted by its owner, and asked when another account calls.

Which actions on which resources a group's policy grants is as in SageMaker's documentation of registering, and of
deploying, a model version from a different account. Nothing else of an account's SageMaker is another's to use.
"""

import json

from local.sagemaker.account import AccountState, ApiCall, Document, RequestRefused


def put_policy(call: ApiCall) -> Document:
    """PutModelPackageGroupPolicy replaces the policy; raises RequestRefused for an invalid one."""
    key, arn = _own_group(call)
    _check(call.request["ResourcePolicy"])
    call.account.policies[key] = call.request["ResourcePolicy"]
    return {"ModelPackageGroupArn": arn}


def get_policy(call: ApiCall) -> Document:
    """GetModelPackageGroupPolicy: the text as it was put; raises RequestRefused where there is none."""
    key, arn = _own_group(call)
    if key not in call.account.policies:
        raise RequestRefused(f"Cannot find resource policy for: {arn}")
    return {"ResourcePolicy": call.account.policies[key]}


def delete_policy(call: ApiCall) -> Document:
    """DeleteModelPackageGroupPolicy; raises RequestRefused where there is none."""
    key, arn = _own_group(call)
    if call.account.policies.pop(key, None) is None:
        raise RequestRefused(f"Cannot find resource policy for: {arn}")
    return {}


def permit(call: ApiCall, owner: AccountState, group: str, *resources: str, action: str | None = None) -> None:
    """Raise RequestRefused unless the caller may take its (or the given) `action` on one of the group's resources.

    `group` is the group's name in lower case. The owner's own callers need no grant, and a denial binds them too.
    """
    asked, policy = f"sagemaker:{action or call.action}", owner.policies.get(group)
    own = owner is call.account
    if own and policy is None:
        return
    decisions = {_decision(call, owner, policy, asked, resource) for resource in resources} if policy else set()
    if "Deny" not in decisions and (own or "Allow" in decisions):
        return
    why = "with an explicit deny in a" if "Deny" in decisions else "because no"
    raise RequestRefused(
        f"User: {call.caller} is not authorized to perform: {asked} on resource: {resources[0]} "
        f"{why} resource-based policy{'' if 'Deny' in decisions else ' allows it'}",
        "AccessDeniedException",
    )


def _decision(call: ApiCall, owner: AccountState, policy: str, action: str, resource: str) -> str:
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

    status = call.request.get("ModelApprovalStatus")
    context = EvalContext(
        principal_arn=call.caller,
        principal_type="AssumedRole" if ":assumed-role/" in call.caller else "User",
        principal_account=call.account.account_id,
        action=action,
        resource_arn=resource,
        region=owner.region,
        service_context={"sagemaker:modelapprovalstatus": status} if status else {},
    )
    return str(evaluate_resource_policy(policy, context).decision)


def _own_group(call: ApiCall) -> tuple[str, str]:
    key = call.request["ModelPackageGroupName"].lower()
    if key not in call.account.groups:
        raise RequestRefused(f"Cannot find Model Package Group: {call.account.arn('model-package-group', key)}")
    return key, call.account.groups[key].arn


def _check(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError as malformed:
        raise RequestRefused(f"Invalid resource policy: it is not JSON ({malformed})") from malformed
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in [statements] if isinstance(statements, dict) else statements or [None]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise RequestRefused("Invalid resource policy: each statement must be an object with Effect Allow or Deny")
        for needed in ("Principal", "Action", "Resource"):
            if needed not in statement and f"Not{needed}" not in statement:
                raise RequestRefused(f"Invalid resource policy: a statement has no {needed}")


RULES = {
    "PutModelPackageGroupPolicy": put_policy,
    "GetModelPackageGroupPolicy": get_policy,
    "DeleteModelPackageGroupPolicy": delete_policy,
}
