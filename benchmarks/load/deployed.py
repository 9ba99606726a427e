"""The deployed pipeline under load: many uploads and decisions at once, and what the ledger says of them."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from benchmarks.load.processors import processor_seconds
from local.engine.process import Engine
from local.invoke.scenario import Scenario
from local.invoke.statements import signed_by, submission
from signoff.aws.dynamodb import from_item
from signoff.aws.ledger_items import entry_of
from signoff.ledger.entries import Entry, package_of
from signoff.runtime.clock import utc_now
from signoff.submission.layout import SUBMISSION, TO_BE_SIGNED
from signoff_cli.statements.signature import sign_statement

Files = Mapping[str, bytes]
Row = dict[str, Any]

QUEUES = ("Register", "Signature", "Decision", "Deploy", "Sweep", "Validation", "Announce")
# How many people and tools speak to AWS at once; each connection of the engine's is answered in turn.
_AT_ONCE = 8
_LOOK_EVERY = 5.0


class Stalled(Exception):
    """Raised when what is waited for does not come."""


class LoadedPipeline:
    """Signoff as it is deployed to an engine."""

    def __init__(self, engine: Engine, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._scenario = Scenario(engine.environment())
        self.aws = self._scenario.aws
        self._physical = cache(self._find)
        self.say = say

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return self._scenario.outputs

    def _find(self, construct: str) -> str:
        answer = self.aws("cloudformation").describe_stack_resources(StackName="Signoff")
        found = [each for each in answer["StackResources"] if each["LogicalResourceId"][:-8] == construct]
        return str(found[0]["PhysicalResourceId"])

    # What is done to it

    def policy(self, group: str, **fields: Any) -> None:
        """Give a group a policy of its own, as the app would from a file."""
        role = {"execution_role": self.outputs["ModelExecutionRoleArn"]}
        policy = {"groups": {"create": True}, "deployment": role, **fields}
        name = f"{self.outputs['PolicyPath']}/groups/{group}"
        self.aws("ssm").put_parameter(Name=name, Value=json.dumps(policy), Type="String", Overwrite=True)

    def upload(self, prefixes: Iterable[str], files: Files) -> None:
        """Upload the same `files` under each of the prefixes (`group/submission`), signed, several at once."""
        with ThreadPoolExecutor(_AT_ONCE) as people:
            list(people.map(lambda prefix: self._upload(prefix, files), prefixes))

    def _upload(self, prefix: str, files: Files) -> None:
        statement = signed_by("submitter", submission(prefix, files), self.outputs["BusArn"], self._engine.url)
        for name, body in {**files, SUBMISSION: json.dumps(statement).encode()}.items():
            put = {"Bucket": self.outputs["ArtifactsBucket"], "Key": f"{prefix}/{name}", "Body": body}
            self.aws("s3").put_object(**put, Metadata=TO_BE_SIGNED)

    def validate(self, arns: Iterable[str]) -> None:
        """Start another validation of each package, as `signoff revalidate` does."""
        again = {"by": f"arn:aws:iam::{self._engine.account}:user/submitter", "reason": "Another champion"}
        for arn in arns:
            given = json.dumps({"detail": {"ModelPackageArn": arn}, "revalidate": again})
            self.aws("stepfunctions").start_execution(stateMachineArn=self.outputs["ValidationArn"], input=given)

    def person(self, name: str) -> ReadOnlyCredentials:
        """Make an IAM user of that name, and return their keys."""
        self.aws("iam").create_user(UserName=name)
        key = self.aws("iam").create_access_key(UserName=name)["AccessKey"]
        return ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)

    def decide(self, asked: Entry, by: ReadOnlyCredentials, decision: str = "approve") -> None:
        """Have somebody decide about a package, on the evidence that the ledger's entry `asked` recorded of it."""
        about = {"package": package_of(asked.package)[0], "decision": decision, "reason": "Recall holds"}
        shown = {"evidence": asked.details["sha256"], "standing": asked.hash}
        known = {"statement": "decision", **about, **shown, "audience": self.outputs["BusArn"]}
        detail = sign_statement(known, by, self._engine.url, self._engine.region, utc_now())
        entry = {"EventBusName": self.outputs["BusName"], "Source": "signoff.cli", "Detail": json.dumps(detail)}
        answer = self.aws("events").put_events(Entries=[{**entry, "DetailType": "Model Approval Decision"}])
        if answer["FailedEntryCount"]:
            raise Stalled(f"The bus did not take a decision: {answer['Entries']}")

    # What becomes of it

    def rows(self, *groups: str) -> list[Row]:
        """The index's rows of the groups' packages."""
        rows = map(from_item, self._items("PackagesTable"))
        return [row for row in rows if row.get("group") in groups and row.get("arn")]

    def statuses(self, *groups: str) -> Counter[str]:
        """How many packages of the groups have each status."""
        return Counter(row["status"] for row in self.rows(*groups))

    def entries(self, *groups: str) -> list[Entry]:
        """The ledger's entries about the groups' packages, in their order."""
        found = (entry_of(item) for item in self._items("LedgerTable"))
        return sorted((each for each in found if each.group in groups), key=lambda each: (each.package, each.sequence))

    def packages(self, *groups: str) -> list[str]:
        """The ARNs of the groups' packages, as SageMaker lists them."""
        pages = [
            page
            for group in groups
            for page in self.aws("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        ]
        return [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]

    def evidence(self, digest: str) -> dict[str, Any]:
        """A document of evidence by its digest."""
        answer = self.aws("s3").get_object(Bucket=self.outputs["VaultBucket"], Key=f"evidence/{digest}.json")
        document: dict[str, Any] = json.load(answer["Body"])
        return document

    def dead_letters(self) -> dict[str, int]:
        """How many messages each dead-letter queue holds, of those that hold any."""
        counts = {name: self._waiting(f"{name}DeadLetters") for name in QUEUES}
        return {name: count for name, count in counts.items() if count}

    def busy(self) -> dict[str, int]:
        """How many messages each queue holds, and how many validations run, of what there is any."""
        counts = {name: self._waiting(f"{name}Queue") for name in QUEUES[:4]}
        machine = self.outputs["ValidationArn"]
        pages = self.aws("stepfunctions").get_paginator("list_executions")
        running = pages.paginate(stateMachineArn=machine, statusFilter="RUNNING")
        counts["executions"] = sum(len(page["executions"]) for page in running)
        return {name: count for name, count in counts.items() if count}

    def until(self, done: Callable[[], bool], what: str, seconds: float) -> float:
        """Wait until it is `done`; return the seconds. Raises Stalled, with what is still under way."""
        started = time.monotonic()
        while not done():
            if time.monotonic() - started > seconds:
                raise Stalled(f"After {seconds:.0f} s {what} had not come: {self.busy()}, {self.dead_letters()}")
            time.sleep(_LOOK_EVERY)
        return time.monotonic() - started

    def worked(self) -> float | None:
        """The seconds that processors have worked for the engine and its functions until now, where that is known."""
        return processor_seconds(self._engine.session)

    def quiet(self, seconds: float) -> float:
        """Wait until nothing is under way; return the seconds."""
        return self.until(lambda: not self.busy() and not self.busy(), "rest", seconds)

    def _waiting(self, construct: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self._physical(construct)
        counts = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())

    def _items(self, table: str) -> Iterator[Row]:
        for page in self.aws("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[table]):
            yield from page["Items"]
