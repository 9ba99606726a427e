"""What AWS does with events in the tests' world: delivers each where the rules send it, late, again or never."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from signoff.aws.sqs import DELETED
from signoff.errors import ScanPending, SignoffError
from signoff.model_package.artifacts import DOCUMENT
from signoff.model_package.batch_summary import its_turn
from signoff.notification.announcements import Event, announcements
from signoff.runtime.events import package_named
from signoff.validation.open_validation import ValidationRequest
from tests.support.interruptions import Died
from tests.support.size_limits import fits_state

GRACE = timedelta(minutes=5)
_SPECIFICATION_FIELDS = {"InferenceSpecification", "AdditionalInferenceSpecifications", "sourceUri"}


class Deliveries:
    """The part of `tests.support.world.World` that delivers."""

    def deliver(self) -> None:
        """Deliver what waits, and what comes of it, until nothing is left."""
        while self.step():
            pass

    def step(self, position: int = 0, *, keep: bool = False) -> bool:
        """Deliver one of the waiting events, and `keep` it to be delivered again. Returns whether there was one."""
        waiting = self.waiting()
        if not waiting:
            return False
        queue, index = waiting[position % len(waiting)]
        message = queue[index] if keep else queue.pop(index)
        if queue is self.registry.events:
            self.registry_event(message)
        elif queue is self.executions.started:
            self.execution(*message)
        elif queue is self.queues["registrations"].messages:
            self.registrar.look_again(message["detail"]["object"]["key"])
        elif queue is self.queues["decisions"].messages:
            self.reconciler.reconcile({"ModelPackageArn": package_named(message["detail"]), **message["detail"]})
        elif DELETED in message["detail"]:
            self.deployer.retire(message["detail"][DELETED])
        else:
            self.deployer.converge(package_named(message["detail"]))
        return True

    def die(self, position: int, call: int) -> None:
        """Deliver one of the waiting events to a function that dies before a call; it comes again later."""
        self.interruptions.arm(call)
        try:
            self.step(position, keep=True)
        except Died:
            pass
        finally:
            self.interruptions.arm(None)

    def lose(self, position: int) -> None:
        """Lose one of the waiting events."""
        waiting = self.waiting()
        if waiting:
            queue, index = waiting[position % len(waiting)]
            queue.pop(index)

    def waiting(self) -> list[tuple[list[Any], int]]:
        """Return every event that waits: the list it is in and its place there."""
        self._announce()
        queues = [self.registry.events, self.executions.started, *(queue.messages for queue in self.queues.values())]
        return [(queue, index) for queue in queues for index in range(len(queue))]

    def _announce(self) -> None:
        """Announce what the ledgers say since the last time."""
        for key, history in self.ledger.histories.items():
            for entry in history.entries[self._announced.get(key, 0) :]:
                for event in announcements(entry):
                    self.own_event(event)
            self._announced[key] = len(history.entries)

    def own_event(self, event: Event) -> None:
        """Send what Signoff announces where the rules send it: most of it nowhere here."""
        if event.type == "Decision Recorded" and event.detail.get("decision") == "rollback":
            self.queues["deployments"].send(event.type, event.detail)
        if event.type == "Model Superseded":
            self.queues["decisions"].send(event.type, event.detail)

    def registry_event(self, detail: Mapping[str, Any]) -> None:
        """Send a registry event where the rules send it."""
        updated, arn = detail.get("UpdatedModelPackageFields"), detail["ModelPackageArn"]
        if updated is None or _SPECIFICATION_FIELDS & set(updated):
            self.executions.start(arn)
        decided = updated is None and detail["ModelApprovalStatus"] != "PendingManualApproval"
        if decided or {"ModelApprovalStatus", *_SPECIFICATION_FIELDS} & set(updated or ()):
            for name in ("decisions", "deployments"):
                self.queues[name].send("SageMaker Model Package State Change", detail)

    def execution(self, execution: str, started: Mapping[str, Any]) -> str:
        """Run one execution of the workflow, as validation.asl.json says, and return its outcome or verdict."""
        self.executions.statuses[execution] = "SUCCEEDED"
        request = ValidationRequest(started["detail"]["ModelPackageArn"], execution, started.get("revalidate"))
        claim = fits_state(self.opener.open(request))
        if claim["outcome"] != "Claimed":
            return str(claim["outcome"])
        try:
            inspected = self.inspected(claim)
            return str(self._recorded(claim, inspected, self.measured(claim, inspected))["verdict"])
        except SignoffError as error:
            self.executions.statuses[execution] = "FAILED"
            recorded = self.recorder.record_error(claim, {"Error": type(error).__name__, "Cause": str(error)})
            return str(recorded["verdict"])

    def measured(self, claim: Mapping[str, Any], inspected: list[dict[str, Any]]) -> str | None:
        """Have a package measured where its policy asks for that, and return the digest of the measurement."""
        if not claim["measures"]:
            return None
        prepared = self.preparer.prepare(claim, inspected)
        ran = [self.jobs.run(job) for job in prepared["jobs"]]
        return str(self.measurer.measure(claim, prepared, ran)["sha256"])

    def _recorded(
        self, claim: Mapping[str, Any], inspected: list[dict[str, Any]], measured: str | None
    ) -> dict[str, Any]:
        """Record the evidence, and again after some minutes as long as the scan of an image is not finished."""
        while True:
            try:
                return dict(self.recorder.record(claim, inspected, measured))
            except ScanPending:
                self.clock.forward(minutes=2)

    def inspected(self, claim: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return of each artifact what is kept of it and what is found in it, as the workflow hands it on."""
        kept = [self.keeper.keep(claim, artifact) for artifact in claim["artifacts"]]
        inspected = [{"kept": each, "found": self.found(claim, each)} for each in kept]
        fits_state(inspected)
        return inspected

    def found(self, claim: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is found in an artifact: nothing in a document, which is not inspected."""
        if kept["kind"] == DOCUMENT:
            return {"sha256": kept["sha256"], "refusals": [], "refusal_count": 0}
        return dict(self.inspector.inspect(claim, kept))

    def validate(self, arn: str, **revalidate: str) -> str:
        """Start an execution for a package and run it."""
        execution = self.executions.start(arn, revalidate or None)
        started = next(each for each in self.executions.started if each[0] == execution)
        self.executions.started.remove(started)
        return self.execution(*started)

    def sweep(self, **waited: float) -> dict[str, int]:
        """Let time pass, 20 minutes unless told, sweep, and deliver what the sweep set going."""
        self.clock.forward(**(waited or {"minutes": 20}))
        moved = dict(self.sweeper.run(GRACE).moved)
        self.deliver()
        return moved

    def sweep_images(self, group: str = "churn") -> dict[str, int]:
        """Let time pass until the images of a group are looked at, once a day, sweep, and deliver."""
        self.clock.forward(minutes=20)
        while not its_turn(f"images of {group}", self.clock()):
            self.clock.forward(minutes=15)
        return self.sweep(minutes=0)
