"""Whether a package has moved on since a decision about it was signed: then the decision is refused, whenever it comes.

A proof can be used for 15 minutes, and whoever carries a decision can keep it for that long: until a revocation, a
re-opening or a group made anew, of which its signer knew nothing, lets it do what nobody meant.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from signoff.documents import timestamps
from signoff.identity.proofs import SKEW
from signoff.ledger.entries import Kind
from signoff.ledger.state import Moved, State


def outrun(state: State, signed: str | None, standing: str | None, evidence: str | None, *, admits: bool) -> str | None:
    """Return why a decision is older than the package's status, or None when its signer knew of it.

    `signed` is when it was signed by its proof (None: it has none), `standing` the hash of the entry by which the
    signer says that the package got its status, `evidence` the present one if the decision names it, and `admits`
    whether it brings a model closer to production. Evidence cannot be named before it exists. Otherwise time decides:
    signers' clocks may differ by `SKEW`, which counts against what admits, and in favour of what does not.
    """
    moved = state.moved
    if moved is None or (signed is None and standing is None):
        return None
    if standing is not None:
        return None if standing == moved.hash else f"it was signed for another status than {_status(state, moved)}"
    if evidence is not None and moved.kind is Kind.EVIDENCE_RECORDED:
        return None
    earliest = timestamps.parse(moved.time) + (SKEW if admits else -SKEW)
    known = max(earliest, timestamps.parse(state.registered or moved.time))
    if not signed_before(signed, known):
        return None
    after = f", which has to be after {timestamps.text(known)}" if admits else ""
    return f"it was signed at {signed}{after}, and does not say that it knows of {_status(state, moved)}"


def signed_before(signed: str | None, moment: datetime) -> bool:
    """Return whether a statement was signed before `moment`: nothing that was is about a package registered then.

    Without a proof (`signed` is None) nobody knows when it was made. A signature has whole seconds.
    """
    return signed is not None and timestamps.parse(signed) + timedelta(seconds=1) <= moment


def _status(state: State, moved: Moved) -> str:
    return f"{state.status} since {moved.time} (`standing` {moved.hash})"
