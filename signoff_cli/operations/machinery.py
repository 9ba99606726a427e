"""The machinery itself: rules, readers of queues, alarms, the sweep, and the stack's last deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signoff.documents import timestamps
from signoff_cli.operations import parts as kinds
from signoff_cli.operations.alarm_advice import advice
from signoff_cli.operations.findings import Finding
from signoff_cli.operations.parts import Parts

_SWEPT = timedelta(hours=1)
_WORKS = {"Enabled", "Enabling", "Updating", "Creating"}
_DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_LOG_PAGES = 5


@dataclass(frozen=True)
class Machinery:
    """Looks at the parts of a `stack`. Clients are boto3's; `sweep` is the command that has the sweep run at once."""

    stack: str
    parts: Parts
    clients: Any
    now: datetime
    sweep: str

    def rules(self) -> Iterator[Finding]:
        """Yield a finding for each of the stack's rules that is disabled or gone."""
        expected = self.parts.of(kinds.RULE)
        states: dict[str, tuple[str, str]] = {}
        for bus in ("default", *self.parts.of(kinds.BUS).values()):
            pages = self.clients("events").get_paginator("list_rules").paginate(EventBusName=bus, NamePrefix=self.stack)
            states |= {rule["Name"]: (bus, rule["State"]) for page in pages for rule in page["Rules"]}
        for name, physical in expected.items():
            # Of a rule on another bus than the default, CloudFormation's id is `<bus>|<name>`.
            rule = physical.rpartition("|")[2]
            if rule not in states:
                yield _missing(name, f"the rule {rule} does not exist")
            elif states[rule][1] != "ENABLED":
                command = f"aws events enable-rule --name {rule} --event-bus-name {states[rule][0]}"
                why = "what it should pass on is lost meanwhile; the sweep makes up for it, except for decisions"
                yield Finding("disabled_rule", name, f"the rule {rule} is disabled", why, (command, self.sweep))

    def readers(self) -> Iterator[Finding]:
        """Yield a finding for each queue or stream that its function has ceased to read."""
        functions = self.clients("lambda")
        for name, mapping in self.parts.of(kinds.MAPPING).items():
            try:
                found = functions.get_event_source_mapping(UUID=mapping)
            except functions.exceptions.ResourceNotFoundException:
                yield _missing(name, f"the event source mapping {mapping} does not exist")
                continue
            if found["State"] not in _WORKS:
                source = found["EventSourceArn"].rpartition(":")[2]
                why = f"{found['State']}: {found.get('StateTransitionReason') or 'Lambda gives no reason'}"
                command = f"aws lambda update-event-source-mapping --uuid {mapping} --enabled"
                yield Finding("stopped_reader", name, f"nothing reads {source}", why, (command,))

    def alarms(self) -> Iterator[Finding]:
        """Yield a finding for each alarm that rings, and for each that the stack made and that is gone."""
        pages = (
            self.clients("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{self.stack}-", AlarmTypes=["MetricAlarm"])
        )
        found = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
        for name, physical in self.parts.of(kinds.ALARM).items():
            alarm = found.get(physical)
            if alarm is None:
                yield _missing(name, f"the alarm {physical} does not exist")
            elif alarm["StateValue"] == "ALARM":
                yield self._ringing(name, alarm)

    def _ringing(self, name: str, alarm: Any) -> Finding:
        since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
        short = name.removeprefix("Alarms")
        why = f"{alarm.get('AlarmDescription', '')} ({alarm.get('StateReason', '')})"
        commands = advice(short, self.parts, self.sweep)
        return Finding("alarm", short, "the alarm rings", why, commands, timestamps.text(since) if since else None)

    def sweeps(self) -> Iterator[Finding]:
        """Yield a finding if the sweep has not come to its end within an hour, of a stack that is older than that."""
        described = self._described()
        if described["CreationTime"] > self.now - _SWEPT or self._swept():
            return
        group = self.parts.one(kinds.LOG_GROUP, "SweepLogs")
        what = f"the sweep has not come to its end for {int(_SWEPT.total_seconds()) // 60} minutes"
        why = "nothing makes up for lost events meanwhile: its rule is disabled, its queue is not read, or it fails"
        commands = (self.sweep, f"aws logs tail {group} --since 2h --filter-pattern ERROR")
        yield Finding("sweep", "Sweep", what, why, commands)

    def _swept(self) -> bool:
        began = int((self.now - _SWEPT).timestamp() * 1000)
        asked = {"logGroupName": self.parts.one(kinds.LOG_GROUP, "SweepLogs"), "filterPattern": '"swept"'}
        pages = self.clients("logs").get_paginator("filter_log_events").paginate(**asked, startTime=began)
        return any(page["events"] for _, page in zip(range(_LOG_PAGES), pages, strict=False))

    def deployment(self) -> Iterator[Finding]:
        """Yield a finding if the stack's last deployment failed: the policies in force are those before it."""
        described = self._described()
        status = described["StackStatus"]
        if status in _DEPLOYED or status.endswith("_IN_PROGRESS"):
            return
        why = described.get("StackStatusReason") or self._first_failure() or "CloudFormation gives no reason"
        what = f"the stack is {status}: policies and settings in force are those of before"
        since = described.get("LastUpdatedTime") or described["CreationTime"]
        yield Finding("failed_deployment", self.stack, what, why, ("make diff", "make deploy"), timestamps.text(since))

    def _first_failure(self) -> str | None:
        """Return what failed first in the last deployment, of the newest events, which one call returns."""
        events = self.clients("cloudformation").describe_stack_events(StackName=self.stack)["StackEvents"]
        reasons = [
            f"{each['LogicalResourceId']}: {each['ResourceStatusReason']}"
            for each in events
            if each["ResourceStatus"].endswith("_FAILED") and "cancelled" not in each.get("ResourceStatusReason", "")
        ]
        return reasons[-1] if reasons else None

    def _described(self) -> Any:
        return self.clients("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]


def _missing(name: str, what: str) -> Finding:
    why = "somebody deleted it past CloudFormation: CloudTrail says who"
    return Finding("missing_part", name, what, why, ("make diff", "make deploy"))
