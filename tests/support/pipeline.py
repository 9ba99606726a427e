"""The deployed pipeline as its users, its operators and its enemies reach it: through AWS's APIs and nothing else."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from local.invoke.statements import signed_by
from signoff.aws.dynamodb import from_item
from signoff.aws.ledger_table import LedgerTable
from signoff.ledger.history import History, package_key
from signoff.runtime.clock import utc_now
from tests.support.deployed import Deployed
from tests.support.waiting import eventually
from tests.support.witness import Event, Witness

QUEUES = ("Register", "Decision", "Deploy", "Sweep")
DECISION, ANNOTATION = "Model Approval Decision", "Model Annotation"


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


class Pipeline:
    """A deployed Signoff: its queues, rules and functions, its ledger, and the events that it sends and hears."""

    def __init__(self, stack: Deployed) -> None:
        self.stack = stack
        self.outputs = stack.outputs
        self.aws = cache(stack.client)
        self.witness = Witness(stack)
        tables = self.outputs["LedgerTable"], self.outputs["PackagesTable"]
        self.ledger = LedgerTable(self.aws("dynamodb"), *tables, utc_now)

    # What it is made of

    @cached_property
    def resources(self) -> dict[str, str]:
        """The physical id of each of the stack's resources by its logical id."""
        listed = self.aws("cloudformation").describe_stack_resources(StackName="Signoff")["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}

    def resource(self, construct: str) -> str:
        """The physical id of the one resource whose logical id is `construct` and CDK's hash."""
        found = [name for logical, name in self.resources.items() if logical[:-8] == construct]
        assert len(found) == 1, f"{construct}: {found}"
        return found[0]

    def user(self, name: str) -> str:
        """The ARN of an IAM user of the engine."""
        return f"arn:aws:iam::{self.stack.engine.account}:user/{name}"

    # What happens in it

    def quiet(self) -> None:
        """Wait until nothing is under way: no message in a queue, no execution running.

        A message that no function could handle fails this test, with what was logged of it, and not those after it.
        """
        try:
            eventually(lambda: not self._is_busy(), seconds=90, what="the pipeline to come to rest")
        except AssertionError as stuck:
            busy, logged = list(self._busy()), self.errors()
            self.drop()
            raise AssertionError(f"{stuck}: {busy} still wait, and the functions logged {logged}") from None

    def drop(self) -> None:
        """Lose every message that a queue holds."""
        for queue in QUEUES:
            self.aws("sqs").purge_queue(QueueUrl=self.resource(f"{queue}Queue"))

    def errors(self) -> list[str]:
        """The newest errors that the functions logged, the last line of each."""
        logs, found = self.aws("logs"), []
        for group in logs.describe_log_groups()["logGroups"]:
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
                lines = [json.loads(line) for line in event["message"].splitlines() if '"level":"ERROR"' in line]
                found += [(event["timestamp"], line.get("exception", line["message"])) for line in lines]
        return [text.strip().rpartition("\n")[2] for _, text in sorted(found)[-5:]]

    def _is_busy(self) -> bool:
        # Only as far as the first that is: each look takes as much of the processors as a step of what is waited for.
        return any(self._busy()) or any(self._busy())

    def _busy(self) -> Iterator[str]:
        # In the order of the flow: what has left one place has reached the next before that one is looked at.
        yield from (name for name in QUEUES[:1] if self.waiting(name))
        machine = self.outputs["ValidationArn"]
        running = self.aws("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")
        yield from (execution["name"] for execution in running["executions"])
        yield from (name for name in QUEUES[1:] if self.waiting(name))

    def waiting(self, queue: str, kind: str = "Queue") -> int:
        """How many messages a queue (or its dead-letter queue: `DeadLetters`) holds, those in flight among them."""
        url = self.resource(f"{queue}{kind}")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())

    def history(self, arn: str) -> History:
        """A package's ledger, its chain verified."""
        described = self.aws("sagemaker").describe_model_package(ModelPackageName=arn)
        return self.ledger.history(package_key(arn, described["CreationTime"])).verified()

    # What is done to it

    def deliver(self, queue: str, event: Mapping[str, Any] | str) -> None:
        """Put an event on a queue as its rule would have, and wait until it was handled."""
        body = event if isinstance(event, str) else json.dumps(event)
        self.aws("sqs").send_message(QueueUrl=self.resource(f"{queue}Queue"), MessageBody=body)
        self.quiet()

    def start(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Start an execution of the validation workflow and return its description once it has ended."""
        states = self.aws("stepfunctions")
        machine = self.outputs["ValidationArn"]
        started = states.start_execution(stateMachineArn=machine, input=json.dumps(document))
        return self.ended(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """An execution's description once it has ended."""

        def look() -> dict[str, Any] | None:
            described: dict[str, Any] = self.aws("stepfunctions").describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        return eventually(look, what=f"{execution} to end")

    def invoke(self, function: str, event: Any) -> Any:
        """Invoke a function by its construct's name and return what it answers."""
        answer = self.aws("lambda").invoke(
            FunctionName=self.resource(function), Payload=json.dumps(event, default=_seconds)
        )
        payload = json.loads(answer["Payload"].read())
        assert not answer.get("FunctionError"), payload
        return payload

    def sweep(self) -> dict[str, int]:
        """Let the sweep move on all that waits, however shortly, and wait until that is done."""
        moved: dict[str, int] = self.invoke("Sweep", {"grace_seconds": 0})
        self.quiet()
        return moved

    def signed(self, said: Mapping[str, Any], user: str = "approver", statement: str = "decision") -> dict[str, Any]:
        """What somebody says, or another `statement` than a decision, with the proof that it is they who say it."""
        whole = {"statement": statement, **said}
        return signed_by(user, whole, self.outputs["BusArn"], self.stack.engine.url)

    def say(self, detail: Any, source: str = "signoff.cli", user: str = "approver", kind: str = DECISION) -> None:
        """Put a decision, or another `kind` of event, on Signoff's bus, as the command or a bot would."""
        entry = {"EventBusName": self.outputs["BusName"], "Source": source, "DetailType": kind}
        answer = self.aws("events", user).put_events(Entries=[{**entry, "Detail": json.dumps(detail)}])
        assert answer["FailedEntryCount"] == 0, answer

    @contextlib.contextmanager
    def without_rule(self, construct: str) -> Iterator[None]:
        """Lose every event that only this rule would have passed on; what is under way is finished before."""
        self.quiet()
        rule = {"Name": self.resource(f"Rules{construct}")}
        self.aws("events").disable_rule(**rule)
        try:
            yield
        finally:
            self.aws("events").enable_rule(**rule)

    @contextlib.contextmanager
    def doubled_rules(self) -> Iterator[None]:
        """Deliver every event twice: beside each of the stack's rules on events, one that passes on the same."""
        events, twins = self.aws("events"), []
        for bus in ("default", self.outputs["BusName"]):
            for rule in events.list_rules(EventBusName=bus, NamePrefix="Signoff-Rules")["Rules"]:
                if "EventPattern" in rule:
                    twin = {"Rule": f"twin-of-{rule['Name']}"[:64], "EventBusName": bus}
                    events.put_rule(Name=twin["Rule"], EventBusName=bus, EventPattern=rule["EventPattern"])
                    targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
                    events.put_targets(**twin, Targets=targets)
                    twins.append((twin, [target["Id"] for target in targets]))
        try:
            yield
        finally:
            for twin, ids in twins:
                events.remove_targets(**twin, Ids=ids)
                events.delete_rule(Name=twin["Rule"], EventBusName=twin["EventBusName"])

    @contextlib.contextmanager
    def without_reader(self, function: str) -> Iterator[None]:
        """Hold back what waits in a function's inbox, and let the function have it afterwards."""
        self.quiet()
        mapping = {"UUID": self.resource(f"{function}Inbox")}
        functions = self.aws("lambda")
        functions.update_event_source_mapping(**mapping, Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(**mapping, Enabled=True)

    @contextlib.contextmanager
    def without_function(self, function: str) -> Iterator[None]:
        """Throttle every invocation of a function: Lambda's own way of failing for a while."""
        which = {"FunctionName": self.resource(function)}
        self.aws("lambda").put_function_concurrency(**which, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            self.aws("lambda").delete_function_concurrency(**which)

    @contextlib.contextmanager
    def in_a_hurry(self, function_name: str = "InspectArtifact") -> Iterator[None]:
        """Give InspectArtifact, or KeepArtifact, so little time that whatever it reads is handed over to a build."""
        function, functions = {"FunctionName": self.resource(function_name)}, self.aws("lambda")
        before = functions.get_function_configuration(**function)["Timeout"]
        functions.update_function_configuration(**function, Timeout=60)
        try:
            yield
        finally:
            functions.update_function_configuration(**function, Timeout=before)

    @contextlib.contextmanager
    def with_failing_builds(self, task: str = "InspectAtLength") -> Iterator[None]:
        """Keep from the builds of a task what the stack tells them."""
        builds, name = self.aws("codebuild"), self.resources[task]
        (project,) = builds.batch_get_projects(names=[name])["projects"]
        told = project["environment"]
        builds.update_project(name=name, environment={**told, "environmentVariables": []})
        try:
            yield
        finally:
            builds.update_project(name=name, environment=told)

    @contextlib.contextmanager
    def with_other_code(self, code: bytes, task: str = "InspectAtLength") -> Iterator[None]:
        """Put other code where a task's builds fetch theirs, as somebody could who writes to the CDK's bucket."""
        (project,) = self.aws("codebuild").batch_get_projects(names=[self.resources[task]])["projects"]
        fetched = re.search(r"--bucket (\S+) --key (\S+\.zip)", project["source"]["buildspec"])
        bucket, key = fetched.groups() if fetched else project["source"]["location"].split("/")
        s3, where = self.aws("s3"), {"Bucket": bucket, "Key": key}
        deployed = s3.get_object(**where)["Body"].read()
        s3.put_object(**where, Body=code)
        try:
            yield
        finally:
            s3.put_object(**where, Body=deployed)

    def builds(self, task: str = "InspectAtLength") -> list[dict[str, Any]]:
        """The builds that inspected (or kept) something or tried to, the newest first."""
        builds = self.aws("codebuild")
        ids = builds.list_builds_for_project(projectName=self.resources[task])["ids"]
        found: list[dict[str, Any]] = builds.batch_get_builds(ids=ids)["builds"] if ids else []
        return found

    # What is left of it

    def table(self, output: str, about: str) -> list[dict[str, Any]]:
        """The items of one of the stack's tables whose key mentions `about`, in the order of their keys."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[output])
        items = [from_item(item) for page in pages for item in page["Items"]]
        keyed = [item for item in items if about in item.get("package", "") or about in item.get("submission", "")]
        return sorted(keyed, key=lambda item: (str(item.get("package")), item.get("sequence", 0)))

    def event(self, detail_type: str, of: str, **fields: Any) -> Event:
        """The first event of that type about `of`, whole, as EventBridge passed it on."""
        return self.witness.hears(detail_type, of, **fields)

    def records(self, about: str) -> list[dict[str, Any]]:
        """What the ledger's stream holds of packages and submissions whose key mentions `about`."""
        streams, functions = self.aws("dynamodbstreams"), self.aws("lambda")
        mapping = functions.get_event_source_mapping(UUID=self.resource("AnnounceEntries"))
        stream = {"StreamArn": mapping["EventSourceArn"]}
        records = []
        for shard in streams.describe_stream(**stream)["StreamDescription"]["Shards"]:
            from_start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = streams.get_shard_iterator(**stream, **from_start)["ShardIterator"]
            while iterator:
                answer = streams.get_records(ShardIterator=iterator)
                records += answer["Records"]
                iterator = answer.get("NextShardIterator") if answer["Records"] else None
        return [record for record in records if about in record["dynamodb"]["Keys"]["package"]["S"]]
