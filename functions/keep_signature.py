"""KeepSignature: asks STS who signed a submission, and keeps the answer where no other function writes.

It has the upload of each submission.json from a queue of its own, which tries again before a proof expires; and
RegisterModel asks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff.aws.clients import client
from signoff.aws.s3 import Bucket
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.runtime.batches import each_event
from signoff.runtime.clock import utc_now
from signoff.runtime.events import text_in
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.submission.keep_signature import SignatureKeeper
from signoff.submission.signature import SignatureVerifier


@dataclass(frozen=True)
class Settings:
    """The settings of this function. `bus` is the bus's ARN, the audience of signatures."""

    artifacts_bucket: str
    vault_bucket: str
    bus: str


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle each upload of a batch; failed ones are reported to be retried.

    When called with a `statement`, return what is kept of its signature, or that it was `refused`, and `because` of
    what.
    """
    if "Records" in event:
        return each_event(event, _uploaded)
    about(str(event["statement"].get("submission")))
    kept = _keeper().keep(event["statement"])
    logger().info("signature", extra={"refused": kept.get("refused")})
    return kept


def _uploaded(event: dict[str, Any]) -> None:
    bucket, key = text_in(event, "detail", "bucket", "name"), text_in(event, "detail", "object", "key")
    about(key)
    if bucket == from_environment(Settings).artifacts_bucket:
        verifier = SignatureVerifier(Bucket(client("s3"), bucket), _keeper().keep)
        logger().info("signature", extra={"outcome": verifier.uploaded(key)})


@cache
def _keeper() -> SignatureKeeper:
    settings = from_environment(Settings)
    vault = Vault(Bucket(client("s3"), settings.vault_bucket))
    return SignatureKeeper(IdentityVerifier.of(client("sts"), settings.bus, utc_now), vault)
