"""The parts of a deployed stack by their names in the app, as CloudFormation lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from signoff_cli.errors import CommandFailed

QUEUE, RULE, BUS = "AWS::SQS::Queue", "AWS::Events::Rule", "AWS::Events::EventBus"
MAPPING, ALARM = "AWS::Lambda::EventSourceMapping", "AWS::CloudWatch::Alarm"
FUNCTION, LOG_GROUP = "AWS::Lambda::Function", "AWS::Logs::LogGroup"
_HASH = re.compile(r"[0-9A-F]{8}$")  # CDK's, at the end of each logical id
DEAD_LETTERS = "DeadLetters"


class Parts:
    """The physical ids of a stack's resources, by type and name (the logical id without CDK's hash)."""

    def __init__(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take the summaries of ListStackResources."""
        self._ids: dict[str, dict[str, str]] = {}
        for each in resources:
            name = _HASH.sub("", each["LogicalResourceId"])
            self._ids.setdefault(each["ResourceType"], {})[name] = each.get("PhysicalResourceId", "")

    @classmethod
    def of_stack(cls, cloudformation: Any, stack: str) -> Parts:
        """Return the parts of `stack`, a hundred with each call."""
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        return cls(each for page in pages for each in page["StackResourceSummaries"])

    def of(self, kind: str) -> dict[str, str]:
        """Return the physical ids of all resources of a type, by name."""
        return dict(sorted(self._ids.get(kind, {}).items()))

    def one(self, kind: str, name: str) -> str:
        """Return the physical id of one resource. Raises `CommandFailed` when the stack has none of that name."""
        try:
            return self._ids[kind][name]
        except KeyError:
            raise CommandFailed(f"the stack has no {name} ({kind}): is it of another version of Signoff?") from None

    def dead_letter_queues(self) -> dict[str, str]:
        """Return the URLs of the dead-letter queues by name. Raises `CommandFailed` when there are none."""
        found = {name: url for name, url in self.of(QUEUE).items() if name.endswith(DEAD_LETTERS)}
        if not found:
            raise CommandFailed("the stack has no dead-letter queues: is it one of Signoff?")
        return found

    def name_of(self, kind: str, physical: str) -> str | None:
        """Return the name of the resource with that physical id, or None."""
        return next((name for name, each in self.of(kind).items() if each == physical), None)
