"""The result of a submission: its registration report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from signoff.errors import ObjectMissing
from signoff.submission.layout import REPORT, Submission
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.s3 import Bucket
    from signoff_cli.packages.progress import Deadline

Report = dict[str, Any]


class RegistrationRefused(CommandFailed):
    """Raised when a submission was refused; the message lists every fault by its path."""

    def __init__(self, submission: Submission, report: Report) -> None:
        self.report = report
        faults = [f"  {fault['path'] or 'manifest'}: {fault['message']}" for fault in report["faults"]]
        super().__init__("\n".join([f"Signoff refused the submission {submission.prefix}:", *faults]))


def read_report(bucket: Bucket, submission: Submission) -> Report | None:
    """Return the report that Signoff has written about a submission, or None while there is none."""
    try:
        stored = bucket.current(submission.key(REPORT))
        report: Report | None = json.loads(bucket.read(stored)) if stored else None
    except ObjectMissing:
        # S3 also says "forbidden" of an absent object to those who may not list the bucket.
        return None
    return report


def wait_for_registration(read: Callable[[], Report | None], submission: Submission, deadline: Deadline) -> str:
    """Wait for the registration of a submission and return its package's ARN.

    Raises `RegistrationRefused` when it was refused, and `TimedOut` when there is no report in time.
    """
    while True:
        report = read()
        if report is not None:
            break
        deadline.pause(
            f"timed out waiting for the registration of the submission {submission.prefix}; its report will be "
            f"{submission.key(REPORT)} in the artifacts bucket. If there is none in 15 minutes, check the alarms and "
            "the dead-letter queue of registrations"
        )
    if report["outcome"] == "refused":
        raise RegistrationRefused(submission, report)
    return str(report["package"])


def refused_document(submission: Submission, report: Report) -> dict[str, Any]:
    """Return the document, with the fields of `show --json`, of a submission that became no package."""
    return {
        "package": None,
        "group": submission.group,
        "version": None,
        "status": None,
        "submitter": None,
        "checks": [],
        "evidence": None,
        "decisions": [],
        "model": None,
        "elsewhere": {},
        "ledger": [],
        **submission_fields(submission, report),
    }


def submission_fields(submission: Submission, report: Report | None) -> dict[str, Any]:
    """Return what `submit --json` says beside what `show --json` does: the submission's prefix and its report."""
    return {"submission": submission.prefix, "registration_report": report}
