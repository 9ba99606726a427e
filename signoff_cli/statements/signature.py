"""Statements, and the proof of who makes them: an STS GetCallerIdentity that is signed and not sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from signoff.documents.timestamps import Clock, text
from signoff.identity import proofs
from signoff.runtime.clock import utc_now
from signoff_cli.errors import CommandFailed, explain


def sign_statement(
    statement: dict[str, Any], credentials: Any, endpoint: str, region: str, now: datetime
) -> dict[str, Any]:
    """Return `statement` with `proof`, and with `time` if it had none; docs/proof.md says what is signed.

    `credentials` are botocore's frozen ones; `endpoint` (scheme and host) and `region` are those of the STS that the
    statement's reader asks; `now` is aware. The proof can be used for 15 minutes. Raises `ProofRefused` for a
    statement that has no canonical JSON.
    """
    whole = {"time": text(now), **statement}
    whole.pop("proof", None)
    url = f"{endpoint.rstrip('/')}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={proofs.HEADER: proofs.statement_digest(whole)})
    _SignedAt(now, credentials, region).add_auth(request)
    return {**whole, "proof": request.url}


def sign_as_caller(statement: dict[str, Any], region: str, now: Clock = utc_now) -> dict[str, Any]:
    """Return `statement` signed with the credentials that boto3 would take, for the STS of `region`.

    Raises `CommandFailed` when there are no credentials, or none that can sign.
    """
    session, credentials = _signing()
    # Signoff asks the STS of its region, whatever a profile of former years says (`sts_regional_endpoints = legacy`).
    session.set_config_variable("sts_regional_endpoints", "regional")
    endpoint = session.create_client("sts", region_name=region).meta.endpoint_url
    return sign_statement(statement, credentials, endpoint, region, now())


def require_credentials() -> None:
    """Raise `CommandFailed` when nothing can be signed with the credentials at hand, before anything is done."""
    _signing()


def _signing() -> tuple[Session, Any]:
    session = Session()
    found = session.get_credentials()
    if found is None:
        raise CommandFailed(explain(NoCredentialsError()))
    credentials = found.get_frozen_credentials()
    if not proofs.can_sign(credentials.access_key):
        raise CommandFailed(
            "these credentials cannot sign: their access key id is not one that AWS issues to users and roles of IAM. "
            "Set AWS_PROFILE, or the access key of an IAM user or of a role's session; on the local engine use "
            '`eval "$(signoff local env --as submitter)"`, or another of its users'
        )
    return session, credentials


def id_of(statement: Mapping[str, Any]) -> str:
    """Return the id by which the ledger names a signed statement: the hash of what was signed."""
    there = urlsplit(statement["proof"])
    endpoint, region = f"{there.scheme}://{there.netloc}", statement["audience"].split(":")[3]
    kind, audience = statement["statement"], statement["audience"]
    return proofs.read(statement, kind=kind, audience=audience, endpoint=endpoint, region=region).id


class _SignedAt(SigV4QueryAuth):  # type: ignore[misc]
    """botocore's own signing, at a given time and not at the present one."""

    def __init__(self, now: datetime, credentials: Any, region: str) -> None:
        super().__init__(credentials, "sts", region, expires=int(proofs.LONGEST.total_seconds()))
        self._timestamp = now.astimezone(UTC).strftime(SIGV4_TIMESTAMP)

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context["timestamp"] = self._timestamp
        super()._modify_request_before_signing(request)
