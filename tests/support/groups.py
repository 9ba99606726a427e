"""A model package group of a test's own, its submissions and its packages: what their people do and see."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from local.invoke.statements import submission
from signoff.documents import timestamps
from signoff.ledger.entries import Kind
from signoff.ledger.state import State
from signoff.runtime.clock import utc_now
from signoff.submission.layout import TO_BE_SIGNED
from tests.support.deployed import policy_of
from tests.support.pipeline import Pipeline
from tests.support.submissions import Files, honest
from tests.support.waiting import eventually

REPORT = "registration-report.json"
REASON = "Recall holds on the new cohort"


@dataclass(frozen=True)
class Package:
    """A model package, as SageMaker and the ledger show it."""

    pipeline: Pipeline
    arn: str

    @property
    def state(self) -> State:
        """What its ledger comes to."""
        return self.pipeline.history(self.arn).state

    @property
    def status(self) -> str:
        """Where it stands."""
        return str(self.state.status)

    def until(self, status: str) -> "Package":
        """This package, once it stands at `status` and nothing more happens to it."""
        eventually(lambda: self.status == status, what=f"{self.arn} to be {status}, not {self.entries()}")
        self.pipeline.quiet()
        assert self.status == status
        return self

    def entries(self, *kinds: Kind) -> list[dict[str, Any]]:
        """The details of its ledger's entries, of those kinds or of all."""
        history = self.pipeline.history(self.arn)
        return [entry.details for entry in history.entries if not kinds or entry.kind in kinds]

    def kinds(self) -> list[str]:
        """The kinds of its ledger's entries, in order."""
        return [str(entry.kind) for entry in self.pipeline.history(self.arn).entries]

    def evidence(self) -> dict[str, Any]:
        """Its evidence, read from the vault."""
        evidence = self.state.evidence
        assert evidence is not None
        bucket, _, key = evidence["uri"].removeprefix("s3://").partition("/")
        document: dict[str, Any] = json.load(self.pipeline.aws("s3").get_object(Bucket=bucket, Key=key)["Body"])
        return document

    def described(self) -> dict[str, Any]:
        """What SageMaker says of it."""
        answer: dict[str, Any] = self.pipeline.aws("sagemaker").describe_model_package(ModelPackageName=self.arn)
        answer.pop("ResponseMetadata")
        return answer

    @property
    def registry(self) -> tuple[str, str]:
        """Its approval status in the registry and why."""
        described = self.described()
        return described["ModelApprovalStatus"], described.get("ApprovalDescription", "")

    def update(self, by: str = "submitter", **fields: Any) -> None:
        """Have somebody change it in the registry by hand."""
        self.pipeline.aws("sagemaker", by).update_model_package(ModelPackageArn=self.arn, **fields)

    def decide(self, decision: str, by: str = "approver", reason: str = REASON, **said: Any) -> None:
        """Have somebody decide about it, and wait until nothing more comes of that."""
        self.say(decision, by, reason, **said)
        self.pipeline.quiet()

    def say(self, decision: str, by: str = "approver", reason: str = REASON, **said: Any) -> None:
        """Have somebody send a decision about it."""
        self.pipeline.say(self.statement(decision, by, reason, **said), user=by)

    def statement(self, decision: str, by: str = "approver", reason: str = REASON, **said: Any) -> dict[str, Any]:
        """A decision about it that somebody signs now, on the evidence at hand unless `said` otherwise."""
        shown = {"evidence": self.seen(), "standing": self.standing()}
        known = {name: value for name, value in shown.items() if value}
        decided = {"package": self.arn, "decision": decision, "reason": reason, **known, **said}
        return self.pipeline.signed(decided, by)

    def seen(self) -> str | None:
        """The digest of its evidence, if it is a package that has any."""
        try:
            evidence = self.state.evidence
        except ClientError:
            return None
        return evidence["sha256"] if evidence else None

    def standing(self) -> str | None:
        """The hash of the entry that gave it its status, if it is a package that has any."""
        try:
            moved = self.state.moved
        except ClientError:
            return None
        return moved.hash if moved else None

    def approve(self, by: str = "approver") -> dict[str, Any]:
        """Have it approved and return the model that comes of it."""
        self.decide("approve", by)
        return self.until("Approved").model()

    def model(self) -> dict[str, Any]:
        """The deployable model that its ledger names, as SageMaker describes it."""
        eventually(lambda: self.state.model, what=f"a model of {self.arn}")
        models = self.models()
        assert len(models) == 1, models
        assert models[0]["ModelName"] == (self.state.model or {})["name"]
        return models[0]

    def models(self) -> list[dict[str, Any]]:
        """Every model that was made of it, as SageMaker describes it."""
        described = self.described()
        name = f"{described['ModelPackageGroupName']}-v{described['ModelPackageVersion']}"
        return models_of(self.pipeline, name)


def models_of(pipeline: Pipeline, name: str) -> list[dict[str, Any]]:
    """The models whose names begin with a group's, or a group's and a version's, as SageMaker describes them."""
    sagemaker = pipeline.aws("sagemaker")
    pages = sagemaker.get_paginator("list_models").paginate(NameContains=name)
    names = [model["ModelName"] for page in pages for model in page["Models"]]
    return [_described(sagemaker, found) for found in names if found.startswith(f"{name}-")]


def _described(sagemaker: Any, name: str) -> dict[str, Any]:
    described: dict[str, Any] = sagemaker.describe_model(ModelName=name)
    described.pop("ResponseMetadata")
    return described


@dataclass(frozen=True)
class Submission:
    """A submission's prefix in the artifacts bucket, and what its sender can see of it."""

    pipeline: Pipeline
    prefix: str

    def put(self, name: str, body: bytes, **more: Any) -> str:
        """Upload one object and return its version id."""
        bucket = self.pipeline.outputs["ArtifactsBucket"]
        s3 = self.pipeline.aws("s3", "submitter")
        return str(s3.put_object(Bucket=bucket, Key=f"{self.prefix}/{name}", Body=body, **more)["VersionId"])

    def delete(self, name: str) -> None:
        """Delete one object."""
        bucket = self.pipeline.outputs["ArtifactsBucket"]
        self.pipeline.aws("s3").delete_object(Bucket=bucket, Key=f"{self.prefix}/{name}")

    def has_waited(self, **time: float) -> None:
        """Have it wait for as long already for what it lacks."""
        since = timestamps.text(utc_now() - timedelta(**time))
        self.pipeline.aws("dynamodb").update_item(
            TableName=self.pipeline.outputs["SubmissionsTable"],
            Key={"submission": {"S": self.prefix}},
            UpdateExpression="SET #since = :since",
            ExpressionAttributeNames={"#since": "since"},
            ExpressionAttributeValues={":since": {"S": since}},
        )

    def upload(self, files: Files, signed: Files | None = None) -> "Submission":
        """Upload files in their order, and last what is signed of them, or of `signed`, as the command does."""
        for name, body in files.items():
            self.put(name, body, Metadata=TO_BE_SIGNED)
        return self.sign(files if signed is None else signed)

    def sign(self, files: Files, user: str = "submitter", **said: Any) -> "Submission":
        """Have somebody sign for these files, with what is `said` otherwise."""
        self.put("submission.json", json.dumps(self.statement(files, user, **said)).encode())
        return self

    def statement(self, files: Files, user: str = "submitter", **said: Any) -> dict[str, Any]:
        """What somebody signs now for these files."""
        return self.pipeline.signed({**submission(self.prefix, files), **said}, user)

    def report(self) -> dict[str, Any]:
        """The report that Signoff leaves beside the manifest, once it is there."""
        return eventually(self._report, what=f"a report on {self.prefix}")

    def reported(self) -> bool:
        """Whether there is a report."""
        return self._report() is not None

    def _report(self) -> dict[str, Any] | None:
        bucket, s3 = self.pipeline.outputs["ArtifactsBucket"], self.pipeline.aws("s3", "submitter")
        try:
            answer = s3.get_object(Bucket=bucket, Key=f"{self.prefix}/{REPORT}")
        except s3.exceptions.NoSuchKey:
            return None
        report: dict[str, Any] = json.load(answer["Body"])
        return report

    def tags(self, name: str) -> dict[str, str]:
        """The tags of an object of the submission."""
        bucket, key = self.pipeline.outputs["ArtifactsBucket"], f"{self.prefix}/{name}"
        tags = self.pipeline.aws("s3", "submitter").get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def package(self) -> Package:
        """The package that it was registered as."""
        report = self.report()
        assert report["outcome"] == "registered", report
        return Package(self.pipeline, report["package"])


@dataclass(frozen=True)
class Group:
    """A model package group that belongs to one test."""

    pipeline: Pipeline
    name: str

    def policy(self, **fields: Any) -> None:
        """Give it a policy of its own."""
        role = {"execution_role": self.pipeline.outputs["ModelExecutionRoleArn"], **fields.pop("deployment", {})}
        policy_of(self.pipeline.stack, self.name, {"groups": {"create": True}, "deployment": role, **fields})

    def submission(self, name: str | None = None) -> Submission:
        """A submission to it that nothing is uploaded to yet."""
        return Submission(self.pipeline, f"{self.name}/{name or uuid4().hex[:8]}")

    def submit(self, files: Files | None = None) -> Submission:
        """A submission that is uploaded: an honest one unless `files` say otherwise."""
        return self.submission().upload(honest() if files is None else files)

    def pending(self, files: Files | None = None) -> Package:
        """A package that awaits a decision."""
        return self.submit(files).package().until("PendingApproval")

    def create(self) -> None:
        """Create the group by hand, as somebody who has never heard of Signoff."""
        self.pipeline.aws("sagemaker").create_model_package_group(ModelPackageGroupName=self.name)

    def register(self, **fields: Any) -> Package:
        """Register a package directly with SageMaker, as a training pipeline does that knows nothing of Signoff."""
        request = {"ModelApprovalStatus": "PendingManualApproval", **fields}
        sagemaker = self.pipeline.aws("sagemaker", "submitter")
        answer = sagemaker.create_model_package(ModelPackageGroupName=self.name, **request)
        return Package(self.pipeline, answer["ModelPackageArn"])

    def packages(self) -> list[Package]:
        """Its packages, the oldest first; none while there is no such group."""
        sagemaker = self.pipeline.aws("sagemaker")
        if not self._exists(sagemaker):
            return []
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self.name)
        summaries = [summary for page in pages for summary in page["ModelPackageSummaryList"]]
        summaries.sort(key=lambda summary: int(summary["ModelPackageVersion"]))
        return [Package(self.pipeline, summary["ModelPackageArn"]) for summary in summaries]

    def _exists(self, sagemaker: Any) -> bool:
        pages = sagemaker.get_paginator("list_model_package_groups").paginate(NameContains=self.name)
        groups = [group for page in pages for group in page["ModelPackageGroupSummaryList"]]
        return any(group["ModelPackageGroupName"] == self.name for group in groups)

    def everything(self) -> dict[str, Any]:
        """All that is kept anywhere about this group, to be compared with the same at another time."""
        return {
            "ledger": self.pipeline.table("LedgerTable", self.name),
            "packages": self.pipeline.table("PackagesTable", self.name),
            "submissions": self.pipeline.table("SubmissionsTable", self.name),
            "registry": [package.described() for package in self.packages()],
            "tags": self._tags(),
            "models": models_of(self.pipeline, self.name),
            "artifacts": self._versions("ArtifactsBucket", f"{self.name}/"),
            "vault": self._versions("VaultBucket", f"models/{self.name}/"),
        }

    def _tags(self) -> list[dict[str, str]]:
        sagemaker = self.pipeline.aws("sagemaker")
        group = sagemaker.describe_model_package_group(ModelPackageGroupName=self.name)
        tags: list[dict[str, str]] = sagemaker.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
        return tags

    def _versions(self, bucket: str, prefix: str) -> list[tuple[str, str]]:
        pages = self.pipeline.aws("s3").get_paginator("list_object_versions")
        listed = pages.paginate(Bucket=self.pipeline.outputs[bucket], Prefix=prefix)
        return [(version["Key"], version["VersionId"]) for page in listed for version in page.get("Versions", ())]
