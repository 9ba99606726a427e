"""A deployed stack on which a function is invoked: its input, the state before, and the changes after."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import boto3

from local.deploy import Outputs
from local.invoke import sample_events
from local.invoke.sample_events import Event
from local.invoke.statements import signed_by, submission
from signoff.submission.layout import REPORT, SUBMISSION, TO_BE_SIGNED

T = TypeVar("T")
_SECONDS = 60.0
_SUBMISSION = f"{sample_events.GROUP}/sample"


class ScenarioNotReached(Exception):
    """Raised when the stack does not reach the state that a sample event needs."""


class Scenario:
    """A deployed stack, as the administrator of the engine at `settings` (AWS_* variables) sees it."""

    def __init__(self, settings: dict[str, str], stack: str = "Signoff") -> None:
        self._session = boto3.Session(
            settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"], region_name=settings["AWS_REGION"]
        )
        self._url = settings["AWS_ENDPOINT_URL"]
        self._stack = stack
        self.aws = cache(self._client)

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._url)

    @property
    def outputs(self) -> Outputs:
        """The stack's outputs by their keys."""
        described = self.aws("cloudformation").describe_stacks(StackName=self._stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def physical(self, logical: str) -> str:
        """The physical id of a resource."""
        answer = self.aws("cloudformation").describe_stack_resources(StackName=self._stack)
        found = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in answer["StackResources"]}
        return str(found[logical])

    def environment(self, function: str) -> dict[str, str]:
        """The variables that a deployed function runs with."""
        answer = self.aws("lambda").get_function_configuration(FunctionName=function)
        return dict(answer["Environment"]["Variables"])

    # What it gets

    def input(self, function: str, name: str, event: Event) -> Any:
        """The input that the deployed `function`, whose construct is `name`, gets for `event`."""
        mappings = self._mappings(function)
        if not mappings:
            return self._step_input(name, event)
        source = mappings[0]["EventSourceArn"]
        if ":sqs:" in source:
            return sample_events.queue_batch(event, source)
        return sample_events.stream_batch(self._items("LedgerTable"), source)

    def _step_input(self, name: str, event: Event) -> Any:
        """What the workflow that `event` starts gives its step `name`; the steps before it run in the engine."""
        opening = {"arn": event["detail"]["ModelPackageArn"], "execution": self.outputs["ValidationArn"] + ":sample"}
        if name == "OpenValidation":
            return opening
        claim = self._step("OpenValidation", opening)
        keeping = [{"claim": claim, "artifact": artifact} for artifact in claim["artifacts"]]
        if name == "KeepArtifact":
            return keeping[0]
        inspections = [{"claim": claim, "kept": self._step("KeepArtifact", each)} for each in keeping]
        if name == "InspectArtifact":
            return inspections[0]
        found = [{"kept": each["kept"], "found": self._step("InspectArtifact", each)} for each in inspections]
        return {"claim": claim, "artifacts": found, "measured": None}

    def _step(self, name: str, given: Any) -> Any:
        functions = self.aws("lambda").get_paginator("list_functions").paginate()
        names = [each["FunctionName"] for page in functions for each in page["Functions"]]
        function = next(each for each in names if each.startswith(f"{self._stack}-{name}"))
        answer = self.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(given))
        return json.load(answer["Payload"])

    # What must have happened before

    def prepare(self, function: str, event: Event, submission: Path) -> None:
        """Bring the stack to the state where `event` has just happened and `function` has not handled it yet.

        submission: a folder with the submitted files. Only `function` is left to act. Raises ScenarioNotReached.
        """
        step = not self._mappings(function)
        self.hold_queues(function)
        if step:
            self.hold_workflow()
        if event["source"] == "aws.s3":
            if event["detail"]["bucket"]["name"] == self.outputs["ArtifactsBucket"]:
                self.upload(submission, event["detail"]["object"]["key"].rpartition("/")[0])
        elif event["resources"]:
            self.upload(submission, _SUBMISSION)
            arn = self._until(self._registered, "the sample to be registered")
            if not step:
                self._until(lambda: self.status(arn) == "PendingApproval", "the sample to wait for a decision")
            self._decide(arn, event, by_hand="ApplyDecision" in function)
        self.hold_queues()
        self.hold_workflow()

    def _decide(self, arn: str, event: Event, by_hand: bool) -> None:
        """Have the package get the status that `event` says it got: in the registry, or by a decision."""
        status = event["detail"].get("ModelApprovalStatus", "PendingManualApproval")
        if event["detail"].get("ModelPackageArn") != arn or status == "PendingManualApproval":
            return
        if by_hand:
            self.aws("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
            return
        name = "decision_approve" if status == "Approved" else "decision_reject"
        decision = self.signed(sample_events.sample(name, self.outputs))
        entry = {"EventBusName": self.outputs["BusName"], "Source": decision["source"]}
        entry |= {"DetailType": decision["detail-type"], "Detail": json.dumps(decision["detail"])}
        self.aws("events").put_events(Entries=[entry])
        self._until(lambda: self._packages()[arn] == status and self.status(arn) == status, f"it to be {status}")

    def signed(self, event: Event, url: str | None = None) -> Event:
        """A decision or an annotation as the user `approver` signs it now, on the evidence at hand.

        `url` is the engine's endpoint for the reader, if it differs from ours. Other events are as they were.
        """
        if "proof" not in event["detail"]:
            return event
        statement = {name: value for name, value in event["detail"].items() if name not in {"proof", "time"}}
        seen = self.evidence(statement["package"]) if statement["statement"] == "decision" else None
        said = {**statement, "audience": self.outputs["BusArn"], **({"evidence": seen} if seen else {})}
        return {**event, "detail": signed_by("approver", said, said["audience"], url or self._url)}

    def evidence(self, arn: str) -> str | None:
        """The digest of a package's evidence, or None without a package or evidence."""
        sagemaker = self.aws("sagemaker")
        try:
            described = sagemaker.describe_model_package(ModelPackageName=arn)
        except sagemaker.exceptions.ClientError:
            return None
        digest: str | None = described.get("CustomerMetadataProperties", {}).get("signoff:evidence")
        return digest

    def upload(self, folder: Path, prefix: str) -> None:
        """Upload the files of `folder` as the submission `prefix` (`group/submission`) of the user `submitter`."""
        for path in sorted(folder.iterdir()):
            self._put(f"{prefix}/{path.name}", path.read_bytes(), Metadata=TO_BE_SIGNED)
        self.sign(prefix)

    def sign(self, prefix: str, url: str | None = None) -> None:
        """Have the user `submitter` sign what is uploaded under `prefix`, unless that is registered.

        `url` is the engine's endpoint for the reader, if it differs from ours.
        """
        if prefix in {item["submission"]["S"] for item in self._items("SubmissionsTable") if "package" in item}:
            return
        bucket = self.outputs["ArtifactsBucket"]
        listed = self.aws("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        names = [each["Key"].removeprefix(f"{prefix}/") for each in listed]
        files = {
            name: self.aws("s3").get_object(Bucket=bucket, Key=f"{prefix}/{name}")["Body"].read()
            for name in names
            if name not in {SUBMISSION, REPORT}
        }
        if files:
            self._put(f"{prefix}/{SUBMISSION}", self.submission(prefix, files, url))

    def submission(self, prefix: str, files: Mapping[str, bytes], url: str | None = None) -> bytes:
        """The submission.json that the user `submitter` signs now for these files, by name."""
        said = submission(prefix, files)
        return json.dumps(signed_by("submitter", said, self.outputs["BusArn"], url or self._url)).encode()

    def _put(self, key: str, body: bytes, **more: Any) -> None:
        self.aws("s3").put_object(Bucket=self.outputs["ArtifactsBucket"], Key=key, Body=body, **more)

    def _registered(self) -> str | None:
        return next(iter(self._packages()), None)

    def status(self, arn: str) -> str | None:
        """A package's status by its ledger's head, or None when it has none."""
        heads = {item["arn"]["S"]: item["status"]["S"] for item in self._items("PackagesTable") if "arn" in item}
        return heads.get(arn)

    def hold_queues(self, function: str | None = None) -> None:
        """Keep what has happened from `function`, or from all functions that read a queue or a stream."""
        for mapping in self._mappings(function):
            self.aws("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def hold_workflow(self) -> None:
        """Keep the registry's events from the validation workflow."""
        for rule in self.aws("events").list_rule_names_by_target(TargetArn=self.outputs["ValidationArn"])["RuleNames"]:
            self.aws("events").disable_rule(Name=rule)

    def _mappings(self, function: str | None) -> list[dict[str, Any]]:
        which = {"FunctionName": function} if function else {}
        listed: list[dict[str, Any]] = self.aws("lambda").list_event_source_mappings(**which)["EventSourceMappings"]
        return listed

    def _until(self, look: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + _SECONDS
        while not (found := look()):
            if time.monotonic() > deadline:
                raise ScenarioNotReached(f"Timed out after {_SECONDS:.0f} s waiting for {what}")
            time.sleep(0.1)
        return found

    # What changed after

    def facts(self) -> list[str]:
        """Everything in the stack that a function may change, one line each, in the order of events."""
        ledger = sorted(
            (item["package"]["S"], int(item["sequence"]["N"]), item["kind"]["S"], item["actor"]["S"])
            for item in self._items("LedgerTable")
        )
        return [
            *(f"package  {arn} is {status}" for arn, status in self._packages().items()),
            *(f"ledger   {package}  {number} {kind} by {actor}" for package, number, kind, actor in ledger),
            *(f"model    {each}" for each in self._models()),
            *(f"object   s3://{each}" for each in self._objects()),
        ]

    def _packages(self) -> dict[str, str]:
        groups = self._listed("list_model_package_groups", "ModelPackageGroupSummaryList")
        return {
            package["ModelPackageArn"]: package["ModelApprovalStatus"]
            for group in groups
            for package in self._listed(
                "list_model_packages",
                "ModelPackageSummaryList",
                ModelPackageGroupName=group["ModelPackageGroupName"],
            )
        }

    def _models(self) -> list[str]:
        return [model["ModelName"] for model in self._listed("list_models", "Models", SortOrder="Ascending")]

    def _listed(self, call: str, items: str, **request: str) -> Iterator[dict[str, Any]]:
        for page in self.aws("sagemaker").get_paginator(call).paginate(**request):
            yield from page[items]

    def _objects(self) -> Iterator[str]:
        for bucket in (self.outputs["ArtifactsBucket"], self.outputs["VaultBucket"]):
            for page in self.aws("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
                yield from (f"{bucket}/{each['Key']}" for each in page.get("Contents", ()))

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        for page in self.aws("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[table]):
            yield from page["Items"]
