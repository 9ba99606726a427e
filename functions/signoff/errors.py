"""The errors that Signoff raises.

A message says what is wrong, where, and what to do. An error that AWS raises is translated in the adapter that called
AWS, so that nothing above the adapters knows botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from signoff.documents.faults import Fault


class SignoffError(Exception):
    """Base of every error below."""


class MissingSetting(SignoffError):
    """Raised when a function's environment lacks a variable it needs."""


class ManifestRefused(SignoffError):
    """Raised when a submission cannot be registered; `faults` lists every reason by its path.

    They are in the manifest, or in the file that `about` names; `policy` names the policy that it was judged by, if
    that was found.
    """

    def __init__(self, faults: Sequence[Fault], about: str = "manifest.json", policy: str | None = None) -> None:
        self.faults = tuple(faults)
        self.about = about
        self.policy = policy
        super().__init__("; ".join(f"{fault.path or 'manifest'}: {fault.message}" for fault in faults))

    def under(self, policy: str) -> ManifestRefused:
        """Return the same refusal, of a submission that is judged by the policy of that name."""
        return ManifestRefused(self.faults, self.about, policy)


class ReportOvertaken(SignoffError):
    """Raised when others keep writing the report that is to be written; the next try looks at it again."""


class PolicyFault(SignoffError):
    """Raised when a policy cannot be read: not JSON, an unknown field, a value of the wrong type, or missing."""


class EventFault(SignoffError):
    """Raised when an event is malformed or lacks a required field; `event` is what can be read of it."""

    def __init__(self, message: str, event: Mapping[str, Any] | None = None) -> None:
        self.event = event or {}
        super().__init__(message)


class LedgerConflict(SignoffError):
    """Raised when another writer appended to the same ledger first; read again and decide again."""


class LedgerBroken(SignoffError):
    """Raised when a ledger's hash chain is broken: an entry was changed or removed."""


class ProofRefused(SignoffError):
    """Raised when the proof of a statement is refused; `name` is the rule, `reason` says what to do."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


class UnknownPackage(SignoffError):
    """Raised when SageMaker's registry has no model package of that ARN."""


class RegistryRefused(SignoffError):
    """Raised when SageMaker refuses a request as invalid (ValidationException): a retry would not help."""


class ModelDiffers(SignoffError):
    """Raised when a model of that name exists and does not match what was signed."""


class ApprovalUnwitnessed(SignoffError):
    """Raised when a vote or decision is in a ledger that the function which decides did not write there."""


class TargetFault(SignoffError):
    """Raised when a model cannot be created or deleted in a policy's target; a retry would not help."""


class VaultConflict(SignoffError):
    """Raised when a key of the vault already holds something else."""


class DocumentMissing(SignoffError):
    """Raised when a document that an entry names is missing from the vault or does not match its digest."""


class ObjectMissing(SignoffError):
    """Raised when an S3 object does not exist (any more) or cannot be read."""


class ScanPending(SignoffError):
    """Raised while ECR has not finished scanning or signing an image; the workflow asks again minutes later."""


class ScanMissing(SignoffError):
    """Raised when ECR cannot say what is in an image, or who signed it, and waiting would not help."""


class TooManyArtifacts(SignoffError):
    """Raised when a package has more artifacts than can be validated at once; a retry would not help."""


class TakesTooLong(SignoffError):
    """Raised when the function has no time to inspect an artifact; a build takes over."""


class JobRunning(SignoffError):
    """Raised when a transform job has not ended although the workflow goes on; it looks again."""


class AnnouncementFailed(SignoffError):
    """Raised when EventBridge accepted only some of the events."""


class BaselineRefused(SignoffError):
    """Raised when a stack may not deploy a group's baseline, or describes its model wrongly."""


class Transient(SignoffError):
    """Raised when AWS throttled a call, failed or dropped the connection: a retry may succeed."""
