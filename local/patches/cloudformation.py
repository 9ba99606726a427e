"""CloudFormation: what our template contains and the emulator refuses or silently drops."""

import json
from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]
Handler = Callable[..., Any]


def install() -> None:
    """Patch CloudFormation in the running emulator."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    for kind, apply in (
        ("AWS::Events::EventBus", _apply_bus_policy),
        ("AWS::S3::Bucket", _apply_to_bucket),
        ("AWS::Lambda::Function", _apply_to_function),
        ("AWS::DynamoDB::Table", _apply_to_table),
        ("AWS::DynamoDB::Table", _apply_table_policy),
        ("AWS::CodeBuild::Project", _apply_to_project),
    ):
        handlers[kind] = _applying(handlers[kind], apply)


def _applying(handler: dict[str, Handler], apply: Callable[[str, Properties], None]) -> dict[str, Handler]:
    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        physical_id, attributes = handler["create"](logical_id, properties, stack)
        apply(physical_id, properties)
        return physical_id, attributes

    def update(physical_id: str, old: Properties, new: Properties, *more: Any) -> Any:
        physical_id, attributes = handler["update"](physical_id, old, new, *more)
        apply(physical_id, new)
        return physical_id, attributes

    return {**handler, "create": create, "update": update}


def _apply_bus_policy(name: str, properties: Properties) -> None:
    from ministack.services import eventbridge

    eventbridge._event_bus_policies.pop(name, None)
    if "Policy" in properties:
        eventbridge._event_bus_policies[name] = properties["Policy"]


def _apply_to_function(name: str, properties: Properties) -> None:
    from ministack.services import lambda_svc

    function = lambda_svc._functions[name]
    function["concurrency"] = properties.get("ReservedConcurrentExecutions")
    if "DeadLetterConfig" in properties:
        function["config"]["DeadLetterConfig"] = properties["DeadLetterConfig"]


def _apply_to_project(name: str, properties: Properties) -> None:
    from ministack.services import codebuild
    from ministack.services.stepfunctions import _pascal_to_camel

    codebuild._projects[name]["logsConfig"] = _pascal_to_camel(properties.get("LogsConfig", {}))


def _apply_to_table(name: str, properties: Properties) -> None:
    from ministack.services import dynamodb

    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery:
        _checked(
            dynamodb._update_continuous_backups(
                {"TableName": name, "PointInTimeRecoverySpecification": recovery},
            )
        )


def _apply_table_policy(name: str, properties: Properties) -> None:
    from ministack.services import dynamodb

    policy = properties.get("ResourcePolicy", {}).get("PolicyDocument")
    if policy:
        arn = dynamodb._tables[name]["TableArn"]
        _checked(dynamodb._put_resource_policy({"ResourceArn": arn, "Policy": json.dumps(policy)}))


def _apply_to_bucket(name: str, properties: Properties) -> None:
    from ministack.services import s3

    appliers: tuple[tuple[str, str, str, Callable[[Any], Properties | None], Handler], ...] = (
        (
            "BucketEncryption",
            "PutBucketEncryption",
            "ServerSideEncryptionConfiguration",
            _encryption,
            s3._put_bucket_encryption,
        ),
        (
            "LifecycleConfiguration",
            "PutBucketLifecycleConfiguration",
            "LifecycleConfiguration",
            _lifecycle,
            s3._put_bucket_lifecycle,
        ),
        (
            "ObjectLockConfiguration",
            "PutObjectLockConfiguration",
            "ObjectLockConfiguration",
            dict,
            s3._put_object_lock_configuration,
        ),
    )
    for property_name, operation, member, convert, put in appliers:
        if property_name in properties:
            document = convert(properties[property_name])
            if document is not None:
                _checked(put(name, _xml(operation, name, member, document)))


def _encryption(value: Properties) -> Properties | None:
    renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    rules = value["ServerSideEncryptionConfiguration"]
    defaults = [rule.get("ServerSideEncryptionByDefault", {}) for rule in rules]
    if any(each.get("SSEAlgorithm") == "aws:kms" and not each.get("KMSMasterKeyID") for each in defaults):
        return None  # AWS then uses its own key for S3, which the emulator lacks
    return {"Rules": [{renamed.get(name, name): part for name, part in rule.items()} for rule in rules]}


def _lifecycle(value: Properties) -> Properties:
    return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}


def _lifecycle_rule(rule: Properties) -> Properties:
    among: Properties = {"Prefix": rule.get("Prefix", "")}
    if "TagFilters" in rule:
        among = {"And": {**among, "Tags": rule["TagFilters"]}}
    converted = {"ID": rule.get("Id"), "Status": rule["Status"], "Filter": among, "Transitions": _transitions(rule)}
    if "ExpirationInDays" in rule:
        converted["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        converted["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            converted[name] = rule[name]
    return {name: part for name, part in converted.items() if part is not None}


def _transitions(rule: Properties) -> list[Properties] | None:
    found = rule.get("Transitions", ())
    return [{"Days": each["TransitionInDays"], "StorageClass": each["StorageClass"]} for each in found] or None


def _xml(operation: str, bucket: str, member: str, document: Properties) -> bytes:
    """The body with which botocore would send `document`: the template's shapes are the API's."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.serialize import create_serializer

    model = ServiceModel(Loader().load_service_model("s3", "service-2")).operation_model(operation)
    parameters = {"Bucket": bucket, member: document}
    request = create_serializer("rest-xml").serialize_to_request(parameters, model)
    body: bytes = request["body"]
    return body


def _checked(answer: tuple[int, Any, Any]) -> None:
    if answer[0] >= 300:
        raise ValueError(f"The emulator refused a property: {answer[2]!r}")
