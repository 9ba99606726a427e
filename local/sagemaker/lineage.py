"""Lineage: actions, artifacts and associations, as people and programs make them.

SageMaker makes some by itself, of types that nothing documents; here there are only those that were asked for. The
rules and the quotas are those of "Manually Create Tracking Entities" in SageMaker's documentation.
"""

import copy
import uuid

from local.sagemaker import pagination
from local.sagemaker.account import AccountState, ApiCall, Document, RequestRefused, only

_MOST = {"actions": 3_000, "artifacts": 6_000, "associations": 6_000}
_ENDS = ("SourceArn", "DestinationArn")


def create_action(call: ApiCall) -> Document:
    """CreateAction: a name is given once in an account and region."""
    account, request = call.account, call.request
    arn = account.arn("action", request["ActionName"].lower())
    if arn in account.actions:
        raise RequestRefused(
            f"Action {request['ActionName']} already exists: names are unique in an account and region"
        )
    _has_room(account, "actions", len(account.actions))
    account.actions[arn] = _new(call, "DescribeActionResponse", {"ActionArn": arn})
    return {"ActionArn": arn}


def update_action(call: ApiCall) -> Document:
    """UpdateAction keeps what it is not given; properties are added to those that are there, or removed by name."""
    action = _action(call)
    properties = action.get("Properties", {}) | (call.request.get("Properties") or {})
    for name in call.request.get("PropertiesToRemove") or ():
        properties.pop(name, None)
    given = {name: call.request[name] for name in ("Description", "Status") if name in call.request}
    action.update(given | {"LastModifiedTime": call.account.now(), "LastModifiedBy": call.identity})
    action["Properties"] = copy.deepcopy(properties)
    return {"ActionArn": action["ActionArn"]}


def describe_action(call: ApiCall) -> Document:
    """DescribeAction, by name or ARN."""
    return copy.deepcopy(_action(call))


def create_artifact(call: ApiCall) -> Document:
    """CreateArtifact: there is one at most for each SourceUri."""
    account, uri = call.account, call.request["Source"]["SourceUri"]
    if any(each["Source"]["SourceUri"] == uri for each in account.artifacts.values()):
        raise RequestRefused(f"An artifact with the source URI {uri} already exists")
    _has_room(account, "artifacts", len(account.artifacts))
    arn = account.arn("artifact", uuid.uuid4().hex)
    account.artifacts[arn] = _new(call, "DescribeArtifactResponse", {"ArtifactArn": arn})
    return {"ArtifactArn": arn}


def describe_artifact(call: ApiCall) -> Document:
    """DescribeArtifact."""
    return copy.deepcopy(_known(call.account.artifacts, call.request["ArtifactArn"]))


def list_artifacts(call: ApiCall) -> Document:
    """ListArtifacts, the latest first unless asked otherwise, by source, type and time."""
    request = call.request
    found = [
        only("ArtifactSummary", each)
        for each in call.account.artifacts.values()
        if request.get("SourceUri") in {None, each["Source"]["SourceUri"]}
        and request.get("ArtifactType") in {None, each["ArtifactType"]}
    ]
    shown, token = _page(_within(found, request), request)
    return {"ArtifactSummaries": shown, **token}


def add_association(call: ApiCall) -> Document:
    """AddAssociation of two entities that exist, and once."""
    account = call.account
    ends = {end: call.request[end] for end in _ENDS}
    call.authorize("sagemaker:AddAssociation", ends["DestinationArn"])
    for arn in ends.values():
        _known({**account.actions, **account.artifacts}, arn)
    if any(ends == {end: each[end] for end in _ENDS} for each in account.associations):
        raise RequestRefused(f"An association of {ends['SourceArn']} with {ends['DestinationArn']} already exists")
    _has_room(account, "associations", len(account.associations))
    made = {"CreationTime": account.now(), "CreatedBy": call.identity}
    account.associations.append(only("AssociationSummary", call.request) | made)
    return ends


def list_associations(call: ApiCall) -> Document:
    """ListAssociations, the latest first unless asked otherwise, by their ends and types."""
    account, request = call.account, call.request
    found = [each | _types(account, each) for each in account.associations]
    asked = (*_ENDS, "SourceType", "DestinationType", "AssociationType")
    found = [each for each in found if all(request.get(name) in {None, each.get(name)} for name in asked)]
    shown, token = _page(_within(found, request), request)
    return {"AssociationSummaries": shown, **token}


def _types(account: AccountState, association: Document) -> Document:
    entities = {**account.actions, **account.artifacts}
    found = {}
    for end, name in (("SourceArn", "SourceType"), ("DestinationArn", "DestinationType")):
        entity = entities[association[end]]
        found[name] = entity.get("ActionType") or entity["ArtifactType"]
    return found


def _new(call: ApiCall, shape: str, named: Document) -> Document:
    made = {"CreationTime": call.account.now(), "CreatedBy": call.identity}
    return copy.deepcopy(only(shape, call.request)) | named | made


def _action(call: ApiCall) -> Document:
    name = call.request["ActionName"]
    return _known(call.account.actions, name if name.startswith("arn:") else call.account.arn("action", name.lower()))


def _known(entities: dict[str, Document], arn: str) -> Document:
    if arn not in entities:
        raise RequestRefused(f"{arn} does not exist", "ResourceNotFound")
    return entities[arn]


def _has_room(account: AccountState, what: str, number: int) -> None:
    if number >= _MOST[what]:
        message = f"The account {account.account_id} has {number} {what}, and {_MOST[what]} are allowed"
        raise RequestRefused(message, "ResourceLimitExceeded")


def _within(items: list[Document], request: Document) -> list[Document]:
    after, before = (pagination.moment(request.get(f"Created{when}")) for when in ("After", "Before"))
    return [
        each
        for each in items
        if (after is None or each["CreationTime"] > after) and (before is None or each["CreationTime"] < before)
    ]


def _page(items: list[Document], request: Document) -> tuple[list[Document], Document]:
    by, order = request.get("SortBy", "CreationTime"), request.get("SortOrder", "Descending")

    def key(item: Document) -> pagination.Key:
        return [item["CreationTime"]] if by == "CreationTime" else [item[by], item["CreationTime"]]

    return pagination.page(items, request, key, label=f"{by} {order}", descending=order == "Descending")


RULES = {
    "CreateAction": create_action,
    "UpdateAction": update_action,
    "DescribeAction": describe_action,
    "CreateArtifact": create_artifact,
    "DescribeArtifact": describe_artifact,
    "ListArtifacts": list_artifacts,
    "AddAssociation": add_association,
    "ListAssociations": list_associations,
}
