"""The CloudFormation stacks of SageMaker projects, in the emulator that this process runs.

Every call is made while a request of the stack's account and region is answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from local.sagemaker.account import RequestRefused

_MESSAGE = re.compile(rb"<Message>(.*?)</Message>", re.DOTALL)
_NOTHING_TO_DO = "No updates are to be performed"


@dataclass(frozen=True)
class StackOrder:
    """The desired state of a stack: its name, its template's text, parameters and tags by key."""

    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class StackState:
    """A stack's state: its id, CloudFormation's status, and the first failure, if any."""

    status: str
    failure: str = ""
    id: str | None = None


class ProjectStacks:
    """Creates, updates and deletes stacks. Raises RequestRefused with CloudFormation's own message."""

    def create(self, order: StackOrder) -> None:
        """Begin to make a stack."""
        _ask("CreateStack", _request(order))

    def update(self, order: StackOrder) -> None:
        """Begin to update a stack; one without changes is left alone."""
        try:
            _ask("UpdateStack", _request(order))
        except RequestRefused as refusal:
            if _NOTHING_TO_DO not in refusal.message:
                raise

    def delete(self, name: str) -> None:
        """Begin to delete a stack; one that is gone is ignored."""
        _ask("DeleteStack", {"StackName": [name]})

    def state(self, name: str) -> StackState:
        """The stack's state."""
        from ministack.services import cloudformation

        stack = cloudformation._stacks.get(name)
        if stack is None:
            return StackState("DELETE_COMPLETE")
        events = cloudformation._stack_events.get(stack["StackId"], [])
        return StackState(stack["StackStatus"], _first_failure(events), stack["StackId"])


def template_at(url: str) -> str:
    """The text of the object at an S3 URL, https or s3. Raises RequestRefused when there is none."""
    from ministack.services import s3

    bucket, key = _bucket_and_key(url)
    data = s3._get_object_data(bucket, key) if bucket and key else None
    if data is None:
        raise RequestRefused(f"S3 error: there is no template at {url}")
    return str(data.decode())


def _bucket_and_key(url: str) -> tuple[str, str]:
    """Bucket and key of `https://s3.<region>.<suffix>/<bucket>/<key>` or `https://<bucket>.s3.<region>.<suffix>/<key>`."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path.lstrip("/")
    bucket, separator, _ = host.partition(".s3")
    if separator:
        return bucket, path
    bucket, _, key = path.partition("/")
    return bucket, key


def _ask(action: str, request: dict[str, Any]) -> None:
    from ministack.services.cloudformation.handlers import _ACTION_HANDLERS

    status, _, body = _ACTION_HANDLERS[action](request)
    if status >= 300:
        found = _MESSAGE.search(body)
        raise RequestRefused(unescape(found[1].decode()) if found else f"{action} failed")


def _request(order: StackOrder) -> dict[str, Any]:
    request = {"StackName": [order.name], "TemplateBody": [order.template]}
    request |= {f"Capabilities.member.{n}": [name] for n, name in enumerate(_CAPABILITIES, start=1)}
    for n, (key, value) in enumerate(order.parameters.items(), start=1):
        request[f"Parameters.member.{n}.ParameterKey"] = [key]
        request[f"Parameters.member.{n}.ParameterValue"] = [value]
    for n, (key, value) in enumerate(order.tags.items(), start=1):
        request[f"Tags.member.{n}.Key"], request[f"Tags.member.{n}.Value"] = [key], [value]
    return request


_CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")


def _first_failure(events: list[dict[str, Any]]) -> str:
    """Why the latest operation on a stack failed: its first failure."""
    begun = [n for n, event in enumerate(events) if event.get("ResourceStatusReason") == "User Initiated"]
    for event in events[begun[-1] if begun else 0 :]:
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceStatusReason"]:
            return f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
    return ""
