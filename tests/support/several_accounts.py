"""One registry and two workload accounts on the engine, each with its own stack, deployed by the CDK's own CLI."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.app import build
from local.deploy import LOCAL_CONTEXT, Outputs, deploy
from local.engine.process import Engine
from local.engine.seed import seed
from local.invoke.statements import signed_by
from tests.support.deployed import Deployed
from tests.support.role_use import Observed, observe
from tests.support.waiting import eventually

CENTRAL, ONE, TWO, STRANGER = "123456789012", "222222222222", "333333333333", "999999999999"
HERE, THERE = "us-east-1", "eu-west-1"
ALPHA, BETA = "Alpha-churn", "beta-churn"
BUS = f"arn:aws:events:{HERE}:{CENTRAL}:event-bus/signoff"
TRAINING = f"training-{ONE}"
# Projects, which have stacks of their own, are another matter.
CONTEXT = {name: value for name, value in LOCAL_CONTEXT.items() if not name.startswith("project")}


def models_role(account: str) -> str:
    """The role that models run under in a workload account."""
    return f"arn:aws:iam::{account}:role/signoff/SignoffModels"


POLICIES = {
    "default": {"groups": {"create": True}},
    f"groups/{ALPHA}": {
        "groups": {"create": True},
        "accounts": {"submit": [ONE]},
        "deployment": {
            "targets": [
                {"account": ONE, "region": HERE, "execution_role": models_role(ONE)},
                {"account": TWO, "region": THERE, "execution_role": models_role(TWO)},
                {"region": THERE, "execution_role": f"arn:aws:iam::{CENTRAL}:role/models"},
            ]
        },
    },
    f"groups/{BETA}": {"groups": {"create": True}, "accounts": {"submit": [TWO]}},
}


@dataclass(frozen=True)
class Account:
    """An account of the engine, with its people."""

    engine: Engine
    number: str

    def aws(self, service: str, user: str | None = "submitter", region: str | None = None) -> Any:
        """A client of somebody in the account, or of its administrator when `user` is None."""
        settings = self.engine.environment(user, self.number, region)
        return boto3.client(
            service,
            endpoint_url=self.engine.url,
            region_name=settings["AWS_REGION"],
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    def user(self, name: str) -> str:
        """The ARN of a user of the account."""
        return f"arn:aws:iam::{self.number}:user/{name}"

    def decide(self, package: str, decision: str, bus: str = "signoff", evidence: str | None = None) -> int:
        """Put a decision that the account's approver signs on a bus; returns how many entries were not taken."""
        said = {"package": package, "decision": decision, "reason": "Recall holds"}
        seen = {"evidence": evidence} if evidence else {}
        return self.say("Model Approval Decision", self.signed({"statement": "decision", **said, **seen}), bus)

    def signed(self, statement: Mapping[str, Any], user: str = "approver") -> dict[str, Any]:
        """A statement that a user of the account signs for the registry's bus."""
        return signed_by(user, statement, BUS, self.engine.url, self.number)

    def say(self, detail_type: str, detail: Mapping[str, Any], bus: str = "signoff") -> int:
        """Put an event on a bus, as the account's approver; returns how many entries were not taken."""
        entry = {"EventBusName": bus, "Source": "tickets", "DetailType": detail_type}
        answer = self.aws("events", "approver").put_events(Entries=[{**entry, "Detail": json.dumps(detail)}])
        return int(answer["FailedEntryCount"])

    def models(self, region: str | None = None) -> list[dict[str, Any]]:
        """The models in the account, as SageMaker describes them."""
        sagemaker = self.aws("sagemaker", None, region)
        names = [model["ModelName"] for model in sagemaker.list_models()["Models"]]
        return [sagemaker.describe_model(ModelName=name) for name in names]


class Ear:
    """Hears every event on an account's bus `signoff` from when it is made."""

    def __init__(self, account: Account) -> None:
        self._sqs, events = account.aws("sqs"), account.aws("events")
        self._url = self._sqs.create_queue(QueueName="ear")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="ear", EventBusName="signoff", EventPattern=json.dumps({"source": ["signoff"]}))
        events.put_targets(Rule="ear", EventBusName="signoff", Targets=[{"Id": "1", "Arn": arn}])
        self.events: list[dict[str, Any]] = []

    def heard(self, detail_type: str, **detail: Any) -> list[dict[str, Any]]:
        """The events of that type so far whose detail says so."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            self.events += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [e for e in self.events if e["detail-type"] == detail_type and detail.items() <= e["detail"].items()]

    def hears(self, detail_type: str, **detail: Any) -> dict[str, Any]:
        """The first such event, once it is there."""
        return eventually(lambda: self.heard(detail_type, **detail), what=f"{detail_type} {detail}")[0]


@dataclass(frozen=True)
class Accounts:
    """The registry's account, two that work with it, and one that nobody has heard of."""

    registry: Deployed
    one: Account
    two: Account
    stranger: Account
    outputs: Mapping[str, Outputs]
    ears: Mapping[str, Ear]
    directory: Path

    def observed(self) -> Iterator[Observed]:
        """Yield what the roles of each stack may do and have done."""
        notes, workload = self.registry.role_use, self.directory / "workload/SignoffWorkload.template.json"
        yield self.registry.observed(self.directory / "central")
        for account in (self.one, self.two):
            aws = partial(account.aws, user=None)
            yield observe(aws, workload, "SignoffWorkload", notes, account.number, HERE)

    def group(self, name: str) -> str:
        """The ARN of a group of the registry."""
        return f"arn:aws:sagemaker:{HERE}:{CENTRAL}:model-package-group/{name.lower()}"


@contextlib.contextmanager
def several_accounts(directory: Path) -> Iterator[Accounts]:
    """Start an engine with four accounts, and deploy the registry, its further region and two workloads to it."""
    faults, role_use = directory / "request-faults.txt", directory / "role-use.jsonl"
    faults.touch()
    role_use.touch()
    accounts = (ONE, TWO, STRANGER)
    with Engine.start(
        log=directory / "engine.log",
        faults=faults,
        auth=True,
        wait_scale=0.05,
        accounts=accounts,
        role_use=role_use,
    ) as engine:
        image, _ = seed(engine), seed(engine, THERE)
        central, region = _central(engine, directory)
        workload = directory / "workload"
        build({**CONTEXT, **_where(central)}, workload).synth()
        stacks = {account: _deployed(engine, workload, "SignoffWorkload", account) for account in (ONE, TWO)}
        people = {number: Account(engine, number) for number in accounts}
        yield Accounts(
            Deployed(engine, central, image, faults, role_use),
            *people.values(),
            outputs={CENTRAL: central, THERE: region, **stacks},
            ears={number: Ear(people[number]) for number in (ONE, TWO)},
            directory=directory,
        )


def _central(engine: Engine, directory: Path) -> tuple[Outputs, Outputs]:
    for name, document in POLICIES.items():
        path = directory / "policies" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    choices = {
        "policies": str(directory / "policies"),
        "regions": THERE,
        "sourceBuckets": TRAINING,
    }
    assembly = directory / "central"
    build({**CONTEXT, **choices}, assembly).synth()
    region = _deployed(engine, assembly, f"SignoffRegion-{THERE}", CENTRAL, THERE)
    return _deployed(engine, assembly, "Signoff", CENTRAL), region


def _where(central: Outputs) -> dict[str, str]:
    buckets = {"centralArtifactsBucket": central["ArtifactsBucket"], "centralVaultBucket": central["VaultBucket"]}
    return {"central": CENTRAL, "centralRegion": HERE, "regions": THERE, **buckets}


def _deployed(engine: Engine, assembly: Path, stack: str, account: str, region: str | None = None) -> Outputs:
    return deploy(engine, assembly=assembly, stack=stack, account=account, region=region)
