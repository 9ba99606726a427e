"""AWS STS in memory: GetCallerIdentity for query-signed requests, with real signatures."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials

from signoff_cli.statements.signature import sign_statement
from tests.support.clock import Clock

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_LONGEST, _SKEW = timedelta(minutes=15), timedelta(minutes=5)


class FakeSts:
    """Knows whoever asked it for keys, and answers by the signature: made with those keys, for this request, lately."""

    def __init__(self, clock: Clock, region: str = "us-east-1", endpoint: str | None = None) -> None:
        self.clock = clock
        self.region = region
        self.endpoint = endpoint or f"https://sts.{region}.amazonaws.com"
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.expired: set[str] = set()
        self._people: dict[str, tuple[str, ReadOnlyCredentials]] = {}
        self._ids: dict[str, str] = {}

    def credentials(self, arn: str) -> ReadOnlyCredentials:
        """Return a person's keys, with a session token for all but IAM users; the same ones each time."""
        seed = hashlib.sha256(arn.encode()).digest()
        lasting = ":user/" in arn and ":iam:" in arn
        key = ("AKIA" if lasting else "ASIA") + base64.b32encode(seed)[:16].decode()
        token = None if lasting else base64.b64encode(b"/+" + seed * 8).decode()
        made = ReadOnlyCredentials(key, base64.b64encode(seed).decode()[:40], token)
        self._people[key] = (arn, made)
        return made

    def signed(self, statement: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Return `statement` with its proof, signed by the person `by` (an ARN) now."""
        return sign_statement(dict(statement), self.credentials(by), self.endpoint, self.region, self.clock())

    def identify(self, arn: str, user_id: str) -> None:
        """Let whoever has that ARN now have that id of IAM's: a renamed user keeps it, one made anew has another."""
        self._ids[arn] = user_id

    def expire(self, arn: str) -> None:
        """Let a person's session end."""
        self.expired.add(arn)

    def send(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Answer a GET request as STS does."""
        self.requests.append((url, dict(headers)))
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}
        key = query.get("X-Amz-Credential", "").split("/")[0]
        arn, keys = self._people.get(key, ("", None))
        if keys is None or query.get("X-Amz-Security-Token") != keys.token:
            return _error("InvalidClientTokenId", "The security token included in the request is invalid.")
        if arn in self.expired:
            return _error("ExpiredToken", "The security token included in the request is expired")
        if not self._lately(query["X-Amz-Date"]):
            return _error("SignatureDoesNotMatch", f"Signature expired: {query['X-Amz-Date']} is now earlier than ...")
        if not hmac.compare_digest(self._signature(url, headers, query, keys), query["X-Amz-Signature"]):
            return _error("SignatureDoesNotMatch", f"The request signature we calculated is another. {url}")
        return 200, _identity(arn, self._ids.get(arn) or _user_id(arn, key))

    def _lately(self, written: str) -> bool:
        # As STS does: a quarter of an hour, whatever X-Amz-Expires says.
        signed_at = datetime.strptime(written, SIGV4_TIMESTAMP).replace(tzinfo=UTC)
        return -_SKEW <= self.clock() - signed_at <= _LONGEST

    def _signature(self, url: str, headers: Mapping[str, str], query: Mapping[str, str], keys: Any) -> str:
        """Sign what came, but its signature, as its sender ought to have: by STS's own service and region."""
        named = query["X-Amz-SignedHeaders"].split(";")
        given = {name.lower(): value for name, value in headers.items()}
        unsigned = "&".join(part for part in url.split("&") if not part.startswith("X-Amz-Signature="))
        request = AWSRequest("GET", unsigned, headers={name: given.get(name, "") for name in named})
        request.context["timestamp"] = query["X-Amz-Date"]
        signer = SigV4QueryAuth(Credentials(keys.access_key, keys.secret_key), "sts", self.region)
        return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


def _user_id(arn: str, key: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable"""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    account = arn.split(":")[4]
    role, _, session = name.partition("/")
    unique = {
        "user": f"AIDA{key[4:]}",
        "assumed-role": f"AROA{hashlib.sha256(role.encode()).hexdigest()[:16].upper()}:{session}",
        "federated-user": f"{account}:{name}",
    }
    return unique.get(kind, account)


def _identity(arn: str, user_id: str) -> bytes:
    return (
        f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}">\n  <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n'
        f"    <UserId>{user_id}</UserId>\n    <Account>{arn.split(':')[4]}</Account>\n"
        "  </GetCallerIdentityResult>\n  <ResponseMetadata>\n"
        "    <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>\n"
        "  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
    ).encode()


def _error(code: str, message: str, status: int = 403) -> tuple[int, bytes]:
    return status, (
        f'<ErrorResponse xmlns="{_NAMESPACE}">\n  <Error>\n    <Type>Sender</Type>\n    <Code>{code}</Code>\n'
        f"    <Message>{message.replace('&', '&amp;')}</Message>\n  </Error>\n"
        "  <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>\n</ErrorResponse>\n"
    ).encode()
