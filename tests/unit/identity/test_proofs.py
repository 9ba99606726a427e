"""A proof is read strictly: whatever is not exactly what a signer makes is refused, each by its name."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from signoff.errors import ProofRefused
from signoff.identity import proofs
from signoff.identity.proofs import Proof, check_fresh, rebuilt, statement_digest
from signoff_cli.statements.signature import sign_statement
from tests.support.clock import START
from tests.support.proof_cases import (
    ANN,
    AUDIENCE,
    BY_ANN,
    BY_SESSION,
    DECISION,
    ENDPOINT,
    REGION,
    SESSION,
    STS,
    aged,
    reading,
    refusal,
    with_proof,
)


def parameter(name: str, written: str | None) -> Callable[[str], str]:
    """The change that gives a parameter another value, as it stands in the URL; None takes it out."""

    def change(url: str) -> str:
        start, _, query = url.partition("?")
        pairs = [pair.partition("=") for pair in query.split("&")]
        kept = [(key, written if key == name else value) for key, _, value in pairs]
        return f"{start}?" + "&".join(f"{key}={value}" for key, value in kept if value is not None)

    return change


def more(written: str) -> Callable[[str], str]:
    return lambda url: f"{url}&{written}"


def at(start: str) -> Callable[[str], str]:
    return lambda url: url.replace(f"{ENDPOINT}/", start, 1)


def credential(**parts: str) -> Callable[[str], str]:
    found = {"key": "A" * 20, "day": "20260302", "region": REGION, "service": "sts", "end": "aws4_request", **parts}
    return parameter("X-Amz-Credential", quote("/".join(found.values()), safe=""))


def test_a_good_proof_is_read_as_it_was_signed() -> None:
    claim = reading(BY_SESSION)
    keys = STS.credentials(SESSION)
    assert claim.proof == Proof(
        access_key_id=keys.access_key,
        date="20260302",
        region=REGION,
        signed_at=START,
        expires=900,
        token=keys.token,
        signature=BY_SESSION["proof"].rpartition("=")[2],
    )
    assert claim.digest == statement_digest(BY_SESSION)


def test_a_users_proof_has_no_token() -> None:
    assert reading(BY_ANN).proof.token is None


def test_parameters_may_stand_in_any_order() -> None:
    start, _, query = BY_SESSION["proof"].partition("?")
    turned = {**BY_SESSION, "proof": f"{start}?" + "&".join(reversed(query.split("&")))}
    assert reading(turned) == reading(BY_SESSION)


def test_a_proof_for_an_engine_on_a_port_is_read() -> None:
    endpoint = "http://127.0.0.1:4566"
    statement = sign_statement(DECISION, STS.credentials(ANN), endpoint, REGION, START)
    claim = reading(statement, endpoint=f"{endpoint}/")
    assert rebuilt(claim, f"{endpoint}/") == (
        statement["proof"],
        {"host": "127.0.0.1:4566", "x-signoff-digest": statement_digest(statement)},
    )


FORGED: dict[str, tuple[str, Callable[[str], str]]] = {
    "another host": ("WrongHost", at("https://example.com/")),
    "another region's endpoint": ("WrongHost", at("https://sts.eu-west-1.amazonaws.com/")),
    "the global endpoint": ("WrongHost", at("https://sts.amazonaws.com/")),
    "a host that begins alike": ("WrongHost", at(f"{ENDPOINT}.example.com/")),
    "a host that ends alike": ("WrongHost", at("https://example-sts.us-east-1.amazonaws.com/")),
    "a look-alike letter, percent-encoded": ("WrongHost", at("https://st%73.us-east-1.amazonaws.com/")),
    "user info before the host": ("WrongHost", at("https://ann@sts.us-east-1.amazonaws.com/")),
    "the endpoint as user info": ("WrongHost", at(f"{ENDPOINT}@example.com/")),
    "the endpoint as user name and password": ("WrongHost", at(f"{ENDPOINT}:x@example.com/")),
    "a back-slash": ("WrongHost", at(f"{ENDPOINT}\\@example.com/")),
    "a port": ("WrongHost", at(f"{ENDPOINT}:8443/")),
    "the default port": ("WrongHost", at(f"{ENDPOINT}:443/")),
    "capital letters": ("WrongHost", at("https://STS.us-east-1.amazonaws.com/")),
    "a trailing dot": ("WrongHost", at(f"{ENDPOINT}./")),
    "plain HTTP": ("WrongHost", at("http://sts.us-east-1.amazonaws.com/")),
    "another scheme": ("WrongHost", at("file://sts.us-east-1.amazonaws.com/")),
    "no scheme": ("WrongHost", at("//sts.us-east-1.amazonaws.com/")),
    "a fragment": ("WrongHost", more("#")),
    "a fragment before the query": ("WrongHost", at(f"{ENDPOINT}/#")),
    "no path": ("WrongAction", at(ENDPOINT)),
    "a path": ("WrongAction", at(f"{ENDPOINT}/latest/")),
    "a path that leads back": ("WrongAction", at(f"{ENDPOINT}/x/../")),
    "two slashes": ("WrongAction", at(f"{ENDPOINT}//")),
    "another action": ("WrongAction", parameter("Action", "GetSessionToken")),
    "another action's case": ("WrongAction", parameter("Action", "getcalleridentity")),
    "another version": ("WrongAction", parameter("Version", "2010-05-08")),
    "another service": ("WrongAction", credential(service="iam")),
    "a second action": ("MalformedProof", more("Action=GetCallerIdentity")),
    "an action in other letters": ("MalformedProof", more("action=AssumeRole")),
    "an encoded second action": ("MalformedProof", more("%41ction=AssumeRole")),
    "a parameter more": ("MalformedProof", more("X-Amz-Content-Sha256=UNSIGNED-PAYLOAD")),
    "an empty parameter": ("MalformedProof", more("")),
    "no action": ("MalformedProof", parameter("Action", None)),
    "no date": ("MalformedProof", parameter("X-Amz-Date", None)),
    "no signature": ("MalformedProof", parameter("X-Amz-Signature", None)),
    "no query": ("MalformedProof", lambda url: url.partition("?")[0]),
    "parameters by semicolon": ("MalformedProof", lambda url: url.replace("&", ";")),
    "another algorithm": ("MalformedProof", parameter("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256")),
    "another region's scope": ("WrongRegion", credential(region="eu-west-1")),
    "no scope's end": ("MalformedProof", credential(end="aws5_request")),
    "a short access key id": ("MalformedProof", credential(key="A" * 15)),
    "an access key id of small letters": ("MalformedProof", credential(key="a" * 20)),
    "a line in the access key id": ("MalformedProof", credential(key="A" * 20 + "\r\nhost: example.com")),
    "a line after the scope": ("MalformedProof", credential(end="aws4_request\n")),
    "a region that is a host": ("MalformedProof", credential(region="example.com#")),
    "digits of another script": ("MalformedProof", credential(day="\uff12" * 8)),
    "another day's scope": ("MalformedProof", credential(day="20260301")),
    "no real day": ("MalformedProof", parameter("X-Amz-Date", "20260231T091520Z")),
    "a leap second": ("MalformedProof", parameter("X-Amz-Date", "20260302T091560Z")),
    "a line in the date": ("MalformedProof", parameter("X-Amz-Date", "20260302T091520Z%0D%0Ax-other:%201")),
    "a line end after the date": ("MalformedProof", parameter("X-Amz-Date", "20260302T091520Z%0A")),
    "an ISO date": ("MalformedProof", parameter("X-Amz-Date", "2026-03-02T09%3A15%3A20Z")),
    "no expiry": ("MalformedProof", parameter("X-Amz-Expires", "0")),
    "a negative expiry": ("MalformedProof", parameter("X-Amz-Expires", "-1")),
    "an expiry with a plus": ("MalformedProof", parameter("X-Amz-Expires", "+900")),
    "an expiry with a nought before": ("MalformedProof", parameter("X-Amz-Expires", "0900")),
    "an expiry that is no number": ("MalformedProof", parameter("X-Amz-Expires", "1e3")),
    "a second too much expiry": ("ProofExpired", parameter("X-Amz-Expires", "901")),
    "a week's expiry": ("ProofExpired", parameter("X-Amz-Expires", "604800")),
    "the digest not signed": ("UnsignedDigest", parameter("X-Amz-SignedHeaders", "host")),
    "another header signed instead": ("UnsignedDigest", parameter("X-Amz-SignedHeaders", "host%3Bx-k8s-aws-id")),
    "a header that begins alike": ("UnsignedDigest", parameter("X-Amz-SignedHeaders", "host%3Bx-signoff-digest-2")),
    "a header more signed": ("MalformedProof", parameter("X-Amz-SignedHeaders", "host%3Bx-extra%3Bx-signoff-digest")),
    "the host not signed": ("MalformedProof", parameter("X-Amz-SignedHeaders", "x-signoff-digest")),
    "the digest signed twice": (
        "MalformedProof",
        parameter("X-Amz-SignedHeaders", "host%3Bx-signoff-digest%3Bx-signoff-digest"),
    ),
    "a line in the token": ("MalformedProof", parameter("X-Amz-Security-Token", "abc%0D%0AX-Other%3A%201")),
    "a NUL in the token": ("MalformedProof", parameter("X-Amz-Security-Token", "abc%00")),
    "a space as plus in the token": ("MalformedProof", parameter("X-Amz-Security-Token", "abc+def")),
    "a token that is not UTF-8": ("MalformedProof", parameter("X-Amz-Security-Token", "abc%FF")),
    "an empty token": ("MalformedProof", parameter("X-Amz-Security-Token", "")),
    "a short signature": ("MalformedProof", parameter("X-Amz-Signature", "a" * 63)),
    "a signature of capital letters": ("MalformedProof", parameter("X-Amz-Signature", "A" * 64)),
    "small letters in the encoding": ("MalformedProof", lambda url: url.replace("%2F", "%2f")),
    "no encoding where there must be": ("MalformedProof", lambda url: url.replace("%2F", "/")),
    "an encoding where there must be none": ("MalformedProof", lambda url: url.replace("Date=2", "Date=%32")),
    "all encoded twice": ("MalformedProof", lambda url: url.replace("%", "%25")),
    "half an encoding": ("MalformedProof", more("X-Amz-Expires=%")),
    "a raw line end": ("MalformedProof", more("\n")),
    "a raw line end before": ("MalformedProof", lambda url: f"\n{url}"),
    "a space before": ("MalformedProof", lambda url: f" {url}"),
    "raw header lines": ("MalformedProof", more(" HTTP/1.1\r\nHost: example.com\r\n")),
    "a NUL": ("MalformedProof", more("\0")),
    "a letter of another script": ("MalformedProof", lambda url: url.replace("amazonaws", "\u0430mazonaws")),
    "too many characters": ("MalformedProof", parameter("X-Amz-Security-Token", "a" * 8192)),
    "nothing": ("MalformedProof", lambda _: ""),
}


@pytest.mark.parametrize("form", FORGED)
def test_a_forged_proof_is_refused_by_name(form: str) -> None:
    name, change = FORGED[form]
    assert refusal(with_proof(change))[0] == name


@pytest.mark.parametrize("form", FORGED)
def test_a_refusal_quotes_nothing_of_the_proof(form: str) -> None:
    statement = with_proof(FORGED[form][1])
    reason = refusal(statement)[1]
    token, signature = STS.credentials(SESSION).token, BY_SESSION["proof"].rpartition("=")[2]
    assert token is not None
    assert not any(secret in reason for secret in (token, quote(token, safe=""), signature, "example.com"))


@pytest.mark.parametrize("proof", [None, 7, True, b"https://", ["https://"], {"url": "https://"}])
def test_a_proof_that_is_no_text_is_refused(proof: Any) -> None:
    assert refusal({**BY_ANN, "proof": proof})[0] == "MalformedProof"


def test_a_statement_without_proof_is_refused() -> None:
    assert refusal({**DECISION, "time": "2026-03-02T09:15:20Z"})[0] == "MalformedProof"


def test_too_long_an_expiry_says_what_is_allowed_and_to_sign_again() -> None:
    reason = refusal(with_proof(parameter("X-Amz-Expires", "3600")))[1]
    assert "900" in reason
    assert "sign again" in reason


@pytest.mark.parametrize("kind", ["annotation", "submission", "", "Decision"])
def test_a_statement_of_another_kind_is_refused(kind: str) -> None:
    assert refusal(BY_ANN, kind=kind)[0] == "WrongStatement"


def test_a_statement_that_does_not_say_what_it_is_is_refused() -> None:
    assert refusal({name: value for name, value in BY_ANN.items() if name != "statement"})[0] == "WrongStatement"


@pytest.mark.parametrize(
    "audience", [None, "", AUDIENCE + "-2", AUDIENCE.replace("us-east-1", "eu-west-1"), [AUDIENCE]]
)
def test_a_statement_for_another_bus_is_refused(audience: Any) -> None:
    assert refusal({**BY_ANN, "audience": audience})[0] == "WrongAudience"


@pytest.mark.parametrize(
    "time",
    [
        *(None, 0, 1772442920, "", "now", "2026-03-02", "2026-03-02T09:15:20", "2026-03-02T09:15:20 UTC"),
        *("2026-03-02T09:20:21Z", "2026-03-02T09:10:19Z", "2027-03-02T09:15:20Z", "2026-03-02T09:15:20+01:00"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_a_time_that_is_not_the_signatures_is_refused(time: Any) -> None:
    assert refusal({**BY_ANN, "time": time})[0] == "MalformedProof"


@pytest.mark.parametrize(
    "time", ["2026-03-02T09:20:20Z", "2026-03-02T09:10:20Z", "2026-03-02T10:15:20+01:00", "2026-03-02T09:15:20.123Z"]
)
def test_a_time_within_five_minutes_of_the_signature_will_do(time: str) -> None:
    assert reading({**BY_ANN, "time": time}).proof == reading(BY_ANN).proof


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "half \ud800", {"\udc00": 1}, {1: 2}, object()])
def test_a_statement_without_canonical_form_is_refused(value: Any) -> None:
    assert refusal({**BY_ANN, "more": value})[0] == "MalformedProof"


def test_a_statement_of_a_hundred_thousand_levels_is_refused() -> None:
    nested: Any = "deep"
    for _ in range(100_000):
        nested = [nested]
    assert refusal({**BY_ANN, "more": nested})[0] == "MalformedProof"


def test_the_digest_is_of_all_but_the_proof_in_any_order() -> None:
    turned = dict(reversed(DECISION.items()))
    assert statement_digest({**turned, "proof": "x"}) == statement_digest(DECISION)


def test_the_digest_is_what_any_language_computes() -> None:
    # The canonical form by hand: names sorted, no space, UTF-8.
    written = '{"audience":"b","number":1,"reason":"\u00fc \\"q\\"\\n"}'
    assert (
        statement_digest({"reason": 'ü "q"\n', "number": 1.0, "audience": "b"})
        == hashlib.sha256(written.encode()).hexdigest()
    )


# When


@pytest.mark.parametrize(
    ("expires", "seconds", "name"),
    [
        *(("900", 0, ""), ("900", 900, ""), ("900", 901, "ProofExpired"), ("900", 86400, "ProofExpired")),
        *(("60", 60, ""), ("60", 61, "ProofExpired"), ("1", 1, ""), ("1", 2, "ProofExpired")),
        *(("900", -300, ""), ("900", -301, "ProofNotYetValid"), ("1", -301, "ProofNotYetValid")),
    ],
)
def test_a_proof_holds_for_as_long_as_it_says_and_a_quarter_of_an_hour_at_most(
    expires: str, seconds: int, name: str
) -> None:
    claim = reading({**BY_ANN, "proof": parameter("X-Amz-Expires", expires)(BY_ANN["proof"])})
    assert aged(claim, seconds=seconds) == name


def test_an_expired_proof_says_to_sign_again() -> None:
    with pytest.raises(ProofRefused, match=r"^ProofExpired: .*2026-03-02T09:15:20\.000Z.*900 seconds; sign again$"):
        check_fresh(reading(BY_ANN), START + timedelta(hours=1))


def test_the_moment_of_a_proof_is_not_the_machines_own_time_zone() -> None:
    assert reading(BY_ANN).proof.signed_at == datetime(2026, 3, 2, 9, 15, 20, tzinfo=UTC)


# What it is known by


def test_a_proof_has_one_id_whatever_its_signature() -> None:
    forged = reading(with_proof(parameter("X-Amz-Signature", "0" * 64)))
    genuine = reading(BY_SESSION)
    assert forged.id == genuine.id
    assert forged.sha256 != genuine.sha256


@pytest.mark.parametrize(
    "change",
    [
        parameter("X-Amz-Expires", "60"),
        parameter("X-Amz-Date", "20260302T091521Z"),
        parameter("X-Amz-Security-Token", "abc"),
        parameter("X-Amz-Security-Token", None),
        credential(key="B" * 20),
    ],
    ids=["expiry", "moment", "token", "no token", "key"],
)
def test_another_moment_expiry_token_or_key_is_another_proof(change: Callable[[str], str]) -> None:
    other = reading(with_proof(change))
    assert other.id != reading(BY_SESSION).id
    assert other.sha256 != reading(BY_SESSION).sha256


def test_a_proof_with_another_statement_has_another_id_and_is_known_for_the_same_proof() -> None:
    moved = reading({**BY_SESSION, "reason": "Another"})
    assert moved.id != reading(BY_SESSION).id
    assert moved.sha256 == reading(BY_SESSION).sha256


def test_a_claim_shows_neither_signature_nor_token() -> None:
    claim = reading(BY_SESSION)
    shown = f"{claim!r} {claim} {claim.proof!r} {claim.id} {claim.sha256}"
    assert claim.proof.token is not None
    assert claim.proof.signature not in shown
    assert claim.proof.token not in shown
    assert claim.proof.access_key_id in shown


# What is sent to STS


@pytest.mark.parametrize("statement", [BY_ANN, BY_SESSION], ids=["user", "session"])
def test_the_rebuilt_request_is_the_signed_one(statement: dict[str, Any]) -> None:
    assert rebuilt(reading(statement), ENDPOINT) == (
        statement["proof"],
        {
            "host": "sts.us-east-1.amazonaws.com",
            "x-signoff-digest": statement_digest(DECISION | {"time": statement["time"]}),
        },
    )


SESSION_OF_BOTO3 = boto3.Session()
REGIONS = [
    (partition, region)
    for partition in SESSION_OF_BOTO3.get_available_partitions()
    for region in SESSION_OF_BOTO3.get_available_regions("sts", partition)
]


def test_botocore_knows_the_regions_of_every_partition() -> None:
    partitions = {partition for partition, _ in REGIONS}
    assert partitions == set(SESSION_OF_BOTO3.get_available_partitions())
    assert {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc"} <= partitions


@pytest.mark.parametrize(("partition", "region"), REGIONS)
def test_in_every_region_the_request_is_byte_for_byte_the_one_botocore_makes(partition: str, region: str) -> None:
    keys = STS.credentials(SESSION)
    sts = boto3.client(
        "sts",
        region_name=region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )
    endpoint = sts.meta.endpoint_url
    statement = {**DECISION, "time": f"{datetime.now(UTC).isoformat()}"}
    sts.meta.events.register(
        "before-sign.sts.GetCallerIdentity",
        lambda request, **_: request.headers.add_header(proofs.HEADER, statement_digest(statement)),
    )
    presigned = sts.generate_presigned_url("get_caller_identity", ExpiresIn=900)
    claim = reading({**statement, "proof": presigned}, endpoint=endpoint, region=region)
    url, headers = rebuilt(claim, endpoint)
    assert url == presigned
    assert f"https://{headers['host']}" == endpoint
    assert headers["host"].startswith(f"sts.{region}.")
    assert partition == SESSION_OF_BOTO3.get_partition_for_region(region)
