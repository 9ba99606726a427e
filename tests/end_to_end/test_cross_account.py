"""One registry, two workload accounts: who registers, who decides, where models are made, and who is refused."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.ledger.entries import Kind
from tests.support import commands
from tests.support.archives import member
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.role_use_report import keep_observed
from tests.support.several_accounts import (
    ALPHA,
    BETA,
    BUS,
    CENTRAL,
    HERE,
    ONE,
    STRANGER,
    THERE,
    TRAINING,
    TWO,
    Account,
    Accounts,
    models_role,
    several_accounts,
)
from tests.support.submissions import honest, model_archive, specification
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts; all that their functions asked of AWS must be what AWS takes."""
    with several_accounts(tmp_path_factory.mktemp("accounts")) as running:
        yield running
        for one in running.observed():
            keep_observed(tmp_path_factory, one)
        assert running.registry.request_faults.read_text() == ""


@pytest.fixture(scope="module")
def central(accounts: Accounts) -> Iterator[Pipeline]:
    """The registry's pipeline; nothing may have ended in a dead-letter queue."""
    pipeline = Pipeline(accounts.registry)
    yield pipeline
    queues = ("Register", "Decision", "Deploy", "Sweep", "Validation", "Announce", "Others")
    assert {name: pipeline.waiting(name, "DeadLetters") for name in queues} == dict.fromkeys(queues, 0)


@pytest.fixture(scope="module")
def training(accounts: Accounts) -> str:
    """A bucket of account ONE with a model in it, which the registry's InspectArtifact may read."""
    s3 = accounts.one.aws("s3")
    s3.create_bucket(Bucket=TRAINING)
    s3.put_bucket_versioning(Bucket=TRAINING, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=TRAINING, Key="job/model.tar.gz", Body=model_archive())
    arn = f"arn:aws:s3:::{TRAINING}"
    reading = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CENTRAL}:root"}}
    statements = [
        {**reading, "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": f"{arn}/*"},
        {**reading, "Action": "s3:ListBucket", "Resource": arn},
    ]
    s3.put_bucket_policy(Bucket=TRAINING, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return f"s3://{TRAINING}/job/model.tar.gz"


def register(accounts: Accounts, url: str, group: str = ALPHA, **fields: Any) -> str:
    """Have account ONE register a package of a group of the registry, as a pipeline there would; returns its ARN."""
    answer = accounts.one.aws("sagemaker").create_model_package(
        ModelPackageGroupName=accounts.group(group), InferenceSpecification=specification(url), **fields
    )
    return str(answer["ModelPackageArn"])


def refused(call: Any, **request: Any) -> bool:
    """Whether a call is refused for want of permission; any other error fails the test."""
    try:
        call(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert "AccessDenied" in code or code in {"403", "Forbidden"}, code
        return True
    return False


def signoff(accounts: Accounts, account: str, user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user of an account."""
    settings = accounts.registry.engine.environment(user, account)
    return commands.signoff(arguments, settings, accounts.registry.request_faults)


def last_refusal(package: Package) -> str:
    """The name of the newest refusal in a package's ledger, once there is one."""
    return str(eventually(lambda: package.entries(Kind.DECISION_REFUSED))[-1]["refusal"])


def test_a_package_registered_from_a_workload_account_ends_as_models_in_two_accounts(
    accounts: Accounts, central: Pipeline, training: str
) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")
    asked = accounts.ears[ONE].hears("Approval Requested", package=package.arn)

    assert accounts.one.decide(package.arn, "approve", evidence=package.seen()) == 0
    package.until("Approved")

    state = package.state
    assert package.arn.startswith(f"arn:aws:sagemaker:{HERE}:{CENTRAL}:model-package/{ALPHA.lower()}/")
    assert (state.submitter, (state.decision or {})["approver"]) == (
        accounts.one.user("submitter"),
        accounts.one.user("approver"),
    )
    assert set(state.targets) == {f"{ONE}/{HERE}", f"{TWO}/{THERE}", f"{CENTRAL}/{THERE}"}
    assert [(there.failed, bool(there.model)) for there in state.targets.values()] == [(None, True)] * 3
    assert (asked["account"], asked["detail"]["group"]) == (CENTRAL, ALPHA)
    assert accounts.ears[ONE].hears("Decision Recorded", package=package.arn)["detail"]["decision"] == "approve"
    assert accounts.ears[ONE].hears("Model Created", package=package.arn, place=f"{TWO}/{THERE}")


def test_each_model_runs_in_its_account_under_its_role_on_a_copy_in_its_region(
    accounts: Accounts, central: Pipeline, training: str
) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")
    accounts.one.decide(package.arn, "approve", evidence=package.seen())
    name = (package.until("Approved").state.model or {})["name"]

    (near,) = (model for model in accounts.one.models() if model["ModelName"] == name)
    (far,) = (model for model in accounts.two.models(THERE) if model["ModelName"] == name)

    key = package.evidence()["subject"]["artifacts"][0]["key"]
    vaults = {HERE: accounts.outputs[CENTRAL]["VaultBucket"], THERE: accounts.outputs[THERE]["VaultBucket"]}
    assert [model["ExecutionRoleArn"] for model in (near, far)] == [models_role(ONE), models_role(TWO)]
    assert near["PrimaryContainer"]["ModelDataUrl"] == f"s3://{vaults[HERE]}/{key}"
    assert far["PrimaryContainer"]["ModelDataUrl"] == f"s3://{vaults[THERE]}/{key}"
    assert f".dkr.ecr.{THERE}." in far["PrimaryContainer"]["Image"]
    registry = Account(accounts.registry.engine, CENTRAL)
    copies = [
        registry.aws("s3", None, region).get_object(Bucket=vaults[region], Key=key, ChecksumMode="ENABLED")
        for region in (HERE, THERE)
    ]
    assert [copy["Body"].read() for copy in copies] == [model_archive()] * 2
    recorded = [each["s3_sha256"] for each in package.evidence()["artifacts"] if each["key"] == key]
    assert recorded * 2 == [f"{copy['ChecksumType']} {copy['ChecksumSHA256']}" for copy in copies]


def test_a_revocation_from_a_workload_account_takes_the_models_back_everywhere(
    accounts: Accounts, central: Pipeline, training: str
) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")
    accounts.one.decide(package.arn, "approve", evidence=package.seen())
    name = (package.until("Approved").state.model or {})["name"]

    accounts.one.decide(package.arn, "revoke")
    package.until("Revoked")

    registry = Account(accounts.registry.engine, CENTRAL)
    everywhere = [*accounts.one.models(), *accounts.two.models(THERE), *registry.models(), *registry.models(THERE)]
    assert name not in [model["ModelName"] for model in everywhere]
    assert package.kinds().count("ModelRetired") == 4


def published(account: Account, region: str) -> str | None:
    """The model that is published as ALPHA's champion in an account and region."""
    ssm = account.aws("ssm", None, region)
    try:
        return str(ssm.get_parameter(Name=f"/signoff/champions/{ALPHA.lower()}")["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None


def test_the_champion_is_published_in_each_account_and_region_until_it_is_revoked(
    accounts: Accounts, central: Pipeline, training: str
) -> None:
    own = Account(accounts.registry.engine, CENTRAL)
    places = {f"{ONE}/{HERE}": (accounts.one, HERE), f"{TWO}/{THERE}": (accounts.two, THERE)}
    places |= {f"{CENTRAL}/{THERE}": (own, THERE), f"{CENTRAL}/{HERE}": (own, HERE)}
    package = Package(central, register(accounts, training)).until("PendingApproval")

    accounts.one.decide(package.arn, "approve", evidence=package.seen())
    state = package.until("Approved").state
    models = {place: there.model for place, there in state.targets.items()} | {f"{CENTRAL}/{HERE}": state.model}
    champions = {place: published(*where) for place, where in places.items()}
    assert champions == {place: (model or {})["arn"] for place, model in models.items()}
    assert str(champions[f"{TWO}/{THERE}"]).startswith(f"arn:aws:sagemaker:{THERE}:{TWO}:model/")

    for each in Group(central, ALPHA).packages():
        if each.status == "Approved":
            accounts.one.decide(each.arn, "revoke")
            each.until("Revoked")
    central.quiet()
    assert [published(*where) for where in places.values()] == [None] * 4


def test_a_submission_by_the_groups_arn_with_the_command_is_registered_and_decided_from_there(
    accounts: Accounts, central: Pipeline, tmp_path: Path
) -> None:
    for name, body in honest().items():
        (tmp_path / name).write_bytes(body)
    model = str(tmp_path / "model.tar.gz")

    submitted = signoff(accounts, TWO, "submitter", "submit", model, "--group", accounts.group(BETA), "--wait")

    assert submitted.returncode == 0, submitted.stderr
    assert "is waiting for approval" in submitted.stdout
    package = Group(central, BETA).packages()[-1].until("PendingApproval")
    assert package.state.submitter == accounts.two.user("submitter")
    seen = ("--evidence", str(package.seen()), "--yes")
    decision = ("approve", f"{BETA}/{package.state.version}", "--reason", "Recall holds", *seen)
    own = signoff(accounts, TWO, "submitter", *decision, "--timeout", "3")
    assert (own.returncode, last_refusal(package)) == (1, "OwnModel")
    approved = signoff(accounts, TWO, "approver", *decision)
    assert (approved.returncode, "is Approved" in approved.stdout) == (0, True), approved.stderr
    assert (package.until("Approved").state.decision or {})["approver"] == accounts.two.user("approver")


def test_metadata_is_annotated_with_the_command_from_a_workload_account(
    accounts: Accounts, central: Pipeline, training: str
) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")
    words = (f"{ALPHA}/{package.state.version}", "--set", "ticket=CHG-4711", "--yes")

    annotated = signoff(accounts, ONE, "approver", "annotate", *words)
    again = signoff(accounts, ONE, "approver", "annotate", *words)
    said = {"statement": "annotation", "package": package.arn, "set": {"ticket": "CHG-1"}}
    accounts.two.say("Model Annotation", accounts.one.signed(said))

    assert (annotated.returncode, "is annotated." in annotated.stdout) == (0, True), annotated.stderr
    assert "is annotated already" in again.stdout
    entry = eventually(lambda: package.entries(Kind.ANNOTATED))[0]
    assert (entry["set"], package.kinds().count("Annotated")) == ({"ticket": "CHG-4711"}, 1)
    assert last_refusal(package) == "ForeignApprover"
    assert package.described()["CustomerMetadataProperties"]["ticket"] == "CHG-4711"


def test_a_package_that_was_refused_is_shown_with_the_reason_from_there(
    accounts: Accounts, central: Pipeline, tmp_path: Path
) -> None:
    for name, body in (honest() | {"model.tar.gz": model_archive(member("../escape", b"x"))}).items():
        (tmp_path / name).write_bytes(body)
    model = str(tmp_path / "model.tar.gz")
    signoff(accounts, TWO, "submitter", "submit", model, "--group", accounts.group(BETA), "--wait")
    package = Group(central, BETA).packages()[-1].until("ValidationFailed")

    told = signoff(accounts, TWO, "submitter", "show", f"{BETA}/{package.state.version}")
    described = json.loads(signoff(accounts, TWO, "submitter", "show", package.arn, "--json").stdout)

    assert (told.returncode, told.stderr) == (0, "")
    assert "../escape: Has a name with `..`" in told.stdout
    assert "in SageMaker  Rejected" in told.stdout
    assert described["registry"]["ModelPackageArn"] == package.arn


def test_the_command_says_what_is_to_be_asked_in_the_registrys_account(accounts: Accounts) -> None:
    asked = signoff(accounts, ONE, "submitter", "list")

    assert asked.returncode == 1
    assert f"the registry, which is in account {CENTRAL} ({HERE})" in asked.stderr


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_nobody_elsewhere_registers_a_package_as_decided(accounts: Accounts, training: str, status: str) -> None:
    sagemaker = accounts.one.aws("sagemaker")
    request = {"ModelPackageGroupName": accounts.group(ALPHA), "InferenceSpecification": specification(training)}

    assert refused(sagemaker.create_model_package, **request, ModelApprovalStatus=status)


def test_nobody_elsewhere_changes_a_package(accounts: Accounts, central: Pipeline, training: str) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")
    before = package.kinds()

    for account in (accounts.one, accounts.two, accounts.stranger):
        for user in ("approver", None):
            sagemaker = account.aws("sagemaker", user)
            assert refused(sagemaker.update_model_package, ModelPackageArn=package.arn, ModelApprovalStatus="Approved")
            assert refused(sagemaker.delete_model_package, ModelPackageName=package.arn)

    central.quiet()
    assert (package.registry[0], package.kinds()) == ("PendingManualApproval", before)


def test_an_account_decides_for_its_own_people_and_about_its_own_groups_only(
    accounts: Accounts, central: Pipeline, training: str
) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")

    said = {"statement": "decision", "package": package.arn, "decision": "reject", "reason": "Not mine to say"}
    accounts.two.say("Model Approval Decision", accounts.one.signed(said))
    in_anothers_name = last_refusal(package)
    beta = Group(central, BETA).pending()
    accounts.one.decide(beta.arn, "approve", evidence=beta.seen())

    assert (in_anothers_name, last_refusal(beta)) == ("ForeignApprover", "AccountNotListed")
    assert (package.status, beta.status) == ("PendingApproval", "PendingApproval")
    told = accounts.ears[ONE].hears("Decision Refused", package=package.arn)
    assert told["detail"]["refusal"] == "ForeignApprover"
    assert accounts.ears[ONE].heard("Decision Refused", package=beta.arn) == []
    assert accounts.ears[TWO].hears("Decision Refused", package=beta.arn)


def test_signoff_reads_nothing_for_an_account_that_is_not_its_own(accounts: Accounts, central: Pipeline) -> None:
    submission = Group(central, BETA).submit()
    (kept,) = submission.package().until("PendingApproval").described()["InferenceSpecification"]["Containers"]
    uploaded = f"s3://{accounts.outputs[CENTRAL]['ArtifactsBucket']}/{submission.prefix}/model.tar.gz"

    for url in (kept["ModelDataUrl"], uploaded):
        package = Package(central, register(accounts, url)).until("ValidationFailed")
        checks = package.evidence()["checks"]
        failed = [each["name"].partition(":")[0] for each in checks if each["status"] == "failed"]
        assert "source" in failed


def test_a_third_account_is_refused_everywhere(accounts: Accounts, central: Pipeline, training: str) -> None:
    package = Package(central, register(accounts, training)).until("PendingApproval")
    before = package.kinds()
    stranger, outputs = accounts.stranger, accounts.outputs
    sagemaker, s3 = stranger.aws("sagemaker"), stranger.aws("s3")
    vault, artifacts = outputs[CENTRAL]["VaultBucket"], outputs[CENTRAL]["ArtifactsBucket"]
    key = package.evidence()["subject"]["artifacts"][0]["key"]

    group = accounts.group(ALPHA)
    assert refused(sagemaker.describe_model_package, ModelPackageName=package.arn)
    assert refused(sagemaker.describe_model_package_group, ModelPackageGroupName=group)
    assert refused(
        sagemaker.create_model_package,
        ModelPackageGroupName=group,
        InferenceSpecification=specification(training),
    )
    assert refused(s3.put_object, Bucket=artifacts, Key=f"{ALPHA}/x/manifest.json", Body=b"{}")
    assert refused(s3.get_object, Bucket=vault, Key=key)
    assert refused(s3.get_object, Bucket=outputs[THERE]["VaultBucket"], Key=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.decide(package.arn, "approve", BUS)
    for account in (ONE, TWO):
        role = outputs[account]["DeployerRoleArn"]
        assert refused(stranger.aws("sts").assume_role, RoleArn=role, RoleSessionName="stranger")

    central.quiet()
    assert package.kinds() == before


def test_a_workload_account_reaches_no_further_than_its_own_groups(accounts: Accounts, training: str) -> None:
    outputs, s3 = accounts.outputs, accounts.one.aws("s3")
    artifacts, vault = outputs[CENTRAL]["ArtifactsBucket"], outputs[CENTRAL]["VaultBucket"]
    one = accounts.one

    assert refused(s3.put_object, Bucket=artifacts, Key=f"{BETA}/x/manifest.json", Body=b"{}")
    assert refused(s3.list_objects_v2, Bucket=artifacts, Prefix=f"{BETA}/")
    assert refused(s3.list_objects_v2, Bucket=vault, Prefix="evidence/")
    assert refused(s3.put_object, Bucket=vault, Key=f"models/{ALPHA}/x/model.tar.gz", Body=b"mine")
    assert refused(
        one.aws("sagemaker").create_model_package,
        ModelPackageGroupName=accounts.group(BETA),
        InferenceSpecification=specification(training),
    )
    role = outputs[ONE]["DeployerRoleArn"]
    assert refused(one.aws("sts").assume_role, RoleArn=role, RoleSessionName="submitter")


def test_nobody_speaks_as_signoff_on_any_bus(accounts: Accounts, central: Pipeline) -> None:
    told = {"Source": "signoff", "DetailType": "Decision Recorded", "Detail": "{}", "EventBusName": "signoff"}

    for account in (accounts.one, accounts.two):
        assert refused(account.aws("events", "approver").put_events, Entries=[told])
    assert refused(central.aws("events", "approver").put_events, Entries=[told])
    assert STRANGER not in json.dumps([event["account"] for event in accounts.ears[ONE].events])
