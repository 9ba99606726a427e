"""Insiders on the engine: whatever an approver who also trains models tries, what runs is what others agreed to.

Each road ends with what SageMaker would load (whose bytes, whose environment) and the persons behind it. Whoever makes
a model marks it, so that it says itself whose it is, whatever Signoff believes. `tests.unit.pipeline.test_any_insider`
walks at random; here a sample is walked with real signatures and under IAM.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials

from local.invoke.statements import submission
from signoff.ledger.entries import Kind
from signoff.runtime.clock import utc_now
from signoff.submission.layout import TO_BE_SIGNED
from signoff_cli.statements.signature import sign_statement
from tests.end_to_end.test_registration_refusals import assert_refused as assert_not_registered
from tests.support.forging import People
from tests.support.groups import REASON, Group, Package, Submission, models_of
from tests.support.pipeline import DECISION, Pipeline
from tests.support.submissions import Files, as_json, manifest, model_archive, specification
from tests.support.waiting import eventually

RIGHTS = {
    "s3": ["PutObject"],
    "events": ["PutEvents"],
    "sagemaker": ["DescribeModelPackage", "CreateModelPackage", "UpdateModelPackage"],
    "states": ["StartExecution"],
    "sts": ["GetFederationToken", "AssumeRole"],
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def archive(human: str) -> bytes:
    return model_archive(**{"code/inference.py": f"BY = {human!r}\n".encode()})


def marked(human: str, url: str = "model.tar.gz") -> dict[str, Any]:
    """An inference specification whose environment says who chose it."""
    chosen = specification(url)
    chosen["Containers"][0]["Environment"] = {"BY": human}
    return chosen


def files(human: str) -> Files:
    return {"model.tar.gz": archive(human), "manifest.json": as_json(manifest(InferenceSpecification=marked(human)))}


@dataclass(frozen=True)
class Running:
    """What SageMaker would run: whose bytes and whose environment; and who approved it."""

    sha256: str
    environment: dict[str, str]
    approved: set[str]


@dataclass(frozen=True)
class House:
    """A group that takes two of three approvers; one of them is Mallory, who may also do what a data scientist may."""

    group: Group
    mallory: str
    keys: ReadOnlyCredentials

    @property
    def pipeline(self) -> Pipeline:
        return self.group.pipeline

    def people(self, *names: str) -> set[str]:
        return {self.mallory if name == "mallory" else self.pipeline.user(name) for name in names}

    def model_of(self, human: str, *approved: str) -> Running:
        """The model that is somebody's alone, and that these have approved."""
        return Running(sha256(archive(human)), {"BY": human}, self.people(*approved))

    # What Mallory does

    def aws(self, service: str) -> Any:
        """A client of the engine with Mallory's keys."""
        engine = self.pipeline.stack.engine
        own = {"aws_access_key_id": self.keys.access_key, "aws_secret_access_key": self.keys.secret_key}
        return boto3.client(service, endpoint_url=engine.url, region_name=engine.region, **own)

    def sign(self, said: dict[str, Any], keys: ReadOnlyCredentials | None = None) -> dict[str, Any]:
        """What she says, signed with her keys, or with others that she has got."""
        engine, whole = self.pipeline.stack.engine, {"audience": self.pipeline.outputs["BusArn"], **said}
        return sign_statement(whole, keys or self.keys, engine.url, engine.region, utc_now())

    def decide(self, package: Package, verb: str, keys: ReadOnlyCredentials | None = None, **added: str) -> None:
        """Decide on what is to be seen, and say more than was signed if anything is `added`."""
        seen = {"evidence": package.seen(), "standing": package.standing()}
        stated = {"statement": "decision", "package": package.arn, "decision": verb, "reason": REASON, **seen}
        self.send(self.sign(stated, keys) | added)

    def send(self, *statements: dict[str, Any]) -> None:
        """Put statements on the bus, whoever signed them, and wait until nothing more comes of it."""
        entry = {"EventBusName": self.pipeline.outputs["BusName"], "Source": "mallory", "DetailType": DECISION}
        entries = [{**entry, "Detail": json.dumps(statement)} for statement in statements]
        answer = self.aws("events").put_events(Entries=entries)
        assert answer["FailedEntryCount"] == 0, answer
        self.pipeline.quiet()

    def update(self, package: Package, specification: dict[str, Any]) -> None:
        """Exchange the inference specification of a package that waits, and wait until it has been validated anew."""
        before = package.state.attempt
        self.aws("sagemaker").update_model_package(ModelPackageArn=package.arn, InferenceSpecification=specification)
        eventually(lambda: package.state.attempt > before, what="another validation")
        self.pipeline.quiet()

    def validate(self, package: Package, by: str) -> None:
        """Have a package validated once more, in somebody's name."""
        claimed = {"detail": {"ModelPackageArn": package.arn}, "revalidate": {"by": by, "approver": by}}
        machine, states = self.pipeline.outputs["ValidationArn"], self.aws("stepfunctions")
        started = states.start_execution(stateMachineArn=machine, input=json.dumps(claimed))
        assert self.pipeline.ended(started["executionArn"])["status"] == "SUCCEEDED"
        self.pipeline.quiet()

    def submit(self, group: Group) -> Submission:
        """Submit a model of her own."""
        there, own = group.submission(), files("mallory")
        for name, body in own.items():
            there.put(name, body, Metadata=TO_BE_SIGNED)
        there.put("submission.json", as_json(self.sign(submission(there.prefix, own))))
        return there

    def upload(self, human: str) -> str:
        """Put somebody's model data where a training job would, and return the place."""
        bucket, key = self.pipeline.outputs["ArtifactsBucket"], f"{self.group.name}/{human}/output/model.tar.gz"
        self.aws("s3").put_object(Bucket=bucket, Key=key, Body=archive(human))
        return f"s3://{bucket}/{key}"

    def register(self, human: str) -> Package:
        """A package of the group as a pipeline of `submitter` registers it, once it waits for approval."""
        package = self.group.register(InferenceSpecification=marked(human, self.upload(human)))
        return package.until("PendingApproval")


def running(package: Package) -> list[Running]:
    """What SageMaker would run of a package now: it reads the package and the object at its location."""
    aws, found, votes = package.pipeline.aws, [], set(package.state.votes)
    for model in package.models():
        container = model["PrimaryContainer"]
        if "ModelPackageName" in container:
            described = aws("sagemaker").describe_model_package(ModelPackageName=container["ModelPackageName"])
            (container,) = described["InferenceSpecification"]["Containers"]
        bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
        data = aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        found.append(Running(sha256(data), container["Environment"], votes))
    return found


def refusals(package: Package) -> list[str]:
    return [refused["refusal"] for refused in package.entries(Kind.DECISION_REFUSED)]


@pytest.fixture(scope="module")
def house(pipeline: Pipeline) -> Iterator[House]:
    """The group and Mallory; at the end all that runs in it is one person's, and two others approved it."""
    iam, name = pipeline.aws("iam"), f"mallory-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    actions = [f"{service}:{action}" for service, listed in RIGHTS.items() for action in listed]
    may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="ordinary", PolicyDocument=json.dumps(may))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)
    there = House(Group(pipeline, f"house-{uuid4().hex[:8]}"), pipeline.user(name), keys)
    approvers = sorted(there.people("approver", "reviewer", "mallory"))
    there.group.policy(approvals={"needed": 2, "approvers": approvers})
    yield there
    found = [model for package in there.group.packages() for model in running(package)]
    assert len(models_of(pipeline, there.group.name)) == len(found)
    for model in found:
        human = model.environment["BY"]
        assert model.sha256 == sha256(archive(human))
        assert len(model.approved - there.people(human)) >= 2


def test_what_an_approver_exchanged_never_runs_and_what_was_submitted_does(house: House) -> None:
    package = house.group.pending(files("submitter"))
    submitted = package.described()["InferenceSpecification"]
    package.decide("approve")
    kept = package.statement("approve", by="reviewer")

    exchanged = {"Containers": [{**submitted["Containers"][0], "Environment": {"BY": "mallory"}}]}
    house.update(package, {**submitted, **exchanged})
    house.validate(package, by=house.pipeline.user("reviewer"))
    house.decide(package, "approve")
    house.send(kept)
    package.decide("approve")
    assert (running(package), refusals(package)) == ([], ["ValidationFailed"] * 3)

    package.update(InferenceSpecification=submitted)
    house.validate(package, by=house.pipeline.user("reviewer"))
    assert (package.status, package.state.votes) == ("PendingApproval", ())
    for name in ("approver", "reviewer"):
        package.decide("approve", by=name)
    assert running(package) == [house.model_of("submitter", "approver", "reviewer")]


@pytest.mark.deep
def test_who_both_submits_and_approves_has_no_vote_as_anybody_else(house: House) -> None:
    package = house.submit(house.group).package().until("PendingApproval")
    sts, role = house.aws("sts"), People(house.pipeline).role(f"AmazonSageMaker-{uuid4().hex[:8]}")
    got = [
        sts.get_federation_token(Name="approver")["Credentials"],
        sts.assume_role(RoleArn=role, RoleSessionName="reviewer")["Credentials"],
    ]
    package.decide("approve")

    house.decide(package, "approve")
    for made in got:
        keys = ReadOnlyCredentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        house.decide(package, "approve", keys)
    house.decide(package, "approve", approver=house.pipeline.user("reviewer"))
    assert (running(package), refusals(package)) == ([], ["OwnModel", "NotAnApprover", "NotAnApprover", "NotProven"])

    package.decide("approve", by="reviewer")
    assert running(package) == [house.model_of("mallory", "approver", "reviewer")]


@pytest.mark.deep
def test_what_a_pipeline_registered_and_an_approver_rewrote_takes_more_than_the_others(house: House) -> None:
    package = house.register("submitter")

    house.update(package, marked("mallory", house.upload("mallory")))
    house.decide(package, "approve")
    for name in ("approver", "reviewer"):
        package.decide("approve", by=name)

    assert (running(package), refusals(package)) == ([], ["OwnModel"])
    assert set(package.state.votes) == house.people("approver", "reviewer")


@pytest.mark.deep
def test_an_approver_has_another_groups_bytes_neither_read_nor_run(house: House) -> None:
    theirs = Group(house.pipeline, f"{house.group.name}s").pending(files("reviewer"))
    package = house.register("submitter")

    house.update(package, theirs.described()["InferenceSpecification"])
    for name in ("approver", "reviewer"):
        package.decide("approve", by=name)

    vault, s3 = house.pipeline.outputs["VaultBucket"], house.pipeline.aws("s3")
    listed = s3.list_objects_v2(Bucket=vault, Prefix=f"models/{house.group.name}/")["Contents"]
    read = {sha256(s3.get_object(Bucket=vault, Key=each["Key"])["Body"].read()) for each in listed}
    assert (running(package), refusals(package)) == ([], ["ValidationFailed"] * 2)
    assert (sha256(archive("submitter")) in read, sha256(archive("reviewer")) in read) == (True, False)


@pytest.mark.deep
def test_one_approver_brings_back_nothing_that_was_withdrawn(house: House) -> None:
    package = house.group.pending(files("submitter"))
    kept = [package.statement("approve", by=name, standing=None) for name in ("approver", "reviewer")]
    for verb in ("reject", "reopen"):
        house.decide(package, verb)
    house.send(*kept)
    assert (running(package), package.state.votes) == ([], ())
    assert refusals(package) == ["OlderThanStatus"] * 2

    for name in ("approver", "reviewer"):
        package.decide("approve", by=name)
    assert running(package) == [house.model_of("submitter", "approver", "reviewer")]
    package.decide("revoke")
    for _ in range(2):
        house.decide(package, "rollback")
    house.send(*kept)
    assert (running(package), package.state.votes) == ([], (house.mallory,))

    package.decide("rollback", by="reviewer")
    assert running(package) == [house.model_of("submitter", "mallory", "reviewer")]


def test_what_an_approver_submits_under_another_spelling_of_the_name_is_nothing(house: House) -> None:
    elsewhere = Group(house.pipeline, house.group.name.upper())

    submitted = house.submit(elsewhere)

    assert_not_registered(submitted, "ModelPackageGroupName", f"upload under {house.group.name}/")
    assert (elsewhere.packages(), models_of(house.pipeline, elsewhere.name)) == ([], [])
