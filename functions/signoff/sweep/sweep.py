"""The sweep: events may get lost, so it moves on whatever is stuck and reports problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, groupby, islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signoff.approval.deadlines import due
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry
from signoff.aws.sqs import DELETED, REGISTRY_EVENT, UPLOAD_EVENT, Queue
from signoff.aws.ssm import Policies
from signoff.aws.step_functions import Executions
from signoff.aws.submissions_table import SubmissionsTable
from signoff.aws.vault import Vault
from signoff.deployment.champions import Champions
from signoff.deployment.succession import Succession
from signoff.documents import timestamps
from signoff.documents.timestamps import Clock
from signoff.errors import SignoffError, UnknownPackage
from signoff.ledger import attempts
from signoff.ledger.entries import Draft, Kind, Status, Step
from signoff.ledger.history import History, package_key
from signoff.model_package.batch_summary import differs, its_turn
from signoff.policy.policy import Policy
from signoff.runtime.observability import logger
from signoff.submission.layout import REPORT, Submission
from signoff.sweep.image_watch import ImageWatch
from signoff.sweep.temporary_models import TemporaryModels
from signoff.validation.staleness import changed_since_evidence

# What was found and how to move it on; an act that returns False had nothing to do.
Overdue = Iterator[tuple[str, Callable[[], Any]]]
_SIGNED = (Status.PENDING_APPROVAL, Status.APPROVED)  # those with evidence to decide on, or decided on
# Packages that may still be decided on, deployed or retired; others need not be looked up.
_LIVE = (Status.VALIDATING, Status.VALIDATION_ERRORED, Status.PENDING_APPROVAL, Status.APPROVED)
_CHUNK = 100  # packages of one batch
_CLOCKS = timedelta(minutes=1)  # tolerated difference between SageMaker's clock and ours


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Finds what is overdue. `queues` are those of registrations, decisions and deployments."""

    registry: Registry
    policies: Policies
    ledger: LedgerTable
    submissions: SubmissionsTable
    vault: Vault
    inbox: Bucket
    executions: Executions
    queues: Mapping[str, Queue]
    now: Clock
    champions: Champions
    images: ImageWatch
    temporary: TemporaryModels

    @property
    def _succession(self) -> Succession:
        return Succession(self.ledger, self.champions)

    def run(self, grace: timedelta) -> Counter[str]:
        """Move on whatever has been waiting for longer than `grace`, and return the counts by what was moved.

        What fails is logged and counted as a `problem`, and does not block the rest.
        """
        before = self.now() - grace
        moved: Counter[str] = Counter()
        governed: dict[str, Policy] = {}
        with _reported("groups", moved):
            for group, tags in self.registry.groups():
                self._move_on(partial(self._overdue_in_group, group, tags, governed), before, moved)
        # Before the steps: deleted packages have none.
        self._move_on(partial(self._overdue_live, governed), before, moved)
        for step in Step:
            self._move_on(partial(self._overdue_packages, step), before, moved)
        self._move_on(self._overdue_submissions, before, moved)
        self._move_on(lambda _: self.temporary.left(self.now()), before, moved)
        return moved

    def _move_on(self, search: Callable[[datetime], Overdue], before: datetime, moved: Counter[str]) -> None:
        with _reported("search", moved):
            for what, act in search(before):
                with _reported(what, moved):
                    if act() is not False:
                        moved[what] += 1

    def oldest_validating(self) -> float:
        """Return the age in seconds of the oldest running validation; 0 when there is none."""
        rows = chain.from_iterable(map(self.ledger.rows_by_step, (Step.VALIDATE, Step.FINISH_VALIDATION)))
        ages = ((self.now() - timestamps.parse(row["since"])).total_seconds() for row in rows)
        return max(ages, default=0.0)

    def _overdue_packages(self, step: Step, before: datetime) -> Overdue:
        acts: dict[Step, Callable[[dict[str, Any]], Any]] = {
            Step.VALIDATE: lambda row: self.executions.start(row["arn"]),
            Step.FINISH_VALIDATION: self._finish,
            Step.UPDATE_REGISTRY: lambda row: self._nudge("decisions", row["arn"]),
            Step.CREATE_MODEL: lambda row: self._nudge("deployments", row["arn"]),
            Step.RETIRE_MODEL: self._retire,
        }
        for row in self.ledger.rows_by_step(step):
            if row["since"] <= timestamps.text(before):
                yield str(step), partial(acts[step], row)

    def _finish(self, row: Mapping[str, Any]) -> None:
        """Release the claim of an execution that died without recording a result."""
        execution = self.ledger.history(row["package"]).verified().state.execution or ""
        status = self.executions.status(execution)
        if status in {"RUNNING", "PENDING_REDRIVE"}:
            return

        def died(history: History) -> list[Draft]:
            state = history.state
            if not state.attempt_open or state.execution != execution:
                return []
            cause = f"its execution is {status} and recorded no result"
            details = {"attempt": state.attempt, "execution": execution, "error": "ExecutionDied", "cause": cause}
            return [Draft(Kind.VALIDATION_ERRORED, "signoff", {**details, **attempts.promise(state.errors)})]

        self.ledger.update(row["package"], died)

    def _overdue_in_group(
        self, group: str, tags: Mapping[str, str], governed: dict[str, Policy], before: datetime
    ) -> Overdue:
        governing = self.policies.governing(group, tags)
        if governing is None:
            return
        policy = governed[group] = governing.policy
        rows = {_second(row["package"]): _compared(row) for row in self.ledger.rows_by_group(group)}
        for summary in self.registry.packages(group):
            arn, created = summary["ModelPackageArn"], summary["CreationTime"]
            row = rows.get(_second(package_key(arn, created)))
            if row is None and created <= before:
                yield "never validated", partial(self.executions.start, arn)
            elif row and row["since"] <= timestamps.text(before) and _diverges(summary, row):
                yield "diverging status", partial(self._nudge, "decisions", arn)
            elif row and row.get("status") and row.get("enforced", True) != policy.enforced:
                yield "changed enforcement", partial(self._nudge, "decisions", arn)
        if policy.images.block_at and its_turn(f"images of {group}", self.now()):
            yield "image findings", partial(self.images.look, group, policy)
        yield "champion", partial(self.champions.repair, group, before)
        yield "succession", partial(self._succession.settle, group)

    def _overdue_live(self, governed: Mapping[str, Policy], before: datetime) -> Overdue:
        """Look up all live packages, a hundred with each call.

        Whether anything is really due is decided by the function that handles it, from the package's ledger.
        """
        rows = iter(self._live(timestamps.text(before)))
        while chunk := list(islice(rows, _CHUNK)):
            summaries, _ = self.registry.batch(row["arn"] for row in chunk)
            for row in chunk:
                summary = summaries.get(row["arn"])
                if summary is None or not _is_of(row, summary):
                    yield "deleted package", partial(self._answer_deletion, row)
                elif row["group"] in governed:
                    if self._may_have_changed(row, summary):
                        yield "changed specification", partial(self._answer_change, row)
                    if attempts.due(row["status"], row.get("next_attempt"), self.now()):
                        yield "next attempt", partial(self.executions.start, row["arn"])
                    if due(row, governed[row["group"]], self.now()):
                        yield "deadline", partial(self._nudge, "decisions", row["arn"])

    def _live(self, before: str) -> Iterator[dict[str, Any]]:
        waiting = (self.ledger.rows_by_step(step) for step in (Step.UPDATE_REGISTRY, Step.RETIRE_MODEL))
        standing = (self.ledger.rows_by_status(status) for status in _LIVE)
        seen: set[str] = set()
        for row in chain(*standing, *waiting):
            if row["package"] not in seen and row["since"] <= before and row["status"] != Status.DELETED:
                seen.add(row["package"])
                yield row

    def _may_have_changed(self, row: Mapping[str, Any], summary: Mapping[str, Any]) -> bool:
        if row["status"] not in _SIGNED or _diverges(summary, row):
            return False
        return differs(summary, row.get("specification")) or its_turn(row["package"], self.now())

    def _answer_deletion(self, row: Mapping[str, Any]) -> bool:
        """Record that a package was deleted, and have its model deleted. Returns whether it was."""
        gone = self._gone(row)
        if gone is None:
            return False
        draft = Draft(Kind.PACKAGE_DELETED, "signoff", {"because": gone})

        def deleted(history: History) -> list[Draft]:
            return [] if history.verified().state.status is Status.DELETED else [draft]

        state = self.ledger.update(row["package"], deleted).state
        if state.model or state.decision:
            self._retire({**row, "status": state.status})
        return True

    def _gone(self, row: Mapping[str, Any]) -> str | None:
        """Return why a package missing from the batch counts as deleted, or None when it exists."""
        try:
            described = self.registry.describe(row["arn"])
        except UnknownPackage as unknown:
            return str(unknown)
        return (
            None if _is_of(row, described) else "its group was deleted and created again: another package has its ARN"
        )

    def _retire(self, row: Mapping[str, Any]) -> None:
        deleted = {DELETED: row["package"]} if row["status"] == Status.DELETED else {}
        self.queues["deployments"].send(REGISTRY_EVENT, {"ModelPackageArn": row["arn"], **deleted})

    def _answer_change(self, row: Mapping[str, Any]) -> bool:
        """Have a package handled that no longer matches its evidence. Returns whether it was one."""
        try:
            described = self.registry.describe(row["arn"])
        except UnknownPackage:
            return False  # deleted since it was listed
        if described.get("LastModifiedTime", described["CreationTime"]) < timestamps.parse(row["since"]) - _CLOCKS:
            return False  # not modified since its last entry
        state = self.ledger.history(row["package"]).verified().state
        if not changed_since_evidence(state, described, self.vault):
            return False
        if row["status"] == Status.APPROVED:
            self._nudge("decisions", row["arn"])
        else:
            self.executions.start(row["arn"])
        return True

    def _overdue_submissions(self, before: datetime) -> Overdue:
        # S3 lists in the order of the keys, so that a submission's objects come together.
        for submission, listed in groupby(self.inbox.names(""), lambda each: Submission.of(each[0])):
            uploads = ((changed, key) for key, changed in listed if not key.endswith(f"/{REPORT}"))
            changed, key = max(uploads, default=(None, ""))
            if submission and changed and changed <= before and self._unfinished(submission, changed):
                yield "submission", partial(self._upload_again, key)

    def _unfinished(self, submission: Submission, changed: datetime) -> bool:
        known = self.submissions.get(submission.prefix)
        if known is None or known["state"] == "waiting":
            return True
        if known["state"] == "registering":
            return str(known["until"]) < timestamps.text(self.now())
        return bool(known["state"] == "refused") and timestamps.text(changed) > known["since"]

    def _upload_again(self, key: str) -> None:
        detail = {"bucket": {"name": self.inbox.name}, "object": {"key": key}}
        self.queues["registrations"].send(UPLOAD_EVENT, detail)

    def _nudge(self, queue: str, arn: str) -> None:
        self.queues[queue].send(REGISTRY_EVENT, {"ModelPackageArn": arn})


@contextmanager
def _reported(what: str, moved: Counter[str]) -> Iterator[None]:
    try:
        yield
    except (SignoffError, ClientError, BotoCoreError):
        logger().exception("could not be moved to its next step", extra={"what": what})
        moved["problem"] += 1


def _compared(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is compared of a row with SageMaker's list: a group may have more rows than memory has room for."""
    return {name: row[name] for name in ("since", "registry_status", "status", "enforced") if name in row}


def _second(key: str) -> str:
    """Return a ledger's key without fractions of a second, which not every answer of SageMaker has."""
    return key.rpartition(".")[0]


def _is_of(row: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    """Return whether a description, or a summary, is of this package and not of a newer one with its ARN."""
    return _second(package_key(row["arn"], described["CreationTime"])) == _second(row["package"])


def _diverges(summary: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return bool(summary["ModelApprovalStatus"] != row["registry_status"])
