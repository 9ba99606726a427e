"""Several accounts in one engine: apart, but for what their policies open to one another."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.engine.process import Engine
from tests.support.waiting import eventually

ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
DECIDES = {"Source": "acme", "DetailType": "Decision", "Detail": '{"about": "%s"}'}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that evaluates policies, with people in three accounts beside its own."""
    log = tmp_path_factory.mktemp("accounts") / "engine.log"
    with Engine.start(auth=True, log=log, accounts=(ONE, TWO, THREE)) as running:
        yield running


def client(
    engine: Engine, account: str, service: str, user: str | None = "submitter", region: str | None = None
) -> Any:
    """A client of somebody in an account; of its administrator when `user` is None."""
    settings = engine.environment(user, account, region)
    return boto3.client(
        service,
        endpoint_url=engine.url,
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def person(account: str, user: str = "submitter") -> str:
    return f"arn:aws:iam::{account}:user/{user}"


def root(account: str) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:root"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(account: str, action: str | list[str], resource: str | list[str], **condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Principal": root(account), "Action": action, "Resource": resource}
    return found | ({"Condition": condition} if condition else {})


def test_the_same_user_of_two_accounts_is_two_people(accounts: Engine) -> None:
    who = [client(accounts, account, "sts").get_caller_identity()["Arn"] for account in (ONE, TWO)]

    assert who == [person(ONE), person(TWO)]


# Buckets


@pytest.fixture
def bucket(accounts: Engine) -> str:
    """A bucket with versions in account ONE, which no other account may reach."""
    s3, name = client(accounts, ONE, "s3"), f"bucket-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def opened(accounts: Engine, bucket: str, *statements: dict[str, Any]) -> None:
    client(accounts, ONE, "s3").put_bucket_policy(Bucket=bucket, Policy=document(*statements))


def objects(bucket: str, prefix: str = "*") -> str:
    return f"arn:aws:s3:::{bucket}/{prefix}"


def test_a_bucket_is_closed_to_other_accounts_until_its_policy_opens_it(accounts: Engine, bucket: str) -> None:
    theirs = client(accounts, TWO, "s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        theirs.put_object(Bucket=bucket, Key="theirs/one", Body=b"1")
    opened(accounts, bucket, allow(TWO, "s3:PutObject", objects(bucket, "theirs/*")))

    theirs.put_object(Bucket=bucket, Key="theirs/one", Body=b"1")

    assert client(accounts, ONE, "s3").get_object(Bucket=bucket, Key="theirs/one")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="AccessDenied"):
        theirs.put_object(Bucket=bucket, Key="ours/one", Body=b"1")
    with pytest.raises(ClientError, match="AccessDenied"):
        client(accounts, THREE, "s3").put_object(Bucket=bucket, Key="theirs/one", Body=b"1")


def test_a_buckets_policy_is_asked_about_the_person_of_another_account(accounts: Engine, bucket: str) -> None:
    client(accounts, ONE, "s3").put_object(Bucket=bucket, Key="model", Body=b"model")
    only = {"ArnEquals": {"aws:PrincipalArn": person(TWO, "approver")}}
    opened(accounts, bucket, allow(TWO, "s3:GetObject", objects(bucket), **only))

    assert client(accounts, TWO, "s3", "approver").get_object(Bucket=bucket, Key="model")["Body"].read() == b"model"
    with pytest.raises(ClientError, match="AccessDenied"):
        client(accounts, TWO, "s3", "submitter").get_object(Bucket=bucket, Key="model")


def test_a_bucket_of_another_owner_than_expected_is_not_read(accounts: Engine, bucket: str) -> None:
    ours = client(accounts, ONE, "s3")
    ours.put_object(Bucket=bucket, Key="model", Body=b"model")

    assert ours.head_object(Bucket=bucket, Key="model", ExpectedBucketOwner=ONE)["ContentLength"] == 5
    with pytest.raises(ClientError, match="403"):
        ours.head_object(Bucket=bucket, Key="model", ExpectedBucketOwner=TWO)
    with pytest.raises(ClientError, match="AccessDenied"):
        ours.list_object_versions(Bucket=bucket, ExpectedBucketOwner=TWO)


def test_an_object_of_another_account_is_copied_where_its_policy_lets_it_be_read(accounts: Engine, bucket: str) -> None:
    version = client(accounts, ONE, "s3").put_object(Bucket=bucket, Key="model", Body=b"first")["VersionId"]
    client(accounts, ONE, "s3").put_object(Bucket=bucket, Key="model", Body=b"second")
    theirs, name = client(accounts, TWO, "s3"), f"bucket-{uuid4().hex[:8]}"
    theirs.create_bucket(Bucket=name)
    source = {"Bucket": bucket, "Key": "model", "VersionId": version}
    with pytest.raises(ClientError, match="AccessDenied"):
        theirs.copy_object(Bucket=name, Key="copy", CopySource=source)
    opened(accounts, bucket, allow(TWO, ["s3:GetObject", "s3:GetObjectVersion"], objects(bucket)))

    theirs.copy_object(Bucket=name, Key="copy", CopySource=source)

    assert theirs.get_object(Bucket=name, Key="copy")["Body"].read() == b"first"
    assert [each["Key"] for each in theirs.list_objects_v2(Bucket=name)["Contents"]] == ["copy"]


def test_a_part_of_an_object_of_another_account_is_copied(accounts: Engine, bucket: str) -> None:
    client(accounts, ONE, "s3").put_object(Bucket=bucket, Key="model", Body=b"bytes of a model")
    opened(accounts, bucket, allow(TWO, ["s3:GetObject", "s3:GetObjectVersion"], objects(bucket)))
    theirs, name = client(accounts, TWO, "s3"), f"bucket-{uuid4().hex[:8]}"
    theirs.create_bucket(Bucket=name)
    upload = {"Bucket": name, "Key": "copy"}
    upload["UploadId"] = theirs.create_multipart_upload(**upload)["UploadId"]
    source = {"Bucket": bucket, "Key": "model"}

    part = theirs.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=0-4")

    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    theirs.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert theirs.get_object(Bucket=name, Key="copy")["Body"].read() == b"bytes"


# Roles


def test_a_role_is_taken_on_by_those_of_another_account_whom_it_trusts(accounts: Engine) -> None:
    trust = {"Effect": "Allow", "Principal": root(TWO), "Action": "sts:AssumeRole"}
    trust["Condition"] = {"ArnLike": {"aws:PrincipalArn": person(TWO, "app*")}}
    name = f"role-{uuid4().hex[:8]}"
    iam = client(accounts, ONE, "iam")
    arn = iam.create_role(RoleName=name, Path="/signoff/", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]

    taken = client(accounts, TWO, "sts", "approver").assume_role(RoleArn=arn, RoleSessionName="it")

    assert taken["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ONE}:assumed-role/{name}/it"
    for account, user in ((TWO, "submitter"), (THREE, "approver")):
        with pytest.raises(ClientError, match="AccessDenied"):
            client(accounts, account, "sts", user).assume_role(RoleArn=arn, RoleSessionName="it")


# Buses


class Listener:
    """A bus in an account, and a queue that hears everything on it."""

    def __init__(self, engine: Engine, account: str, region: str | None = None) -> None:
        self._events = client(engine, account, "events", region=region)
        self._sqs = client(engine, account, "sqs", region=region)
        self.bus = f"bus-{uuid4().hex[:8]}"
        self.arn = self._events.create_event_bus(Name=self.bus)["EventBusArn"]
        url = self._sqs.create_queue(QueueName=self.bus)["QueueUrl"]
        self._url = url
        queue = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self._events.put_rule(Name=self.bus, EventBusName=self.bus, EventPattern='{"version": ["0"]}')
        self._events.put_targets(Rule=self.bus, EventBusName=self.bus, Targets=[{"Id": "1", "Arn": queue}])

    def open_to(self, account: str, **condition: Any) -> None:
        statement = allow(account, "events:PutEvents", self.arn, **condition)
        self._events.put_permission(EventBusName=self.bus, Policy=document(statement))

    def forward(self, engine: Engine, account: str, to: str, role: str) -> None:
        self._events.put_rule(Name="forward", EventBusName=self.bus, EventPattern='{"source": ["acme"]}')
        target = {"Id": "1", "Arn": to, "RoleArn": role}
        assert (
            self._events.put_targets(Rule="forward", EventBusName=self.bus, Targets=[target])["FailedEntryCount"] == 0
        )

    def say(self, about: str, detail_type: str = "Decision") -> None:
        entry = {**DECIDES, "DetailType": detail_type, "Detail": json.dumps({"about": about}), "EventBusName": self.bus}
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def heard(self) -> list[dict[str, Any]]:
        messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    def hears(self) -> dict[str, Any]:
        """The next event on the bus."""
        (event,) = eventually(self.heard)
        return dict(event)


def sender(accounts: Engine, account: str, to: str) -> str:
    """The ARN of a role under which a rule may put events on the bus `to`."""
    iam, name = client(accounts, account, "iam"), f"role-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    policy = document({"Effect": "Allow", "Action": "events:PutEvents", "Resource": to})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return str(arn)


def test_a_rule_sends_events_to_another_accounts_bus_and_they_keep_their_account(accounts: Engine) -> None:
    central, ours = Listener(accounts, ONE), Listener(accounts, TWO)
    central.open_to(TWO, StringEquals={"events:detail-type": "Decision"})
    ours.forward(accounts, TWO, central.arn, sender(accounts, TWO, central.arn))

    ours.say("a model", "Gossip")
    ours.say("a model")

    event = central.hears()
    assert (event["account"], event["detail"], event["detail-type"]) == (TWO, {"about": "a model"}, "Decision")
    assert central.heard() == []


def test_a_rule_sends_events_to_a_bus_in_another_region(accounts: Engine) -> None:
    there, here = Listener(accounts, ONE, "eu-west-1"), Listener(accounts, ONE)
    here.forward(accounts, ONE, there.arn, sender(accounts, ONE, there.arn))

    here.say("a model")

    assert there.hears()["region"] == accounts.region


def test_a_bus_takes_no_events_of_an_account_that_its_policy_does_not_name(accounts: Engine) -> None:
    central, ours, theirs = Listener(accounts, ONE), Listener(accounts, TWO), Listener(accounts, THREE)
    central.open_to(TWO)
    theirs.forward(accounts, THREE, central.arn, sender(accounts, THREE, central.arn))
    ours.forward(accounts, TWO, central.arn, sender(accounts, TWO, central.arn))

    theirs.say("not heard")
    ours.say("heard")

    assert central.hears()["detail"] == {"about": "heard"}


def test_a_rules_role_must_be_allowed_to_send_to_the_bus(accounts: Engine) -> None:
    central, ours, allowed = Listener(accounts, ONE), Listener(accounts, TWO), Listener(accounts, TWO)
    central.open_to(TWO)
    ours.forward(accounts, TWO, central.arn, sender(accounts, TWO, "arn:aws:events:us-east-1:999999999999:event-bus/x"))
    allowed.forward(accounts, TWO, central.arn, sender(accounts, TWO, central.arn))

    ours.say("not heard")
    allowed.say("heard")

    assert central.hears()["detail"] == {"about": "heard"}


def test_what_came_from_another_account_is_not_passed_on_to_a_third(accounts: Engine) -> None:
    third, central, ours = Listener(accounts, THREE), Listener(accounts, ONE), Listener(accounts, TWO)
    third.open_to(ONE)
    central.open_to(TWO)
    central.forward(accounts, ONE, third.arn, sender(accounts, ONE, third.arn))
    ours.forward(accounts, TWO, central.arn, sender(accounts, TWO, central.arn))

    ours.say("for the second only")
    central.say("for the third too")

    assert third.hears()["detail"] == {"about": "for the third too"}


def test_a_buss_policy_says_which_accounts_put_events_on_it(accounts: Engine) -> None:
    central = Listener(accounts, ONE)
    central.open_to(TWO, StringEquals={"events:detail-type": "Decision"})

    def put(account: str, user: str | None = "submitter", **changed: str) -> Any:
        entry = {**DECIDES, "Detail": "{}", "EventBusName": central.arn, **changed}
        return client(accounts, account, "events", user).put_events(Entries=[entry])

    for who in ({"account": THREE}, {"account": THREE, "user": None}, {"account": TWO, "DetailType": "Gossip"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            put(**who)
    assert put(TWO)["FailedEntryCount"] == 0
    assert central.hears()["account"] == TWO
