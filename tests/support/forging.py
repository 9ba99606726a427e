"""Decisions as a forger sends them: signed in every wrong way, by anybody who may put events on the bus."""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from local.engine import users
from local.invoke.statements import submission
from signoff.documents.timestamps import text
from signoff.identity.proofs import HEADER, statement_digest
from signoff.runtime.clock import utc_now
from signoff.submission.layout import TO_BE_SIGNED
from signoff_cli.statements.signature import sign_statement
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.submissions import honest

Statement = dict[str, Any]
LISTED, STRANGER = "333333333333", "999999999999"
GET_CALLER_IDENTITY = "?Action=GetCallerIdentity&Version=2011-06-15"
# PutEvents takes ten entries. Of eight writers to one ledger each is first in one of eight attempts at the latest.
BATCH = 8


@dataclass(frozen=True)
class Sent:
    """A statement, the source it is sent from and the type of event that it is sent as."""

    statement: Statement
    source: str
    kind: str


class People:
    """Users and sessions of the engine's accounts, and the keys that they sign with."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._url, self._region = pipeline.stack.engine.url, pipeline.stack.engine.region
        self.iam, self._sts = pipeline.aws("iam"), pipeline.aws("sts")

    @staticmethod
    def user(name: str) -> ReadOnlyCredentials:
        """The keys of one of the engine's users."""
        return ReadOnlyCredentials(*users.keys(name), None)

    def second_key(self, name: str) -> ReadOnlyCredentials:
        """A further access key of a user, who may have two."""
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)

    def namesake(self, account: str, name: str = "approver") -> ReadOnlyCredentials:
        """The keys of a user of the same name in another account."""
        administrator = {"aws_access_key_id": account, "aws_secret_access_key": users.ADMINISTRATOR_SECRET}
        iam = boto3.client("iam", endpoint_url=self._url, region_name=self._region, **administrator)
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)

    def role(self, name: str) -> str:
        """A new role that anybody may take on: its ARN."""
        allow = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        return str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])

    def session(self, role: str, name: str) -> ReadOnlyCredentials:
        """The keys of a new session of a role, with their token."""
        keys = self._sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return ReadOnlyCredentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@dataclass
class Forger:
    """Whoever sends forged decisions: what they have got hold of, and what they have sent.

    `model` awaits the second of two approvals, so that any forgery that counted would approve it; `other` is of the
    same group and was submitted by a session of `sam`'s; `plain` is of a group that believes publishers without proof.
    """

    pipeline: Pipeline
    people: People = field(init=False)
    sent: dict[str, str] = field(default_factory=dict)  # the ids of events, by what was tried
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the scene."""
        self.people = People(self.pipeline)
        self.url = self.pipeline.stack.engine.url
        self.audience = self.pipeline.outputs["BusArn"]
        self.approver, self.reviewer = self.people.user("approver"), self.people.user("reviewer")
        mark = uuid4().hex[:16]
        self.trap = socket.create_server(("127.0.0.1", 0))
        self.anybody = self.people.role(f"anybody-{mark}")
        self.desk = self.people.role(f"desk-{mark}")
        self.sam = [
            self.people.session(self.people.role(f"AWSReservedSSO_{name}_{mark}"), "sam@example.com")
            for name in ("Train", "Risk")
        ]
        self.guarded = Group(self.pipeline, f"guarded-{mark[:8]}")
        self._policy("before")
        self.model, self.other = self.guarded.pending(), self._submitted_by(self.sam[0])
        self.seen, self.seen_before = self.model.seen(), self.other.seen()
        self._policy("now")
        self.pipeline.start({"detail": {"ModelPackageArn": self.other.arn}, "revalidate": {"by": "sam"}})
        self.other.until("PendingApproval")
        trusting = Group(self.pipeline, f"trusting-{mark[:8]}")
        believed = {"identity": "asserted", "publishers": {"acme.tickets": [self.pipeline.user("approver")]}}
        trusting.policy(approvals={"approvers": [self.pipeline.user("approver")], **believed})
        self.plain = trusting.pending()
        self.vote = self.signed("the first of two approvals", self.reviewer)

    def _policy(self, description: str) -> None:
        approvers = [*(self.pipeline.user(name) for name in ("approver", "reviewer")), self.desk]
        approvals = {"needed": 2, "approvers": approvers, "break_glass": [self.pipeline.user("reviewer")]}
        self.guarded.policy(description=description, approvals=approvals, accounts={"submit": [LISTED]})

    def _submitted_by(self, keys: ReadOnlyCredentials) -> Package:
        there, files = self.guarded.submission(), honest()
        for name, body in files.items():
            there.put(name, body, Metadata=TO_BE_SIGNED)
        stated = {"audience": self.audience, **submission(there.prefix, files)}
        there.put("submission.json", json.dumps(self.sign(stated, keys)).encode())
        return there.package().until("PendingApproval")

    # What is stated, and how it is signed

    def stated(self, reason: str, **said: Any) -> Statement:
        """The approval of `model`, or what is `said` instead, unsigned."""
        about = {"package": self.model.arn, "decision": "approve", "reason": reason, "evidence": self.seen}
        whole = {"statement": "decision", "audience": self.audience, "time": text(utc_now()), **about, **said}
        return {name: value for name, value in whole.items() if value is not None}

    def signed(self, reason: str, keys: ReadOnlyCredentials | None = None, **said: Any) -> Statement:
        """What is stated, signed as it should be: by the approver, unless by somebody else."""
        return self.sign(self.stated(reason, **said), keys or self.approver)

    def sign(self, statement: Statement, keys: ReadOnlyCredentials, **ago: float) -> Statement:
        """A statement signed as it should be, but maybe at another time."""
        at = utc_now() - timedelta(**ago)
        return self._kept(sign_statement({**statement, "time": text(at)}, keys, self.url, self._region, at))

    def presigned(
        self,
        reason: str,
        url: str | None = None,
        *,
        said: Mapping[str, Any] | None = None,
        service: str = "sts",
        region: str | None = None,
        headers: Callable[[str], Mapping[str, str]] = lambda digest: {HEADER: digest},
        expires: int = 900,
    ) -> Statement:
        """What is stated, with a genuine signature of the approver's over another request than the one to sign."""
        statement = self.stated(reason, **(said or {}))
        request = AWSRequest(
            "GET", url or f"{self.url}/{GET_CALLER_IDENTITY}", headers=dict(headers(statement_digest(statement)))
        )
        SigV4QueryAuth(self.approver, service, region or self._region, expires=expires).add_auth(request)
        return self._kept({**statement, "proof": request.url})

    def at(self, reason: str, endpoint: str) -> Statement:
        """What is stated, signed for another endpoint than that of Signoff's STS."""
        return self.presigned(reason, f"{endpoint}/{GET_CALLER_IDENTITY}")

    @property
    def _region(self) -> str:
        return self.pipeline.stack.engine.region

    def _kept(self, statement: Statement) -> Statement:
        """Remember what of a signed statement must appear nowhere."""
        pairs = dict(pair.split("=", 1) for pair in statement["proof"].partition("?")[2].split("&"))
        names = ("X-Amz-Signature", "X-Amz-Security-Token")
        self.secrets += [pairs[name] for name in names if name in pairs]
        return statement

    # What is sent

    def send(self, forgeries: Mapping[str, Sent]) -> None:
        """Put statements on the bus, as one who has no part in any approval, and wait until all were answered."""
        events, everything = self.pipeline.aws("events", "submitter"), list(forgeries.items())
        for start in range(0, len(everything), BATCH):
            batch = everything[start : start + BATCH]
            answer = events.put_events(Entries=[self._entry(each) for _, each in batch])
            assert answer["FailedEntryCount"] == 0, answer
            ids = [entry["EventId"] for entry in answer["Entries"]]
            self.sent |= {name: event for (name, _), event in zip(batch, ids, strict=True)}
            self.pipeline.quiet()

    def _entry(self, sent: Sent) -> dict[str, str]:
        body = {"Source": sent.source, "DetailType": sent.kind, "Detail": json.dumps(sent.statement)}
        return {"EventBusName": self.pipeline.outputs["BusName"], **body}

    def caught(self) -> bool:
        """Whether anybody spoke to the forger's own server."""
        self.trap.setblocking(False)
        try:
            self.trap.accept()
        except BlockingIOError:
            return False
        return True
