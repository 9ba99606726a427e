"""The adapters for which there is more to ask than a fake would answer: endpoints, images, the bus, queues, errors."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from signoff.aws.ecr import ImageResolver
from signoff.aws.eventbridge import Bus
from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry, approval_description
from signoff.aws.sqs import Queue
from signoff.aws.ssm import Policies
from signoff.aws.step_functions import Executions
from signoff.aws.vault import Vault
from signoff.errors import AnnouncementFailed, ObjectMissing, PolicyFault, RegistryRefused, Transient, VaultConflict
from signoff.notification.announcements import Event
from tests.support.clock import START

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn"
ROLE = "arn:aws:iam::123456789012:role/model"


class Answering:
    """A client whose every operation fails with one error."""

    def __init__(self, code: str, message: str = "") -> None:
        self._error = ClientError({"Error": {"Code": code, "Message": message}}, "Operation")

    def __getattr__(self, operation: str) -> Any:
        def fail(**_: Any) -> None:
            raise self._error

        return fail


# SageMaker


def test_endpoints_that_use_a_model_are_found_by_their_present_configuration(aws: Any):
    sagemaker = aws("sagemaker")
    for model in ("m1", "m2"):
        container = {"Image": f"{REPOSITORY}:1", "ModelDataUrl": "s3://vault/m.tar.gz"}
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {"VariantName": "v", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(EndpointConfigName=f"{model}-config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="m1-config")
    registry = Registry(sagemaker)
    assert registry.endpoints_using("m1") == ["live"]
    assert registry.endpoints_using("m2") == []


def test_a_model_that_exists_is_not_created_again():
    registry = Registry(Answering("ValidationException", 'Cannot create already existing model "arn".'))
    assert registry.create_model({"ModelName": "m"}) is False


def test_what_sagemaker_finds_wrong_is_a_refusal_in_its_own_words():
    registry = Registry(Answering("ValidationException", "Could not assume role"))
    for call in (registry.create_model, registry.create_package):
        with pytest.raises(RegistryRefused, match="Could not assume role"):
            call({"ModelName": "m"})
    with pytest.raises(RegistryRefused, match="Could not assume role"):
        registry.create_group("churn")
    with pytest.raises(RegistryRefused):
        registry.set_status("arn", "Approved", "why")


@pytest.mark.parametrize("call", ["describe", "group_tags", "describe_model", "create_group", "create_package"])
def test_what_may_pass_by_itself_is_no_refusal(call: str):
    registry = Registry(Answering("ThrottlingException", "Rate exceeded"))
    with pytest.raises(ClientError, match="Rate exceeded"):
        getattr(registry, call)({} if call == "create_package" else "name")


class Batches:
    """Stands before SageMaker, answers BatchDescribeModelPackage, and keeps the requests, as botocore checked them."""

    def __init__(self, sagemaker: Any) -> None:
        self.asked: list[list[str]] = []
        sagemaker.meta.events.register("before-call.sagemaker.BatchDescribeModelPackage", self.answer)

    def answer(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        arns = json.loads(params["body"])["ModelPackageArnList"]
        self.asked.append(arns)
        gone = {"ErrorCode": "ResourceNotFound", "ErrorResponse": "gone"}
        found = {arn: {"ModelPackageArn": arn} for arn in arns if not arn.endswith("0")}
        errors = {arn: gone for arn in arns if arn.endswith("0")}
        answer = {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}
        return SimpleNamespace(status_code=200), answer


def test_packages_are_described_a_hundred_at_a_time_each_once_and_errors_are_kept_beside_them(aws: Any):
    sagemaker = aws("sagemaker")
    batches = Batches(sagemaker)
    arns = [f"arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/{n}" for n in range(1, 251)]
    found, errors = Registry(sagemaker).batch([*arns, *arns])
    assert [len(asked) for asked in batches.asked] == [100, 100, 50]
    assert [*found.keys(), *errors.keys()] == [
        *(arn for arn in arns if not arn.endswith("0")),
        *(arn for arn in arns if arn.endswith("0")),
    ]
    assert errors[arns[9]] == {"ErrorCode": "ResourceNotFound", "ErrorResponse": "gone"}


def test_no_packages_are_described_without_a_call(aws: Any):
    sagemaker = aws("sagemaker")
    batches = Batches(sagemaker)
    assert (Registry(sagemaker).batch([]), batches.asked) == (({}, {}), [])


def test_a_description_keeps_its_words_and_loses_its_lines():
    assert approval_description("one\n\t two  three") == "one two three"
    assert approval_description("x" * 1024) == "x" * 1024
    assert approval_description("x" * 1025) == "x" * 1023 + "…"


# Images


def pushed(ecr: Any) -> str:
    """Push an image by a tag, and return its digest."""
    ecr.create_repository(repositoryName="sklearn")
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": {"digest": f"sha256:{'c' * 64}"}}
    answer = ecr.put_image(repositoryName="sklearn", imageManifest=json.dumps(manifest), imageTag="1.2")
    return str(answer["image"]["imageId"]["imageDigest"])


def test_a_tag_is_resolved_to_its_digest_and_a_digest_is_asked_for(aws: Any):
    ecr = aws("ecr")
    digest = pushed(ecr)
    images = ImageResolver(lambda _: ecr, "us-east-1")
    for image in (f"{REPOSITORY}:1.2", f"{REPOSITORY}@{digest}", f"{REPOSITORY}:of-old@{digest}"):
        assert images.pinned(image) == f"{REPOSITORY}@{digest}"


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (f"{REPOSITORY}:absent", "is not in its repository"),
        (f"{REPOSITORY}/absent:1", "cannot be resolved"),
        (f"{REPOSITORY}@sha256:{'b' * 64}", "is not in its repository"),
        (f"{REPOSITORY}:1.2@sha256:{'b' * 64}", "is not in its repository"),
        (REPOSITORY.replace("us-east-1", "eu-west-1") + ":1.2", "is in eu-west-1"),
        (REPOSITORY.replace("us-east-1", "eu-west-1") + f"@sha256:{'b' * 64}", "is in eu-west-1"),
        (REPOSITORY.replace("us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn") + ":1.2", "is in cn-north-1"),
        (REPOSITORY.replace("amazonaws.com", "amazonaws.com.cn") + ":1.2", "is not a private Amazon ECR image"),
        ("docker.io/library/python:3", "is not a private Amazon ECR image"),
        ("public.ecr.aws/docker/library/python:3", "is not a private Amazon ECR image"),
        ("docker.io/library/python@sha256:1234", "is not a private Amazon ECR image"),
    ],
)
def test_an_image_that_sagemaker_would_not_find_is_missing(aws: Any, image: str, why: str):
    ecr = aws("ecr")
    pushed(ecr)
    with pytest.raises(ObjectMissing, match=why):
        ImageResolver(lambda _: ecr, "us-east-1").pinned(image)


def test_an_image_is_looked_up_in_each_region_that_a_model_of_it_runs_in(aws: Any):
    here = aws("ecr")
    pushed(here)
    there = boto3.client("ecr", region_name="eu-west-1")
    images = ImageResolver({"us-east-1": here, "eu-west-1": there}.__getitem__, "us-east-1")

    with pytest.raises(ObjectMissing, match="Replicate it to eu-west-1"):
        images.replica(f"{REPOSITORY}@sha256:{'b' * 64}", "eu-west-1")

    pinned = f"{REPOSITORY}@{pushed(there)}"  # of another digest, as moto's are in each region
    assert images.replica(pinned, "eu-west-1") == pinned.replace("us-east-1", "eu-west-1")
    with pytest.raises(ObjectMissing, match=r"is not in its repository.*Replicate it to eu-west-1"):
        images.replica(f"{REPOSITORY}@sha256:{'b' * 64}", "eu-west-1")


def test_an_image_in_a_registry_of_ones_own_needs_a_digest_and_nobody_to_ask():
    image = f"registry.example.com/sklearn@sha256:{'a' * 64}"
    assert ImageResolver(lambda _: Answering("ServerException"), "us-east-1").pinned(image) == image


class Failing:
    """ECR that answers with the failure `code` of the image that it is asked for."""

    def __init__(self, code: str) -> None:
        self.code = code

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        return {"images": [], "failures": [{"failureCode": self.code}]}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ImageNotFound", ObjectMissing),
        ("UpstreamAccessDenied", ObjectMissing),
        ("UpstreamTooManyRequests", Transient),
        ("UpstreamUnavailable", Transient),
        ("KmsError", Transient),
    ],
)
def test_an_image_that_cannot_be_looked_up_now_is_not_missing(code: str, error: type[Exception]):
    with pytest.raises(error):
        ImageResolver(lambda _: Failing(code), "us-east-1").pinned(f"{REPOSITORY}:1")


def test_a_registry_that_is_down_says_nothing_about_the_image():
    with pytest.raises(ClientError):
        ImageResolver(lambda _: Answering("ServerException"), "us-east-1").pinned(f"{REPOSITORY}:1")


# Policies


def test_policies_are_read_from_their_parameters(aws: Any):
    ssm = aws("ssm")
    document = json.dumps({"description": "own", "deployment": {"execution_role": ROLE}})
    ssm.put_parameter(Name="/signoff/policies/groups/churn", Value=document, Type="String")
    policies = Policies(ssm, "/signoff/policies")
    assert policies.own("churn").policy.description == "own"
    assert policies.own("other") is None
    with pytest.raises(PolicyFault):
        policies.default()


def test_a_policy_in_another_spelling_is_found_among_all_policies_on_whichever_page(aws: Any):
    ssm = aws("ssm")
    for number in range(25):
        ssm.put_parameter(Name=f"/signoff/policies/groups/other-{number}", Value="{}", Type="String")
    ssm.put_parameter(Name="/signoff/policies/groups/Churn", Value="{}", Type="String")
    policies = Policies(ssm, "/signoff/policies")
    assert [policies.elsewhere_spelled(name) for name in ("CHURN", "Churn", "other-7", "none")] == [
        "Churn",
        *[None] * 3,
    ]


def test_every_policy_there_is_is_listed_with_its_text_on_whichever_page_and_level(aws: Any):
    ssm = aws("ssm")
    expected = {"/signoff/policies/default": "d"} | {f"/signoff/policies/groups/g-{n}": str(n) for n in range(25)}
    for name, text in {**expected, "/signoff/champions/churn": "c"}.items():
        ssm.put_parameter(Name=name, Value=text, Type="String")
    assert Policies(ssm, "/signoff/policies").texts() == expected


def test_who_wrote_a_policy_is_who_wrote_its_newest_version_on_whichever_page(aws: Any):
    ssm, name = aws("ssm"), "/signoff/policies/default"
    with Stubber(ssm) as stub:
        for token, versions in ((None, [(1, "ann"), (3, "eve")]), ("more", [(2, "ben")])):
            page = {"Parameters": [{"Version": number, "LastModifiedUser": who} for number, who in versions]}
            asked = {"Name": name} | ({"NextToken": token} if token else {})
            stub.add_response("get_parameter_history", page | ({} if token else {"NextToken": "more"}), asked)
        assert Policies(ssm, "/signoff/policies").last_writer(name) == "eve"
    assert Policies(ssm, "/signoff/policies").last_writer(name) is None


def test_parameters_that_cannot_be_read_now_are_no_missing_policy():
    with pytest.raises(ClientError):
        Policies(Answering("AccessDeniedException"), "/signoff/policies").own("churn")


# The bus


def test_all_events_reach_the_bus_ten_at_a_time(aws: Any):
    events = aws("events")
    events.create_event_bus(Name="signoff")
    requests: list[dict[str, Any]] = []
    events.meta.events.register("provide-client-params.events.PutEvents", lambda params, **_: requests.append(params))
    ids = Bus(events, "signoff").put([Event("Decision Recorded", {"number": number}) for number in range(23)])
    assert len(set(ids)) == 23
    assert [len(request["Entries"]) for request in requests] == [10, 10, 3]
    entry = requests[2]["Entries"][2]
    assert (entry["Source"], entry["EventBusName"], json.loads(entry["Detail"])) == (
        "signoff",
        "signoff",
        {"number": 22},
    )


def test_nothing_to_announce_calls_nobody():
    assert Bus(Answering("InternalFailure"), "signoff").put([]) == []


class Refusing:
    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 -- EventBridge's own spelling
        failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        return {"FailedEntryCount": 1, "Entries": [failed, *({"EventId": "1"} for _ in Entries[1:])]}


def test_one_event_that_was_not_taken_is_a_failure():
    with pytest.raises(AnnouncementFailed, match=r"1 of 2 events.*slow down"):
        Bus(Refusing(), "signoff").put([Event("a", {}), Event("b", {})])


# Executions and queues


def test_an_execution_is_started_with_the_package_and_who_asks(aws: Any):
    stepfunctions = aws("stepfunctions")
    role = "arn:aws:iam::123456789012:role/states"
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = stepfunctions.create_state_machine(name="v", definition=definition, roleArn=role)["stateMachineArn"]
    executions = Executions(stepfunctions, machine)
    started = executions.start("arn:package", {"by": "arn:sam", "reason": "again"})
    document = json.loads(stepfunctions.describe_execution(executionArn=started)["input"])
    assert document == {
        "detail": {"ModelPackageArn": "arn:package"},
        "revalidate": {"by": "arn:sam", "reason": "again"},
    }
    assert executions.status(started) in {"RUNNING", "SUCCEEDED"}
    assert executions.status(f"{started[:-4]}0000") == "GONE"


def test_a_queue_takes_events_as_eventbridge_would_deliver_them(aws: Any):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="decisions")["QueueUrl"]
    Queue(sqs, url).send("SageMaker Model Package State Change", {"ModelPackageArn": "arn"})
    body = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert body == {
        "source": "signoff.sweep",
        "detail-type": "SageMaker Model Package State Change",
        "detail": {"ModelPackageArn": "arn"},
    }


# The vault over S3


@pytest.fixture
def vault(aws: Any) -> Vault:
    s3 = aws("s3")
    for name in ("vault", "artifacts"):
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    self_made = Vault(Bucket(s3, "vault"))
    s3.put_object(Bucket="artifacts", Key="m", Body=b"model")
    return self_made


def test_the_same_document_is_kept_once_under_its_digest(vault: Vault):
    first, second = vault.write("evidence", {"a": 1, "b": 2}), vault.write("evidence", {"b": 2, "a": 1})
    assert first == second
    assert first.key == f"evidence/{first.sha256}.json"
    assert vault.read("evidence", first.sha256) == {"a": 1, "b": 2}


def test_a_named_document_is_never_another(vault: Vault):
    vault.write_named("registrations/1.json", {"a": 1})
    vault.write_named("registrations/1.json", {"a": 1})
    with pytest.raises(VaultConflict):
        vault.write_named("registrations/1.json", {"a": 2})
    assert vault.read_named("registrations/1.json") == {"a": 1}
    assert vault.read_named("registrations/2.json") is None


def tags(aws: Any, key: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in aws("s3").get_object_tagging(Bucket="vault", Key=key)["TagSet"]}


def test_a_copy_is_made_once_and_never_taken_for_that_of_another_version(vault: Vault, aws: Any):
    artifacts = Bucket(aws("s3"), "artifacts")
    source = artifacts.current("m")
    first = vault.keep(source, "models/churn/1/m")
    assert tags(aws, "models/churn/1/m") == {"signoff:kept": "until-decided"}
    vault.keep_approved("models/churn/1/m", first.version_id)
    assert tags(aws, "models/churn/1/m") == {"signoff:kept": "approved"}
    vault.keep(source, "models/churn/2/m", expires=False)
    assert tags(aws, "models/churn/2/m") == {}
    assert vault.keep(source, "models/churn/1/m") == first
    assert artifacts.put_after(artifacts.current("m"), "m", b"another model")
    with pytest.raises(VaultConflict, match="is not a copy of"):
        vault.keep(artifacts.current("m"), "models/churn/1/m")


class Locked:
    """The part of S3 that keeps versions under Object Lock, which moto does not have: it weakens no lock."""

    def __init__(self, **kept: Any) -> None:
        self.kept = kept
        self.calls: list[str] = []

    def get_object_retention(self, **_: Any) -> dict[str, Any]:
        self.calls.append("get")
        if not self.kept:
            raise ClientError({"Error": {"Code": "NoSuchObjectLockConfiguration"}}, "GetObjectRetention")
        return {"Retention": self.kept}

    def put_object_retention(self, Retention: dict[str, Any], **_: Any) -> None:  # noqa: N803 -- S3's own spelling
        self.calls.append("put")
        shorter = self.kept and Retention["RetainUntilDate"] < self.kept["RetainUntilDate"]
        if shorter or (self.kept.get("Mode"), Retention["Mode"]) == ("COMPLIANCE", "GOVERNANCE"):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObjectRetention")
        self.kept = Retention


EARLY, LATE = START + timedelta(days=90), START + timedelta(days=900)


def locked(mode: str, until: datetime) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": until}


@pytest.mark.parametrize(
    ("kept", "expected", "calls"),
    [
        ({}, locked("GOVERNANCE", EARLY), ["put"]),
        (locked("GOVERNANCE", START), locked("GOVERNANCE", EARLY), ["put"]),
        (locked("COMPLIANCE", START), locked("COMPLIANCE", EARLY), ["put", "get", "put"]),
        (locked("GOVERNANCE", LATE), locked("GOVERNANCE", LATE), ["put", "get"]),
        (locked("COMPLIANCE", LATE), locked("COMPLIANCE", LATE), ["put", "get"]),
    ],
)
def test_retention_is_extended_with_one_call_and_never_weakened(
    kept: dict[str, Any], expected: dict[str, Any], calls: list[str]
):
    s3 = Locked(**kept)
    Bucket(s3, "vault").retain("k", "v1", EARLY, "GOVERNANCE")
    assert (s3.kept, s3.calls) == (expected, calls)


class Unyielding(Locked):
    """A version whose lock S3 does not change, with that error."""

    def __init__(self, code: str, **kept: Any) -> None:
        super().__init__(**kept)
        self.code = code

    def put_object_retention(self, Retention: dict[str, Any], **_: Any) -> None:  # noqa: N803 -- S3's own spelling
        raise ClientError({"Error": {"Code": self.code}}, "PutObjectRetention")


def test_a_retention_that_may_not_be_extended_is_an_error():
    s3 = Unyielding("AccessDenied", **locked("GOVERNANCE", START))
    with pytest.raises(ClientError, match="AccessDenied"):
        Bucket(s3, "vault").retain("k", "v1", EARLY, "GOVERNANCE")


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion", "MethodNotAllowed"])
def test_what_is_not_there_cannot_be_retained(code: str):
    with pytest.raises(ObjectMissing, match="s3://vault/k does not exist"):
        Bucket(Unyielding(code), "vault").retain("k", None, EARLY, "GOVERNANCE")


class Tagged:
    """The part of S3 that tags, where the bucket's policy lets nobody tag what is approved."""

    def __init__(self, **tags: str) -> None:
        self.tags = tags
        self.calls: list[str] = []

    def get_object_tagging(self, **_: Any) -> dict[str, Any]:
        self.calls.append("get")
        return {"TagSet": [{"Key": key, "Value": value} for key, value in self.tags.items()]}

    def put_object_tagging(self, Tagging: dict[str, Any], **_: Any) -> None:  # noqa: N803 -- S3's own spelling
        self.calls.append("put")
        if self.tags.get("kept") in {"approved", "otherwise"}:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObjectTagging")
        self.tags = {tag["Key"]: tag["Value"] for tag in Tagging["TagSet"]}


@pytest.mark.parametrize(("kept", "calls"), [("until-decided", ["put"]), ("approved", ["put", "get"])])
def test_what_is_approved_is_tagged_so_with_one_call_and_stays_so(kept: str, calls: list[str]):
    s3 = Tagged(kept=kept)
    Bucket(s3, "vault").tag_once("k", "v1", {"kept": "approved"})
    assert (s3.tags, s3.calls) == ({"kept": "approved"}, calls)


def test_a_tag_that_may_not_be_set_is_an_error():
    with pytest.raises(ClientError, match="AccessDenied"):
        Bucket(Tagged(kept="otherwise"), "vault").tag_once("k", "v1", {"kept": "approved"})
