"""The proof of who signed a statement: a query-signed STS GetCallerIdentity whose signature covers the statement too.

A proof is a URL that its signer never sends. It is parsed strictly, and only the parts of the signature are taken from
it: the request to STS is built anew, for the configured endpoint, with the digest of the statement. So the signature of
a proof for another statement, endpoint or header does not match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from rfc8785 import CanonicalizationError

from signoff.documents import timestamps
from signoff.documents.canonical_json import digest
from signoff.documents.patterns import compiled_on_use
from signoff.errors import ProofRefused

HEADER = "x-signoff-digest"
LONGEST = timedelta(minutes=15)
SKEW = timedelta(minutes=5)
SIGNATURE = "X-Amz-Signature"

_LONGEST_SECONDS = int(LONGEST.total_seconds())
_CHARACTERS = 8192
_DATE = "%Y%m%dT%H%M%SZ"
_ACTION = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
_ALGORITHM, _SIGNED_HEADERS = "AWS4-HMAC-SHA256", f"host;{HEADER}"
_TOKEN = "X-Amz-Security-Token"  # noqa: S105 - a parameter's name
# As AWS issues them. https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
_ACCESS_KEY_ID = r"[A-Z0-9]{16,128}"
# The pattern of each parameter. The credential's region and service are checked afterwards, with refusals of their own.
_PATTERNS = {
    "Action": r".*",
    "Version": r".*",
    "X-Amz-Algorithm": _ALGORITHM,
    "X-Amz-Credential": rf"{_ACCESS_KEY_ID}/2[0-9]{{7}}/[a-z0-9-]{{1,64}}/[a-z0-9-]{{1,64}}/aws4_request",
    "X-Amz-Date": r"2[0-9]{7}T[0-9]{6}Z",
    "X-Amz-Expires": r"[1-9][0-9]{0,8}",
    "X-Amz-SignedHeaders": r"[a-z0-9-]+(;[a-z0-9-]+)*",
    _TOKEN: r"[A-Za-z0-9+/=]+",
    SIGNATURE: r"[0-9a-f]{64}",
}
_WRITTEN = compiled_on_use(r"[\x21-\x7e]+")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A signature and its parameters, without the signer's secret."""

    access_key_id: str
    date: str
    region: str
    signed_at: datetime
    expires: int
    token: str | None = field(repr=False)
    signature: str = field(repr=False)

    @property
    def credential(self) -> str:
        """Return the access key id with the scope of the signature, as SigV4 writes them."""
        return f"{self.access_key_id}/{self.date}/{self.region}/sts/aws4_request"

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters that were signed, in the order in which SDKs write them."""
        token = {} if self.token is None else {_TOKEN: self.token}
        return {
            **_ACTION,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": self.credential,
            "X-Amz-Date": self.signed_at.strftime(_DATE),
            "X-Amz-Expires": str(self.expires),
            "X-Amz-SignedHeaders": _SIGNED_HEADERS,
            **token,
        }


@dataclass(frozen=True)
class Claim:
    """A proof and the digest of its statement: what STS is asked to confirm."""

    proof: Proof
    digest: str

    @property
    def id(self) -> str:
        """Return the SHA-256 of what was signed; the same for each signature over it."""
        return digest(self._signed)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the proof alone, which identifies it; the proof itself is never stored."""
        return digest({**self.proof.parameters, SIGNATURE: self.proof.signature})

    @property
    def _signed(self) -> dict[str, str]:
        return {**self.proof.parameters, HEADER: self.digest}


@dataclass(frozen=True)
class Signer:
    """Who signed, as STS says: their ARN, and the id that IAM gives to no other principal again (`UserId`).

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    """

    arn: str
    user_id: str


def can_sign(access_key_id: str) -> bool:
    """Return whether a proof with this access key id may be taken: only of a user or role of IAM, as AWS issues it."""
    return re.fullmatch(_ACCESS_KEY_ID, access_key_id) is not None


def statement_digest(statement: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal digits, of the canonical JSON (RFC 8785) of `statement` without its `proof`.

    Raises `ProofRefused` (MalformedProof) when it has no such form.
    """
    try:
        return digest({name: value for name, value in statement.items() if name != "proof"})
    except (CanonicalizationError, UnicodeError, RecursionError):
        pass
    raise _malformed("the statement has no canonical form (RFC 8785); sign plain text and numbers")


def read(statement: Mapping[str, Any], *, kind: str, audience: str, endpoint: str, region: str) -> Claim:
    """Return what the proof of `statement` claims; it is not confirmed yet.

    `kind` is the required kind of statement ("decision", ...), `audience` the required ARN of the bus, `endpoint` the
    URL (scheme and host) and `region` the region of the STS that it must be signed for. Raises
    `ProofRefused`, whose reason quotes nothing of the proof.
    """
    if statement.get("statement") != kind:
        raise ProofRefused("WrongStatement", f"the statement must say that it is a {kind} (`statement`)")
    if statement.get("audience") != audience:
        raise ProofRefused("WrongAudience", f"the statement's audience must be {audience}")
    proof = _parsed(_query(statement.get("proof"), endpoint.rstrip("/")), region)
    _check_time(statement.get("time"), proof)
    return Claim(proof, statement_digest(statement))


def check_fresh(claim: Claim, now: datetime) -> None:
    """Raise `ProofRefused` when a claim is too old at `now` (ProofExpired), or from the future (ProofNotYetValid).

    STS itself accepts a signature for 15 minutes, whatever its expiry.
    """
    age = now - claim.proof.signed_at
    allowed = min(LONGEST, timedelta(seconds=claim.proof.expires))
    signed = timestamps.text(claim.proof.signed_at)
    if age > allowed:
        raise ProofRefused(
            "ProofExpired",
            f"it was signed at {signed} and was valid for {int(allowed.total_seconds())} seconds; sign again",
        )
    if age < -SKEW:
        raise ProofRefused("ProofNotYetValid", f"it is dated {signed}, in the future; correct the signer's clock")


def rebuilt(claim: Claim, endpoint: str) -> tuple[str, dict[str, str]]:
    """Return URL and headers of our own GET request; the proof's signature only matches the same request."""
    endpoint = endpoint.rstrip("/")
    parameters = {**claim.proof.parameters, SIGNATURE: claim.proof.signature}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return f"{endpoint}/?{query}", {"host": urlsplit(endpoint).netloc, HEADER: claim.digest}


def _query(written: Any, endpoint: str) -> str:
    """Return the query of a proof. Its start is compared as text, because URL parsers may disagree about the host."""
    if not isinstance(written, str) or len(written) > _CHARACTERS or not _WRITTEN.fullmatch(written):
        raise _malformed(f"`proof` must be a URL of at most {_CHARACTERS} characters, percent-encoded")
    rest = written.removeprefix(endpoint)
    if rest == written or not rest.startswith(("/", "?")) or "#" in rest:
        raise ProofRefused("WrongHost", f"it must be signed for {endpoint}/")
    path, _, query = rest.partition("?")
    if path != "/":
        raise ProofRefused("WrongAction", "it must be signed for the path /")
    return query


def _parsed(query: str, region: str) -> Proof:
    found = _parameters(query)
    if {name: found[name] for name in _ACTION} != _ACTION:
        raise ProofRefused("WrongAction", "it must be a request for GetCallerIdentity, version 2011-06-15")
    headers = found["X-Amz-SignedHeaders"]
    if HEADER not in headers.split(";"):
        raise ProofRefused("UnsignedDigest", f"the header {HEADER} must be signed")
    if headers != _SIGNED_HEADERS:
        raise _malformed(f"the signed headers must be {_SIGNED_HEADERS}")
    key, day, scope, service, _ = found["X-Amz-Credential"].split("/")
    if service != "sts":
        raise ProofRefused("WrongAction", "it must be signed for the service sts")
    if scope != region:
        raise ProofRefused("WrongRegion", f"it must be signed for the region {region}")
    return Proof(
        access_key_id=key,
        date=day,
        region=scope,
        signed_at=_signed_at(found["X-Amz-Date"], day),
        expires=_expires(found["X-Amz-Expires"]),
        token=found.get(_TOKEN),
        signature=found[SIGNATURE],
    )


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, written = pair.partition("=")
        value = unquote(written)
        if name not in _PATTERNS:
            raise _malformed(f"it must have these parameters and no others: {', '.join(_PATTERNS)}")
        if name in found:
            raise _malformed(f"it has the parameter {name} twice")
        # SigV4 has one encoding of a value; any other could be interpreted differently.
        if quote(value, safe="") != written or not re.fullmatch(_PATTERNS[name], value):
            use = "; sign with the access key of an IAM user or of a role's session" if "Credential" in name else ""
            raise _malformed(f"{name} is not encoded as SigV4 requires{use}")
        found[name] = value
    missing = _PATTERNS.keys() - {_TOKEN} - found.keys()
    if missing:
        raise _malformed(f"it lacks {', '.join(sorted(missing))}")
    return found


def _signed_at(written: str, day: str) -> datetime:
    try:
        signed_at = datetime.strptime(written, _DATE).replace(tzinfo=UTC)
    except ValueError:
        signed_at = None
    if signed_at is None or written[:8] != day:
        raise _malformed("X-Amz-Date must be a time on the day that X-Amz-Credential names")
    return signed_at


def _expires(written: str) -> int:
    if int(written) > _LONGEST_SECONDS:
        raise ProofRefused("ProofExpired", f"X-Amz-Expires may be at most {_LONGEST_SECONDS} seconds; sign again")
    return int(written)


def _check_time(written: Any, proof: Proof) -> None:
    try:
        stated = timestamps.parse(written) if isinstance(written, str) else None
    except ValueError:
        stated = None
    if stated is None or stated.tzinfo is None or abs(stated - proof.signed_at) > SKEW:
        minutes = int(SKEW.total_seconds() // 60)
        raise _malformed(f"`time` must be an ISO 8601 time with offset, within {minutes} minutes of the signature")


def _malformed(reason: str) -> ProofRefused:
    return ProofRefused("MalformedProof", reason)
