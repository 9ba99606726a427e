"""Access control: the caller's identity, actions and resources, and TLS, as policies require them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.sagemaker.account import RequestRefused

# By the field of a request that names what it acts on, in order of preference, as in the service authorization
# reference for SageMaker: the kind of resource that the name stands for, or None where the field holds an ARN.
_NAMED_BY = {
    "ResourceArn": None,
    "ModelPackageArn": None,
    "ModelPackageName": "model-package",
    "TransformJobName": "transform-job",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "ModelPackageGroupName": "model-package-group",
    "ProjectName": "project",
    "ArtifactArn": None,
    "ActionName": "action",
    "SourceArn": None,
}

# By the header with which a write to S3 sets more than an object.
_SET_BY = {
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-object-lock-retain-until-date": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}


def install() -> None:
    """Patch policy evaluation in the running emulator."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator

    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions.extract_resource_arn = _with_resources(iam_actions.extract_resource_arn)
    iam_actions.request_tag_context = _with_approval_status(iam_actions.request_tag_context)
    iam_actions.request_tag_context = _with_event_sources(iam_actions.request_tag_context)
    iam_actions.s3_service_context = _with_conditional_writes(iam_actions.s3_service_context)
    iam_actions.s3_additional_checks = _with_what_a_write_sets(iam_actions.s3_additional_checks)
    _keep_policies(iam_evaluator)
    iam_evaluator._resolve_condition_key = _with_roles(iam_evaluator._resolve_condition_key)
    pin = app.pin_request_origin
    # The stack refuses what does not come by TLS; the engine speaks plain HTTP, to the machine it runs on.
    app.pin_request_origin = lambda address, secure: pin(address, True)


def identify(headers: Mapping[str, str]) -> tuple[str, str, str]:
    """The account id, region and caller's ARN of the request being answered."""
    from ministack.core.iam_evaluator import resolve_caller_identity
    from ministack.core.responses import get_account_id, get_region
    from ministack.core.router import extract_access_key_id

    caller = resolve_caller_identity(extract_access_key_id(dict(headers))) or {}
    account = get_account_id()
    return account, get_region(), caller.get("userArn") or f"arn:aws:iam::{account}:root"


def whose_stack() -> tuple[str, str, str]:
    """The account id, region and caller's ARN of what CloudFormation does for the stack being deployed."""
    from ministack.core.iam_evaluator import caller_arn
    from ministack.core.responses import get_account_id, get_region

    return get_account_id(), get_region(), caller_arn()


def authorize(headers: Mapping[str, str], action: str, resource: str) -> None:
    """Evaluate the caller's policies on another resource of a request; raises RequestRefused when not allowed."""
    from ministack import app
    from ministack.core.iam_evaluator import enforce
    from ministack.core.responses import get_region
    from ministack.core.router import extract_access_key_id

    if not app.AUTH:
        return
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"} if action == "iam:PassRole" else {}
    keys, where = extract_access_key_id(dict(headers)), get_region()
    denied = enforce(keys, action, "sagemaker", where, resource_arn=resource, service_context=context)
    if denied is not None:
        who = getattr(denied, "principal_arn", "") or identify(headers)[2]
        message = f"User: {who} is not authorized to perform: {action} on resource: {resource}"
        raise RequestRefused(message, "AccessDeniedException")


def sagemaker_resource(action: str, request: Mapping[str, Any], region: str, account: str) -> str:
    """The resource ARN of a request to SageMaker for policy evaluation; `*` where it names none.

    A group's or package's ARN has its name in lower case. Of several packages the first is used here; `authorize`
    evaluates each.
    """
    prefix = f"arn:aws:sagemaker:{region}:{account}:"
    group, packages = request.get("ModelPackageGroupName"), request.get("ModelPackageArnList")
    if action == "CreateModelPackage" and group:
        owner = f"{group.rpartition(':')[0]}:" if group.startswith("arn:") else prefix
        return f"{owner}model-package/{group.rpartition('/')[2].lower()}/*"
    if action == "CreateArtifact":
        return f"{prefix}artifact/*"
    if packages:
        return str(packages[0])
    for field, kind in _NAMED_BY.items():
        name = request.get(field)
        if name:
            named = name.lower() if kind and kind.startswith("model-package") else name
            return str(named) if kind is None or name.startswith("arn:") else f"{prefix}{kind}/{named}"
    return "*"


def _with_resources(extract: Callable[..., str]) -> Callable[..., str]:
    def extract_resource_arn(service: str, method: str, path: str, headers: Mapping[str, str], *more: Any) -> str:
        body, _, region, account = more
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service == "ssm" and action == "GetParametersByPath":
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
            return f"arn:aws:ssm:{region}:{account}:parameter{_document(body).get('Path')}"
        if service == "ssm" and action == "GetParameters":
            # AWS asks for each of the names; whoever reads several here reads what lies under one path.
            return f"arn:aws:ssm:{region}:{account}:parameter{next(iter(_document(body).get('Names') or ()), '/*')}"
        if service != "sagemaker":
            return extract(service, method, path, headers, *more)
        return sagemaker_resource(action, _document(body), region, account)

    return extract_resource_arn


def _with_roles(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """`aws:PrincipalArn` of a role's session is the role's ARN (IAM's documentation of global condition keys)."""

    def resolve_key(key: str, context: Any) -> Any:
        from ministack.services import iam

        value = resolve(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
            return value
        role = iam._roles.get_scoped(context.principal_account, None, value.split("/")[1])
        return role["Arn"] if role else value

    return resolve_key


def _keep_policies(evaluator: Any) -> None:
    """Event buses and tables have resource policies, which the emulator stores but does not evaluate."""
    from ministack.services import dynamodb, eventbridge

    def of_bus(arn: str) -> tuple[dict[str, Any] | str, str]:
        region, account = arn.split(":")[3:5]
        return eventbridge._event_bus_policies.get_scoped(account, region, arn.rpartition("/")[2]) or "", account

    def of_table(arn: str) -> tuple[str, str]:
        return (dynamodb._resource_policies.get(arn) or {}).get("Policy", ""), arn.split(":")[4]

    eventbridge.policy_for_arn, dynamodb.policy_for_arn = of_bus, of_table
    lookups = evaluator._RESOURCE_POLICY_LOOKUPS
    lookups.update({"events": ("eventbridge", "policy_for_arn"), "dynamodb": ("dynamodb", "policy_for_arn")})


def _with_event_sources(context: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def request_context(service: str, action: str, body: bytes, *more: Any) -> dict[str, Any]:
        found = context(service, action, body, *more)
        if action != "events:PutEvents":
            return found
        entries = _document(body).get("Entries", [])
        types = sorted({str(entry.get("DetailType", "")) for entry in entries})
        return found | {
            "events:source": [entry.get("Source", "") for entry in entries],
            # AWS evaluates each entry separately, and this key has one value.
            "events:detail-type": types[0] if len(types) == 1 else types,
        }

    return request_context


def _with_conditional_writes(context: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`s3:if-none-match`, by which a bucket's policy asks for writes that overwrite nothing.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """

    def service_context(action: str, query: Any, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        found = context(action, query, path, headers)
        asked = next((value for name, value in headers.items() if name.lower() == "if-none-match"), None)
        return found if asked is None else {**(found or {}), "s3:if-none-match": asked}

    return service_context


def _with_what_a_write_sets(checks: Callable[..., list[tuple[str, str]]]) -> Callable[..., list[tuple[str, str]]]:
    """Tags, retention and a legal hold that a write or a copy sets take a permission of their own.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """

    def additional_checks(method: str, path: str, headers: Mapping[str, str], *more: Any) -> list[tuple[str, str]]:
        found, sets = checks(method, path, headers, *more), {name.lower() for name in headers}
        bucket, _, key = path.lstrip("/").partition("/")
        if method in ("PUT", "POST") and key:
            found += [(action, f"arn:aws:s3:::{bucket}/{key}") for name, action in _SET_BY.items() if name in sets]
        return found

    return additional_checks


def _with_approval_status(context: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def request_context(service: str, action: str, body: bytes, *more: Any) -> dict[str, Any]:
        found = context(service, action, body, *more)
        status = _document(body).get("ModelApprovalStatus") if service == "sagemaker" else None
        return found | {"sagemaker:ModelApprovalStatus": status} if status else found

    return request_context


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
