"""The tests' world, in which AWS invokes the functions: out of a queue, by the workflow, by a stream."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signoff.approval.statements import Sender
from signoff.aws.clients import transient
from signoff.aws.ecr import ImageResolver
from signoff.aws.image_scans import ImageScans
from signoff.aws.sqs import DELETED
from signoff.ledger.entries import Entry
from signoff.model_package.artifacts import DOCUMENT
from signoff.notification.announcements import announcements
from signoff.notification.notifications import notifications
from signoff.runtime.batches import hidden_seconds
from signoff.runtime.events import package_named
from signoff.submission.layout import SUBMISSION
from signoff.validation.open_validation import ValidationRequest
from tests.faults.faults import INVOKE, Aborted, Faults, InvocationFailed
from tests.support.clock import START
from tests.support.deliveries import GRACE
from tests.support.interruptions import Died
from tests.support.repository import ROOT
from tests.support.world import PINNED, World

QUARTER = timedelta(minutes=15)
# How long a message is hidden whose function died, and after how many receives one is set aside, as
# infra/events/queues.py says. The function of one that failed says itself when it comes back.
HIDDEN = {
    "RegisterModel": timedelta(minutes=30),
    "KeepSignature": timedelta(minutes=3),
    "ApplyDecision": timedelta(minutes=4),
    "CreateModel": timedelta(minutes=30),
    "Sweep": timedelta(minutes=10),
    "Announce": timedelta(seconds=1),
}
RECEIVES = 20
_STATES: dict[str, Any] = json.loads((ROOT / "statemachine/validation.asl.json").read_bytes())["States"]
STATES = _STATES | _STATES["InspectArtifacts"]["ItemProcessor"]["States"]
PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/release"
FUNCTIONS = {"RecordError": "RecordEvidence", "RecordUnopened": "RecordEvidence"}


@dataclass
class Message:
    """What waits for a function (or the workflow) until it is handled."""

    reader: str
    act: Callable[[], Any]
    visible: datetime
    receives: int = 0


def _hidden(message: Message, *, died: bool) -> timedelta:
    if died or message.reader == "Announce":
        return HIDDEN[message.reader]
    return timedelta(seconds=hidden_seconds(message.receives, message.reader))


class TaskFailed(Exception):
    """A task of the workflow that is not retried (any more)."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.output = {"Error": error, "Cause": cause}


class FakeEcr:
    """The calls that are made about an image, which is scanned and signed."""

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        return {"images": [{"imageId": {"imageDigest": PINNED.partition("@")[2]}, "imageManifest": "{}"}]}

    def describe_image_scan_findings(self, **_: Any) -> dict[str, Any]:
        return {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"imageScanCompletedAt": START}}

    def describe_image_signing_status(self, **_: Any) -> dict[str, Any]:
        return {"signingStatuses": [{"signingProfileArn": PROFILE, "status": "COMPLETE"}]}


class FakeOutlets:
    """The bus and the topics: what was announced, and what people were told."""

    def __init__(self) -> None:
        self.announced: list[Any] = []
        self.told: list[Any] = []

    def put(self, events: Any) -> None:
        self.announced += events

    def publish(self, notification: Any) -> None:
        self.told.append(notification)


class FaultyWorld(World):
    """Signoff as AWS runs it. `helped` counts by what means it was moved on beside events."""

    interrupting = Faults
    interruptions: Faults

    def __init__(self, **policy: Any) -> None:
        super().__init__(**policy)
        self.mail: list[Message] = []
        self.dead: list[Message] = []
        self.helped: Counter[str] = Counter()
        self.outlets = FakeOutlets()
        self.moved: dict[str, int] = {}
        self.deaf = False  # whether SageMaker's events get lost
        self.stopping = False  # whether somebody stops the next execution that has claimed a package
        self._entries: dict[str, int] = {}

    def _compose(self) -> None:
        ecr = self.interruptions.wrap(FakeEcr())
        self.images = ImageResolver(lambda _: ecr, "us-east-1", pause=lambda _: None)
        self.scans = ImageScans(lambda _: ecr, lambda _: None, self.clock, pause=lambda _: None)  # type: ignore[assignment]
        super()._compose()

    def as_function(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """Have another function do something, which is an invocation of its own, unless that function is at it."""

        def invoked(*arguments: Any) -> Any:
            if self.interruptions.function in {name, ""}:
                return act(*arguments)
            return self._invoke(name, partial(act, *arguments))

        return invoked

    # What happens to it

    def event(self, reader: str, act: Callable[[], Any]) -> None:
        """Put an event where its reader finds it."""
        self.mail.append(Message(reader, act, self.clock()))

    def uploads(self, files: Mapping[str, Any], *, registered: bool = True) -> None:
        """Put objects into the artifacts bucket, one after the other; RegisterModel hears of each, or of none."""
        for key, data in files.items():
            self.put(key, data)
            if registered:
                self.event("RegisterModel", partial(self.registrar.uploaded, key))
            if key.endswith(f"/{SUBMISSION}"):
                self.event("KeepSignature", partial(self.signature_verifier.uploaded, key))
            self._handle_all()

    def decides(self, arn: str, decision: str) -> None:
        """Have an approver sign a decision now; its event is on its way."""
        statement, sender = self.statement(arn, decision), Sender(f"{decision}-{arn}")
        self.event("ApplyDecision", lambda: self.decision_handler.apply(statement, sender))

    def settle(self) -> None:
        """Let time pass, a sweep every quarter of an hour, until nothing is under way; fail if that takes two days."""
        for _ in range(2 * 96):
            self._handle_all()
            self.clock.now += QUARTER
            self.event("Sweep", self._sweep)
            self.event("Sweep", self.daily_checkpoint.write_once)
            self._handle_all()
            if self._at_rest():
                return
        raise AssertionError(f"no rest: {[message.reader for message in self.mail]}, {self.moved}, {self.statuses()}")

    def statuses(self) -> dict[str, Any]:
        """Return the status of each package in the ledger."""
        return {key: history.state.status for key, history in self.ledger.histories.items()}

    def _at_rest(self) -> bool:
        states = [history.state for history in self.ledger.histories.values()]
        claimed = any(row["state"] == "registering" for row in self.submissions.rows.values())
        open_ = any(state.attempt_open or state.next_attempt or state.next_step for state in states)
        return not (self.mail or self.moved or claimed or open_)

    def _handle_all(self) -> None:
        while True:
            self._collect()
            message = next((each for each in self.mail if each.visible <= self.clock()), None)
            if message is None:
                return
            self.mail.remove(message)
            self._handle(message)

    def _handle(self, message: Message) -> None:
        if message.reader == "workflow":
            message.act()
            return
        try:
            self._invoke(message.reader, message.act)
        except (Exception, Died) as failure:
            message.receives += 1
            message.visible = self.clock() + _hidden(message, died=isinstance(failure, Died))
            (self.dead if message.receives == RECEIVES else self.mail).append(message)
            self.helped["stream" if message.reader == "Announce" else "queue"] += 1
            if message.reader == "Announce":
                self.clock.now = message.visible  # the stream waits for it

    def _invoke(self, function: str, act: Callable[[], Any]) -> Any:
        caller, self.interruptions.function = self.interruptions.function, function
        try:
            number = self.interruptions.call(INVOKE)
            answer = act()
            self.interruptions.made(INVOKE, number)
            return answer
        finally:
            self.interruptions.function = caller

    # What AWS delivers

    def _collect(self) -> None:
        while self.registry.events:
            event = self.registry.events.pop(0)
            if not self.deaf:
                self.registry_event(event)
        while self.executions.started:
            self.event("workflow", partial(self._execute, *self.executions.started.pop(0)))
        handlers = {"registrations": self._upload, "decisions": self._reconcile, "deployments": self._deploy}
        for name, handle in handlers.items():
            while self.queues[name].messages:
                handle(self.queues[name].messages.pop(0)["detail"])
        for key, history in self.ledger.histories.items():
            for entry in history.entries[self._entries.get(key, 0) :]:
                self.event("Announce", partial(self._announce_entry, entry))
            self._entries[key] = len(history.entries)

    def _upload(self, detail: Mapping[str, Any]) -> None:
        self.event("RegisterModel", partial(self.registrar.look_again, detail["object"]["key"]))

    def _reconcile(self, detail: Mapping[str, Any]) -> None:
        named = {"ModelPackageArn": package_named(detail), **detail}
        self.event("ApplyDecision", partial(self.reconciler.reconcile, named))

    def _deploy(self, detail: Mapping[str, Any]) -> None:
        act = partial(self.deployer.retire, detail[DELETED]) if DELETED in detail else None
        self.event("CreateModel", act or partial(self.deployer.converge, package_named(detail)))

    def _announce_entry(self, entry: Entry) -> None:
        outlets = self.interruptions.wrap(self.outlets)
        found = announcements(entry)
        outlets.put(found)
        for notification in notifications(entry):
            outlets.publish(notification)
        for event in found:
            self.own_event(event)

    def _sweep(self) -> None:
        """What functions/sweep.py does."""
        self.moved = {"problem": 1}
        moved = self.sweeper.run(GRACE).moved
        self.moved = {what: count for what, count in moved.items() if count}
        self.helped["sweep"] += sum(moved.values()) - moved["problem"]

    # The workflow, with the retriers and catchers of its definition

    def _execute(self, execution: str, started: Mapping[str, Any]) -> None:
        for _ in self.steps(execution, started):
            pass

    def steps(self, execution: str, started: Mapping[str, Any]) -> Iterator[None]:
        """Run an execution, and stop between its steps. One into which `Aborted` is thrown ends there."""
        try:
            self.executions.statuses[execution] = yield from self._outcome(execution, started)
        except Aborted:
            self.executions.statuses[execution] = "ABORTED"
        except TaskFailed:
            self.executions.statuses[execution] = "FAILED"

    def _outcome(self, execution: str, started: Mapping[str, Any]) -> Generator[None, None, str]:
        arn = started["detail"]["ModelPackageArn"]
        request = ValidationRequest(arn, execution, started.get("revalidate"))
        try:
            claim = self._task("OpenValidation", lambda: self.opener.open(request))
        except TaskFailed as failed:
            self._task("RecordUnopened", partial(self.recorder.record_unopened, arn, execution, failed.output))
            return "FAILED"
        if claim["outcome"] != "Claimed":
            return "SUCCEEDED"
        if self.stopping:
            self.stopping = False
            raise Aborted
        yield
        try:
            inspected = []
            for artifact in claim["artifacts"]:
                kept = self._task("KeepArtifact", partial(self.keeper.keep, claim, artifact))
                yield
                inspected.append({"kept": kept, "found": self._found_by_task(claim, kept)})
                yield
            verdict = self._task("RecordEvidence", lambda: self.recorder.record(claim, inspected))["verdict"]
        except TaskFailed as failed:
            self._task("RecordError", partial(self.recorder.record_error, claim, failed.output))
            return "FAILED"
        return "FAILED" if verdict == "errored" else "SUCCEEDED"

    def _found_by_task(self, claim: Mapping[str, Any], kept: Mapping[str, Any]) -> Any:
        if kept["kind"] == DOCUMENT:
            return self.found(claim, kept)
        return self._task("InspectArtifact", lambda: self.inspector.inspect(claim, kept))

    def _task(self, state: str, act: Callable[[], Any]) -> Any:
        left = [retrier["MaxAttempts"] for retrier in STATES[state]["Retry"]]
        while True:
            self.interruptions.workflow = True
            try:
                return self._invoke(FUNCTIONS.get(state, state), act)
            except (Exception, Died) as error:
                name = error_name(error)
                which = self._retrier(state, name)
                if which is None or not left[which]:
                    raise TaskFailed(name, str(error)) from error
                left[which] -= 1
                self.helped["workflow"] += 1
                self.clock.now += timedelta(seconds=STATES[state]["Retry"][which]["IntervalSeconds"])
            finally:
                self.interruptions.workflow = False

    def _retrier(self, state: str, name: str) -> int | None:
        found = (i for i, retrier in enumerate(STATES[state]["Retry"]) if name in retrier["ErrorEquals"])
        return next(found, None)


def error_name(error: BaseException) -> str:
    """Return the name by which Step Functions knows what a function raised, or how it died."""
    if isinstance(error, InvocationFailed):
        return str(error)
    if isinstance(error, Died):
        return "Runtime.ExitError"
    if isinstance(error, (ClientError, BotoCoreError)) and transient(error):
        return "Transient"
    return type(error).__name__
