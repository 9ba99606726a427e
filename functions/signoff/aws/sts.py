"""Verifies who signed a statement, with AWS STS."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.utils import get_environ_proxies

from signoff.aws.clients import transient
from signoff.documents.patterns import compiled_on_use
from signoff.documents.timestamps import Clock
from signoff.errors import ProofRefused, Transient
from signoff.identity import proofs
from signoff.identity.proofs import Claim, Signer

Send = Callable[[str, Mapping[str, str]], tuple[int, bytes]]

_OPERATION = "GetCallerIdentity"
_CONNECT_SECONDS, _READ_SECONDS = 5, 10
_ARN = compiled_on_use(r"arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[\x21-\x7e]+")
_USER_ID = compiled_on_use(r"[\x21-\x7e]{1,256}")
_CODE = compiled_on_use(r"[A-Za-z][A-Za-z.]{0,63}")
# Loggers that write a request's URL, or an error that contains it, at level DEBUG.
_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "botocore.httpsession")


class IdentityVerifier:
    """Verifies the proofs of statements for one audience, with one STS endpoint."""

    def __init__(self, endpoint: str, region: str, audience: str, now: Clock, send: Send | None = None) -> None:
        """Take the endpoint's URL and region, the audience (an ARN) of statements, and the clock.

        `send` takes URL and headers of a GET request and returns status and body; by default over the network.
        """
        self._endpoint = endpoint
        self._region = region
        self._audience = audience
        self._now = now
        self._send = send or sender(endpoint)

    @classmethod
    def of(cls, sts: Any, audience: str, now: Clock) -> IdentityVerifier:
        """Return the verifier for the endpoint of a boto3 client of STS."""
        return cls(sts.meta.endpoint_url, sts.meta.region_name, audience, now)

    def read(self, statement: Mapping[str, Any], kind: str) -> Claim:
        """Return what the proof of `statement` claims, without asking STS. Raises `ProofRefused`."""
        where = {"audience": self._audience, "endpoint": self._endpoint, "region": self._region}
        return proofs.read(statement, kind=kind, **where)

    def confirm(self, claim: Claim) -> Signer:
        """Return the claim's signer, as returned by STS.

        Raises `ProofRefused` when the claim is too old or STS does not confirm it, and `Transient` when STS gave no
        usable answer. Neither contains any part of the proof.
        """
        proofs.check_fresh(claim, self._now())
        status, body = self._asked(*proofs.rebuilt(claim, self._endpoint))
        if 300 <= status < 400:
            raise ProofRefused("NotProven", "STS answered with a redirect, which is not followed")
        answer = _answer(status, body)
        if status != 200:
            raise _refusal(status, answer)
        arn, user_id = answer.get("Arn"), answer.get("UserId")
        if not isinstance(arn, str) or not _ARN.fullmatch(arn):
            raise Transient("STS answered without the caller's ARN")
        if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
            raise Transient("STS answered without the caller's UserId")
        return Signer(arn, user_id)

    def _asked(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            return self._send(url, headers)
        except (BotoCoreError, OSError) as error:
            name = type(error).__name__
        # Raised here and not above: the library's error, which contains the URL, would become its context.
        raise Transient(f"STS could not be reached ({name})")


def sender(endpoint: str) -> Send:
    """Return a function that sends GET requests to `endpoint` as boto3 does (proxies, CA bundle), without redirects."""
    session = URLLib3Session(
        verify=os.environ.get("AWS_CA_BUNDLE") or True,
        proxies=get_environ_proxies(endpoint),
        timeout=(_CONNECT_SECONDS, _READ_SECONDS),
    )
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_without_proofs)

    def send(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        answer = session.send(AWSPreparedRequest("GET", url, dict(headers), None, False))
        return answer.status_code, answer.content

    return send


def _without_proofs(record: logging.LogRecord) -> bool:
    return record.exc_info is None and proofs.SIGNATURE not in record.getMessage()


def _answer(status: int, body: bytes) -> dict[str, Any]:
    answered = {"status_code": status, "headers": {}, "body": body}
    # botocore's parser raises a dozen kinds of errors for what is not an answer of STS.
    with suppress(Exception):
        answer: dict[str, Any] = create_parser("query").parse(answered, _shape())
        return answer
    raise Transient(f"STS gave an invalid answer (HTTP {status})")


def _refusal(status: int, answer: Mapping[str, Any]) -> ProofRefused | Transient:
    # Only the code is reported: STS's message about a signature quotes the request.
    error = answer.get("Error")
    code = error.get("Code") if isinstance(error, dict) else None
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return Transient(f"STS gave an error without a code (HTTP {status})")
    if transient(ClientError(dict(answer), _OPERATION)):
        return Transient(f"STS could not answer ({code})")
    use = "; sign what you send, with credentials of an IAM user or role that are valid now"
    return ProofRefused("NotProven", f"STS does not confirm the proof ({code}){use}")


@cache
def _shape() -> Any:
    model = ServiceModel(Loader().load_service_model("sts", "service-2"), "sts")
    return model.operation_model(_OPERATION).output_shape
