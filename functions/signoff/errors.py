"""The one family of errors that Signoff raises on purpose.

A message says what is wrong, where, and what to do. An error that AWS raises is translated in the adapter that called
AWS, so that nothing above the adapters knows botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signoff.documents.faults import Fault


class SignoffError(Exception):
    """Base of every error below."""


class MissingSetting(SignoffError):
    """Raised when a function's environment lacks a variable it needs."""


class ManifestRefused(SignoffError):
    """Raised when a submission cannot be registered as it is; `faults` lists every reason by its path.

    They are those of the manifest, or of the file beside it that `about` names.
    """

    def __init__(self, faults: Sequence[Fault], about: str = "manifest.json") -> None:
        self.faults = tuple(faults)
        self.about = about
        super().__init__("; ".join(f"{fault.path or 'manifest'}: {fault.message}" for fault in faults))


class PolicyFault(SignoffError):
    """Raised when a policy cannot be read: not JSON, an unknown field, a value of the wrong kind, or gone."""


class EventFault(SignoffError):
    """Raised when an event lacks what its kind must carry."""


class LedgerConflict(SignoffError):
    """Raised when another writer appended to the same ledger first; read again and decide again."""


class LedgerBroken(SignoffError):
    """Raised when a ledger's entries do not follow from one another: somebody changed or removed one."""


class ProofRefused(SignoffError):
    """Raised when a proof of who signed a statement is not taken; `name` says which rule, `reason` what to do."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


class UnknownPackage(SignoffError):
    """Raised when SageMaker's registry has no model package of that ARN."""


class RegistryRefused(SignoffError):
    """Raised when SageMaker refuses a request for what it says (ValidationException): a retry would not help."""


class ModelDiffers(SignoffError):
    """Raised when a model of the deterministic name exists and is not the one that was signed."""


class TargetFault(SignoffError):
    """Raised when a model cannot be made or deleted in a place that its policy names; trying again does not mend it."""


class VaultConflict(SignoffError):
    """Raised when a key of the vault holds something else than what was to be put there."""


class DocumentMissing(SignoffError):
    """Raised when a document that an entry names is not in the vault, or is not what its digest says."""


class ObjectMissing(SignoffError):
    """Raised when an S3 object is not there (any more), or may not be read."""


class TakesTooLong(SignoffError):
    """Raised when an artifact will not be inspected in the time that the function has; somebody with more goes on."""


class AnnouncementFailed(SignoffError):
    """Raised when EventBridge took some of the events but not all."""


class BaselineRefused(SignoffError):
    """Raised when a stack may not deploy a group's baseline, or what it says of its model is not so."""


class Transient(SignoffError):
    """Raised when AWS throttled a call, failed itself or was cut off: the same may succeed a moment later."""
