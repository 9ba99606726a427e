"""Decisions that somebody forged, or sent a second time, through the whole pipeline: each is refused by its name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

import pytest

from signoff.documents.timestamps import text
from signoff.identity.proofs import HEADER
from signoff.ledger.entries import Entry, Kind, Status
from signoff.ledger.history import unknown_key
from signoff.ledger.state import fold
from signoff.runtime.clock import utc_now
from tests.support.forgeries import (
    Make,
    altered,
    annotated,
    asking,
    at,
    by_session,
    for_query,
    of_session,
    proof_of,
    saying_to_be,
    stating,
    tampered,
    token_of_another_session,
    with_key_that_is,
    with_the_reviewers,
    written,
)
from tests.support.forging import GET_CALLER_IDENTITY, LISTED, STRANGER, Forger, Sent
from tests.support.pipeline import ANNOTATION, DECISION, Pipeline

USER = "arn:aws:iam::123456789012:user"
APPROVER = f"{USER}/approver"
SOURCE = "acme.forgeries"
ELSEWHERE = "arn:aws:events:us-east-1:999999999999:event-bus/signoff"
WRONG_PORT, CRLF = "http://127.0.0.1:1", "%0D%0A"


@dataclass(frozen=True)
class Forgery:
    """What is sent, what it is refused as, and who then is known to have sent it, if anybody is."""

    refusal: str
    make: Make
    by: str | None = None
    source: str = SOURCE
    kind: str = DECISION


NOT_AS_SIGNED: dict[str, Make] = {
    "its reason was tampered with": tampered(reason="Fine by me"),
    "its evidence was tampered with": tampered(evidence="f" * 64),
    "its time was tampered with": lambda forger, reason: {
        **forger.signed(reason),
        "time": text(utc_now() + timedelta(seconds=90)),
    },
    "it was made to break glass": tampered(break_glass=True),
    "a name was added to it": tampered(approver=APPROVER),
    "its proof is another package's": lambda forger, reason: {
        **forger.signed(reason, package=forger.other.arn),
        "package": forger.model.arn,
    },
    "its proof is another verdict's": proof_of(decision="reject"),
    "its proof was made for another registry": proof_of(audience=ELSEWHERE),
    "its proof was made for an annotation": proof_of(statement="annotation"),
    "its proof was made for a submission": proof_of(statement="submission"),
    "the secret is another's": with_the_reviewers("secret_key"),
    "the access key id is another's": with_the_reviewers("access_key"),
    "the key was deleted": with_key_that_is(lambda iam, key: iam.delete_access_key(**key)),
    "the key was deactivated": with_key_that_is(lambda iam, key: iam.update_access_key(**key, Status="Inactive")),
    "the session's token was dropped": of_session(lambda forger, token: ""),
    "the session's token was cut": of_session(lambda forger, token: token[:60]),
    "the token is another session's": of_session(token_of_another_session),
    "the signature was made up": written("X-Amz-Signature=", "0" * 64),
    "the expiry was shortened": written("X-Amz-Expires=", "60"),
}
NOT_OF_THAT_FORM: dict[str, Make] = {
    "it has no proof but an empty one": tampered(proof=""),
    "it is far from the time of its signature": lambda forger, reason: forger.presigned(
        reason, said={"time": "2026-01-01T00:00:00Z"}
    ),
    "a further header is signed": asking(
        headers=lambda digest: {HEADER: digest, "x-forwarded-host": "sts.evil.example"}
    ),
    "a header is smuggled into the token": altered(
        lambda proof: proof.replace("&X-Amz-Signature", f"&X-Amz-Security-Token=x{CRLF}host%3A%20evil&X-Amz-Signature")
    ),
    "a header is smuggled into the credential": written(
        "X-Amz-Credential=", f"AKIAAAAAAAAAAAAAAAAA{CRLF}host%3A%20evil"
    ),
    "a header is smuggled into the date": written("X-Amz-Date=", f"20260302T091520Z{CRLF}host%3A%20evil"),
    "a header is smuggled into the signed headers": written("SignedHeaders=", f"host%3Bx-signoff-digest{CRLF}"),
    "its proof has a second line": altered(lambda proof: proof + "\r\nhost: evil"),
    "its digest is a parameter too": for_query(f"{GET_CALLER_IDENTITY}&{HEADER}=0"),
    "a parameter is there twice": altered(lambda proof: f"{proof}&X-Amz-Expires=900"),
    "it asks for a second action": altered(lambda proof: f"{proof}&Action=AssumeRole"),
    "a parameter is spelt otherwise": altered(lambda proof: proof.replace("GetCallerIdentity", "%47etCallerIdentity")),
    "the algorithm is another": written("X-Amz-Algorithm=", "AWS4-ECDSA-P256-SHA256"),
    "the signature is missing": altered(lambda proof: proof.partition("&X-Amz-Signature")[0]),
    "the proof is as long as a book": altered(lambda proof: proof + "0" * 9000),
}
NOT_FOR_OUR_STS: dict[str, Make] = {
    "it is signed for the global endpoint": at(lambda _: "https://sts.amazonaws.com"),
    "it is signed for another region's endpoint": at(lambda _: "https://sts.eu-west-1.amazonaws.com"),
    "it is signed for a host that looks alike": at(lambda url: url.replace("127.0.0.1", "127.0.0.1.evil.example")),
    "the host goes on": lambda forger, reason: {
        **forger.signed(reason),
        "proof": forger.signed(reason)["proof"].replace(forger.url, f"{forger.url}.evil.example"),
    },
    "the host is put before another": at(lambda url: f"{url}@evil.example"),
    "the URL has user info": at(lambda url: url.replace("//", "//approver:secret@")),
    "the URL has another port": at(lambda _: WRONG_PORT),
    "the URL has another scheme": at(lambda url: url.replace("http:", "https:")),
    "the URL has a fragment": altered(lambda proof: f"{proof}#@evil.example"),
    "it names a server that would redirect": lambda forger, reason: forger.at(
        reason, f"http://127.0.0.1:{forger.trap.getsockname()[1]}"
    ),
}
NOT_WHAT_TO_SIGN: dict[str, tuple[str, Make]] = {
    "the URL has a path": ("WrongAction", lambda forger, reason: forger.at(reason, f"{forger.url}/elsewhere")),
    "it asks to assume a role": ("WrongAction", for_query("?Action=AssumeRole&Version=2011-06-15")),
    "it asks for a session token": ("WrongAction", for_query("?Action=GetSessionToken&Version=2011-06-15")),
    "it is of another version of STS": ("WrongAction", for_query("?Action=GetCallerIdentity&Version=2010-05-08")),
    "it is signed for another service": ("WrongAction", asking(service="iam")),
    "it is signed for another region": ("WrongRegion", asking(region="eu-west-1")),
    "its digest is not signed": ("UnsignedDigest", asking(headers=lambda _: {})),
    "its digest is in another header": ("UnsignedDigest", asking(headers=lambda digest: {"x-other-digest": digest})),
    "it is meant for another registry": ("WrongAudience", stating(audience=ELSEWHERE)),
    "it is meant for nobody": ("WrongAudience", stating(audience=None)),
    "it was signed sixteen minutes ago": (
        "ProofExpired",
        lambda forger, reason: forger.sign(forger.stated(reason), forger.approver, minutes=16),
    ),
    "it would hold for an hour": ("ProofExpired", asking(expires=3600)),
    "it was signed in the future": (
        "ProofNotYetValid",
        lambda forger, reason: forger.sign(forger.stated(reason), forger.approver, minutes=-7),
    ),
    "it says that it is an annotation": ("MalformedDecision", saying_to_be("annotation")),
    "it says that it is a submission": ("MalformedDecision", saying_to_be("submission")),
    "it only says who it is by": (
        "Unproven",
        lambda forger, reason: forger.stated(reason, approver=APPROVER),
    ),
    "the proof of a vote that counted comes with another reason": (
        "Replayed",
        lambda forger, reason: {**forger.vote, "reason": reason},
    ),
    "the proof of a vote that counted comes with another name": (
        "Replayed",
        lambda forger, reason: {**forger.vote, "reason": reason, "approver": APPROVER},
    ),
}
FORGERIES = {
    **{name: Forgery("NotProven", make) for name, make in NOT_AS_SIGNED.items()},
    **{name: Forgery("MalformedProof", make) for name, make in NOT_OF_THAT_FORM.items()},
    **{name: Forgery("WrongHost", make) for name, make in NOT_FOR_OUR_STS.items()},
    **{name: Forgery(refusal, make) for name, (refusal, make) in NOT_WHAT_TO_SIGN.items()},
    "its proof annotates instead": Forgery("NotProven", annotated, kind=ANNOTATION),
    "a source that the policy does not trust says who it is by": Forgery(
        "UntrustedPublisher",
        lambda forger, reason: forger.stated(
            reason, package=forger.plain.arn, evidence=forger.plain.seen(), approver=APPROVER
        ),
    ),
    "a trusted source says it with a proof that is none": Forgery(
        "MalformedProof",
        lambda forger, reason: forger.stated(
            reason,
            package=forger.plain.arn,
            evidence=forger.plain.seen(),
            approver=APPROVER,
            proof="trust me",
        ),
        source="acme.tickets",
    ),
    "a trusted source does not say who it is by": Forgery(
        "Nobody",
        lambda forger, reason: forger.stated(reason, package=forger.plain.arn, evidence=forger.plain.seen()),
        source="acme.tickets",
    ),
    "somebody else signed it than it says": Forgery(
        "AnotherIdentity",
        lambda forger, reason: forger.signed(reason, forger.people.user("submitter"), approver=APPROVER),
        by=f"{USER}/submitter",
    ),
    "the submitter signs it": Forgery(
        "OwnModel",
        lambda forger, reason: forger.signed(reason, forger.people.user("submitter")),
        by=f"{USER}/submitter",
    ),
    "the submitter signs it in another session": Forgery(
        "OwnModel",
        lambda forger, reason: forger.signed(
            reason, forger.sam[1], package=forger.other.arn, evidence=forger.other.seen()
        ),
        by="AWSReservedSSO_Risk_",
    ),
    "a session is called as the approver is": Forgery(
        "NotAnApprover", by_session("approver"), by="arn:aws:sts::123456789012:assumed-role/anybody-"
    ),
    "a user of that name in an account that unknown signs it": Forgery(
        "AccountNotListed",
        lambda forger, reason: forger.signed(reason, forger.people.namesake(STRANGER)),
        by=f"arn:aws:iam::{STRANGER}:user/approver",
    ),
    "a user of that name in an account that may submit signs it": Forgery(
        "NotAnApprover",
        lambda forger, reason: forger.signed(reason, forger.people.namesake(LISTED)),
        by=f"arn:aws:iam::{LISTED}:user/approver",
    ),
    "it names no evidence": Forgery("EvidenceNotNamed", stating(evidence=None), by=APPROVER),
    "it names the evidence of another package": Forgery(
        "EvidenceStale",
        lambda forger, reason: forger.signed(reason, evidence=forger.other.seen()),
        by=APPROVER,
    ),
    "it names evidence that is no more": Forgery(
        "EvidenceStale",
        lambda forger, reason: forger.signed(reason, package=forger.other.arn, evidence=forger.seen_before),
        by=APPROVER,
    ),
    "somebody breaks glass who may not": Forgery("NotBreakGlass", stating(break_glass=True), by=APPROVER),
}


class Aftermath:
    """What the ledgers say once every forgery was answered, and how the packages stand."""

    def __init__(self, forger: Forger) -> None:
        self.forger = forger
        self.packages = [forger.model, forger.other, forger.plain]
        ledger = forger.pipeline.ledger
        unknown = ledger.history(unknown_key(ledger.today)).verified()
        self.histories = [*(forger.pipeline.history(package.arn) for package in self.packages), unknown]
        self.stand = [(package.status, package.registry[0], package.models()) for package in self.packages]

    def answer(self, name: str) -> tuple[Entry, Status | None]:
        """The entry about a forgery, and how its package stood then."""
        found = [
            (entry, fold(history.entries[: entry.sequence]).status)
            for history in self.histories
            for entry in history.entries
            if self.forger.sent[name] == entry.details.get("event") or name == entry.details.get("claimed")
        ]
        assert len(found) == 1, (name, found)
        return found[0]


@pytest.fixture(scope="module")
def forger(pipeline: Pipeline) -> Iterator[Forger]:
    """A forger with a model before them that lacks one approval, the reviewer's being there."""
    there = Forger(pipeline)
    there.send({"the vote": Sent(there.vote, SOURCE, DECISION)})
    assert there.model.kinds()[-1] == Kind.VOTED
    yield there
    there.trap.close()


@pytest.fixture(scope="module")
def aftermath(forger: Forger) -> Aftermath:
    forger.send({name: Sent(each.make(forger, name), each.source, each.kind) for name, each in FORGERIES.items()})
    return Aftermath(forger)


@pytest.mark.parametrize("when", FORGERIES)
def test_a_decision_is_refused_when(aftermath: Aftermath, when: str) -> None:
    forgery = FORGERIES[when]
    entry, stood = aftermath.answer(when)

    assert (entry.kind, entry.details["refusal"]) == (Kind.DECISION_REFUSED, forgery.refusal), entry
    assert stood in {Status.PENDING_APPROVAL, None}
    assert (forgery.by or "unknown") in entry.actor
    assert ("proof" in entry.details) == (forgery.by is not None)


def test_no_forgery_moved_a_package_or_made_a_model(aftermath: Aftermath) -> None:
    assert len(FORGERIES) >= 60
    assert aftermath.stand == [("PendingApproval", "PendingManualApproval", [])] * 3
    assert [str(entry.kind) for entry in aftermath.histories[0].entries][3:] == [
        "VoteRecorded",
        *["DecisionRefused"] * (len(aftermath.histories[0].entries) - 4),
    ]


def test_no_server_that_a_forgery_names_is_spoken_to(aftermath: Aftermath) -> None:
    assert not aftermath.forger.caught()


def test_a_vote_that_comes_again_is_absorbed(aftermath: Aftermath) -> None:
    forger = aftermath.forger
    before = forger.model.entries()

    forger.send({"again": Sent(forger.vote, SOURCE, DECISION), "and again": Sent(forger.vote, "others", DECISION)})

    assert forger.model.entries() == before
    assert sum(details.get("reason") == forger.vote["reason"] for details in before) == 1


def test_a_good_decision_of_the_approver_still_goes_through(aftermath: Aftermath) -> None:
    forger = aftermath.forger
    good = forger.signed("It is precise enough")

    forger.send({"good": Sent(good, SOURCE, DECISION)})

    assert forger.model.until("Approved").model()["ModelName"]
    assert forger.model.state.votes == (f"{USER}/reviewer", APPROVER)


def test_no_log_and_no_table_holds_a_signature_or_a_token_that_was_sent(aftermath: Aftermath) -> None:
    forger = aftermath.forger
    secrets = {each for secret in forger.secrets for each in (secret, unquote(secret))}
    logged, kept = everything_logged(forger.pipeline), everything_kept(forger.pipeline)

    assert len(secrets) > len(FORGERIES)
    assert [secret for secret in secrets if secret in logged or secret in kept] == []
    assert ('"outcome":"Refused"' in logged, "the first of two approvals" in kept) == (True, True)


def everything_logged(pipeline: Pipeline) -> str:
    """What the engine and the functions logged, whole."""
    logs, lines = pipeline.aws("logs"), [pipeline.stack.engine.log.read_text()]
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        lines += [event["message"] for page in pages for event in page["events"]]
    return "\n".join(lines)


def everything_kept(pipeline: Pipeline) -> str:
    """Every item of every table, as DynamoDB gives it."""
    dynamodb = pipeline.aws("dynamodb")
    pages = [dynamodb.get_paginator("scan").paginate(TableName=name) for name in dynamodb.list_tables()["TableNames"]]
    return json.dumps([item for each in pages for page in each for item in page["Items"]], default=str)
