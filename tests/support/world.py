"""The whole pipeline in memory: the real steps over fakes, and events delivered as the rules would deliver them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from signoff.approval.apply_annotation import AnnotationHandler
from signoff.approval.apply_decision import DecisionHandler
from signoff.approval.decisions import Refusal
from signoff.approval.reconcile import Reconciler
from signoff.approval.retention import Retention
from signoff.approval.statements import Adapters, Sender
from signoff.approval.witness import DecisionWitness
from signoff.aws.ssm import Policies
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.deployment.approval_lineage import ApprovalLineage
from signoff.deployment.champions import Champions
from signoff.deployment.create_model import ModelDeployer
from signoff.deployment.record_baseline import BaselineRecorder
from signoff.deployment.target_models import TargetModels
from signoff.governance.candidates import Governance
from signoff.governance.champions import ChampionFinder
from signoff.governance.registrations import Registrations
from signoff.governance.registry_status import RegistryProjector
from signoff.ledger import checkpoints
from signoff.ledger.entries import Entry
from signoff.ledger.history import History, package_key
from signoff.ledger.state import State
from signoff.ledger.witnessed import DECISIONS, unwitnessed
from signoff.policy.policy import Policy, parse
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.intake import Intake
from signoff.submission.keep_signature import SignatureKeeper
from signoff.submission.layout import SIGNER, SUBMISSION, TO_BE_SIGNED
from signoff.submission.manifest_shape import manifest_shape
from signoff.submission.register_model import Registrar
from signoff.submission.signature import SignatureVerifier
from signoff.sweep.daily_checkpoint import DailyCheckpoint
from signoff.sweep.image_watch import ImageWatch
from signoff.sweep.sweep import Sweep
from signoff.sweep.temporary_models import TemporaryModels
from signoff.validation.card_writer import CardWriter
from signoff.validation.champion import Comparer
from signoff.validation.images import ImageExaminer
from signoff.validation.inspect_artifact import ArtifactInspector
from signoff.validation.keep_artifact import ArtifactKeeper
from signoff.validation.make_evidence import EvidenceMaker
from signoff.validation.measure_model import ModelMeasurer
from signoff.validation.open_validation import ValidationOpener
from signoff.validation.prepare_measurement import MeasurementPreparer
from signoff.validation.record_evidence import EvidenceRecorder
from signoff.validation.sources import Sources
from tests.support.archives import honest
from tests.support.clock import Clock
from tests.support.deliveries import Deliveries
from tests.support.fake_bucket import FakeS3
from tests.support.fake_jobs import FakeTransformJobs
from tests.support.fake_lineage import FakeLineage
from tests.support.fake_places import FakeTargetAccounts
from tests.support.fake_registry import FakeRegistry
from tests.support.fake_sts import FakeSts
from tests.support.fakes import (
    FakeExecutions,
    FakeImageResolver,
    FakeImageScans,
    FakeLedger,
    FakeParameters,
    FakeQueue,
    FakeStacks,
    FakeSubmissions,
)
from tests.support.interruptions import Interruptions

SHAPE = manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn"
IMAGE, PINNED = f"{REPOSITORY}:1.2", f"{REPOSITORY}@sha256:{'a' * 64}"
SUBMITTER, APPROVER = "arn:aws:iam::123456789012:user/sam", "arn:aws:iam::123456789012:user/ann"
REGISTRAR = "arn:aws:iam::123456789012:role/Signoff"
ROLE = "arn:aws:iam::123456789012:role/model"
MEASURING = "arn:aws:iam::123456789012:role/signoff/Measuring"
REGISTRY = "arn:aws:sagemaker:us-east-1:123456789012"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/signoff"
MODEL = gzip.compress(honest(), mtime=0)
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
CHANGED = {**SPECIFICATION, "SupportedContentTypes": ["application/json"]}
MANIFEST = {
    "InferenceSpecification": SPECIFICATION,
    "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "quality.json"}}},
}
QUALITY = {"multiclass_classification_metrics": {"accuracy": {"value": 0.97, "standard_deviation": "NaN"}}}
ACCURATE = [{"name": "accuracy", "path": "multiclass_classification_metrics.accuracy.value", "at_least": 0.9}]
CHAMPIONS = "/signoff/champions"


def as_bytes(data: Any) -> bytes:
    """Return what is uploaded: bytes as they are, anything else as JSON."""
    return data if isinstance(data, bytes) else json.dumps(data).encode()


class World(Deliveries):
    """Signoff over fakes, with a clock that only a test moves. `interruptions` lets any call be the last."""

    interrupting = Interruptions

    def __init__(self, **policy: Any) -> None:
        self.clock = Clock()
        self.interruptions = self.interrupting()
        self.s3 = FakeS3(self.clock)
        self.inbox, self.vault_bucket = self.s3.bucket("artifacts"), self.s3.bucket("vault")
        self.registry = FakeRegistry(self.clock)
        vaults = {"eu-west-1": "vault-eu-west-1"}
        self.places = FakeTargetAccounts(self.s3, self.clock, vaults, self.interruptions.wrap)
        self.parameters = FakeParameters(self.clock)
        self.deployed_policies: dict[str, str] = {}
        self.images = FakeImageResolver({IMAGE: f"sha256:{'a' * 64}"})
        self.scans = FakeImageScans()
        self.lineage = FakeLineage()
        self.ledger = FakeLedger(self.clock)
        self.submissions = FakeSubmissions()
        self.executions = FakeExecutions()
        self.jobs = FakeTransformJobs(self.s3, self.registry, self.clock)
        self.while_opening: Callable[[], Any] = lambda: None  # what happens while a validation waits to be opened
        self.sts = FakeSts(self.clock)
        self._to_be_signed: dict[str, str] = {}
        self.queues = {name: FakeQueue() for name in ("registrations", "decisions", "deployments")}
        self._announced: dict[str, int] = {}
        self.set_policy("default", **{"groups": {"create": True}, **policy})
        self._compose()

    def _compose(self) -> None:
        wrap = self.interruptions.wrap
        inbox, ledger, registry = wrap(self.inbox), wrap(self.ledger), wrap(self.registry)
        images, submissions = wrap(self.images), wrap(self.submissions)
        policies = Policies(wrap(self.parameters), "/signoff/policies")
        vault = Vault(wrap(self.vault_bucket))
        governance, projector = Governance(registry, policies, REGISTRY), RegistryProjector(registry, ledger)
        registrations, sources = Registrations(vault, REGISTRAR), Sources(vault.name, self.inbox.name)
        retention = Retention(vault, self.clock, days=365, mode="GOVERNANCE")
        self.vault = vault
        asked = wrap(self.sts)
        identity_verifier = IdentityVerifier(
            self.sts.endpoint, self.sts.region, BUS, self.clock, lambda *request: asked.send(*request)
        )
        everywhere: dict[str, Any] = {"registry": registry, "ledger": ledger}
        keep_signature = self.as_function("KeepSignature", SignatureKeeper(identity_verifier, vault).keep)
        self.signature_verifier = SignatureVerifier(inbox, keep_signature)
        intake = Intake(
            inbox=inbox,
            registry=registry,
            policies=policies,
            images=images,
            shape=lambda: SHAPE,
            signature_verifier=self.signature_verifier,
        )
        self.registrar = Registrar(
            inbox=inbox, intake=intake, submissions=submissions, vault=vault, now=self.clock, **everywhere
        )
        self.opener = ValidationOpener(
            governance=governance,
            vault=vault,
            registrations=registrations,
            sources=sources,
            now=self.clock,
            pause=lambda _: self.while_opening(),
            **everywhere,
        )
        self.keeper = ArtifactKeeper(vault, lambda name, owner: wrap(self.s3.owned(name, owner)))
        self.inspector = ArtifactInspector(vault)
        jobs, answers = wrap(self.jobs), wrap(self.s3.bucket("answers"))
        self.preparer = MeasurementPreparer(
            resolver=images,
            vault=vault,
            finder=ChampionFinder(ledger),
            bucket=lambda name: wrap(self.s3.bucket(name)),
            execution_role=MEASURING,
            output="s3://answers/",
            **everywhere,
        )
        self.measurer = ModelMeasurer(registry=registry, jobs=jobs, vault=vault, output=answers)
        maker = EvidenceMaker(
            images=ImageExaminer(images, wrap(self.scans), self.clock),
            comparer=Comparer(finder=ChampionFinder(everywhere["ledger"]), vault=vault),
            vault=vault,
            registrations=registrations,
            sources=sources,
        )
        self.recorder = EvidenceRecorder(
            governance=governance,
            maker=maker,
            vault=vault,
            projector=projector,
            card_writer=CardWriter(registry),
            registrations=registrations,
            now=self.clock,
            **everywhere,
        )
        shape = partial(sagemaker_shape, "UpdateModelPackage")
        witness = DecisionWitness(vault, retention, self.clock)
        witness.begin()
        adapters = Adapters(
            governance=governance,
            ledger=wrap(FakeLedger(self.clock, self.ledger, witness.keep)),
            vault=vault,
            registrations=registrations,
            identity_verifier=identity_verifier,
        )
        self.annotation_handler = AnnotationHandler(adapters=adapters, registry=registry, shape=shape)
        self.decision_handler = DecisionHandler(
            adapters=adapters,
            projector=projector,
            witness=witness,
            retention=retention,
            champions=ChampionFinder(adapters.ledger),
            now=self.clock,
        )
        self.reconciler = Reconciler(registry, self.decision_handler)
        self.champions = Champions(wrap(self.parameters), CHAMPIONS, ledger)
        target_models = TargetModels(self.places, vault, ledger, self.champions)
        everywhere["champions"] = self.champions
        self.deployer = ModelDeployer(
            governance=governance,
            vault=vault,
            projector=projector,
            target_models=target_models,
            approval_lineage=ApprovalLineage(wrap(self.lineage)),
            **everywhere,
        )
        self.stacks: dict[tuple[str, str], str] = {}
        stacks = wrap(FakeStacks(self.stacks))
        self.baseline_recorder = BaselineRecorder(policies=policies, stacks=stacks, **everywhere)
        self.daily_checkpoint = DailyCheckpoint(ledger, vault, self.clock, "GOVERNANCE", days=365)
        queues = {name: wrap(queue) for name, queue in self.queues.items()}
        self.sweeper = Sweep(
            policies=policies,
            submissions=submissions,
            vault=vault,
            inbox=inbox,
            executions=wrap(self.executions),
            queues=queues,
            now=self.clock,
            images=ImageWatch(ledger, vault, wrap(self.scans), self.clock),
            temporary=TemporaryModels(registry, jobs),
            **everywhere,
        )

    def as_function(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return what RegisterModel calls to have another function do something: here it does that itself."""
        return act

    # What people do

    def set_policy(self, name: str, **policy: Any) -> None:
        """Keep a policy as the parameter `name`: `default` or `groups/<group>`."""
        self.policy = policy
        document = {"deployment": {"execution_role": ROLE}, **policy}
        text = json.dumps(document)
        self.parameters.values[f"/signoff/policies/{name}"] = self.deployed_policies[name] = text

    def governing(self, group: str) -> Policy:
        """Return the policy that governs a group which has its own."""
        return parse(self.parameters.values[f"/signoff/policies/groups/{group}"])

    def upload(self, key: str, data: Any) -> str:
        """Put an object into the artifacts bucket and answer its event."""
        self.put(key, data)
        return self.registrar.uploaded(key)

    def put(self, key: str, data: Any) -> None:
        """Put an object into the artifacts bucket; its event is lost."""
        by = self._to_be_signed.get(key)
        metadata = {**TO_BE_SIGNED, SIGNER: by} if by else None
        self.inbox.put(key, as_bytes(data), metadata=metadata)

    def files(self, prefix: str, **changed: Any) -> dict[str, Any]:
        """Return the objects of a submission by key, as they are uploaded, with fields of the manifest `changed`."""
        objects = {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": {**MANIFEST, **changed}}
        return self.signed(prefix, objects)

    def signed(self, prefix: str, objects: Mapping[str, Any], by: str = SUBMITTER, **said: Any) -> dict[str, Any]:
        """Return `objects` by key, and at last what `by` signs of them now; they are uploaded as ones to be signed."""
        keyed = {f"{prefix}/{name}": data for name, data in objects.items()}
        self._to_be_signed |= dict.fromkeys(keyed, by)
        return {**keyed, f"{prefix}/{SUBMISSION}": self.submission(prefix, objects, by, **said)}

    def submission(self, prefix: str, objects: Mapping[str, Any], by: str = SUBMITTER, **said: Any) -> dict[str, Any]:
        """Return a submission.json that `by` signs now, with what is `said` otherwise."""
        digests = {name: hashlib.sha256(as_bytes(data)).hexdigest() for name, data in objects.items()}
        statement = {"statement": "submission", "audience": BUS, "submission": prefix, "objects": digests}
        statement["create_group"] = True
        return self.sts.signed({**statement, **said}, by=by)

    def submit(self, prefix: str = "churn/run-7", **changed: Any) -> str:
        """Upload a whole submission and return its package's ARN; its events wait to be delivered."""
        for key, data in self.files(prefix, **changed).items():
            self.upload(key, data)
        row = self.submissions.get(prefix) or {}
        return str(row["package"])

    def elsewhere(self, group: str = "churn", **fields: Any) -> str:
        """Register a package as SageMaker Pipelines would, from a bucket of its own, and return its ARN."""
        for name, data in (("model.tar.gz", MODEL), ("quality.json", json.dumps(QUALITY).encode())):
            self.s3.bucket("pipelines").put(name, data)
        self.registry.tags.setdefault(group, {})
        container = {"Image": IMAGE, "ModelDataUrl": "s3://pipelines/model.tar.gz"}
        request = {"InferenceSpecification": {**SPECIFICATION, "Containers": [container]}, **fields}
        ours, self.registry.actor = self.registry.actor, SUBMITTER
        arn = self.registry.create_package({"ModelPackageGroupName": group, **request})
        self.registry.actor = ours
        return arn

    def statement(self, arn: str, decision: str, approver: str = APPROVER, **said: Any) -> dict[str, Any]:
        """Return a decision that `approver` signs now, on the evidence at hand unless `said` otherwise."""
        seen = {"evidence": self.evidence(arn), "standing": self.standing(arn)}
        statement = {"statement": "decision", "audience": BUS, "package": arn, "decision": decision}
        statement |= {"reason": "because", **{name: value for name, value in seen.items() if value}, **said}
        return self.sts.signed(statement, by=approver)

    def evidence(self, arn: str) -> str | None:
        """Return the digest of a package's evidence, if it is a package that has any."""
        found = self._known(arn).evidence
        return found["sha256"] if found else None

    def standing(self, arn: str) -> str | None:
        """Return the hash of the entry that gave a package its status, if it is a package that has any."""
        moved = self._known(arn).moved
        return moved.hash if moved else None

    def _known(self, arn: str) -> State:
        known = next((each for each in self.registry.described if each.lower() == arn.lower()), None)
        return self.state(known) if known else State()

    def decide(self, arn: str, decision: str, approver: str = APPROVER, account: str | None = None, **said: Any) -> Any:
        """Send a decision that `approver` signs, from another account if that is given; return what came of it."""
        return self.decision_handler.apply(self.statement(arn, decision, approver, **said), Sender(account=account))

    def assert_decision(self, arn: str, decision: str, approver: str = APPROVER, source: str = "tickets") -> Any:
        """Send a decision without a proof, from an event source of that name; return what came of it."""
        detail = {"package": arn, "decision": decision, "reason": "because", "approver": approver}
        return self.decision_handler.apply({**detail, "evidence": self.evidence(arn)}, Sender(source=source))

    def annotate(
        self, arn: str, by: str = SUBMITTER, event: str | None = None, account: str | None = None, **said: Any
    ) -> Any:
        """Send an annotation that `by` signs, from another account if given; return the refusal, if it is refused."""
        statement = {"statement": "annotation", "audience": BUS, "package": arn, **said}
        outcome = self.annotation_handler.apply(self.sts.signed(statement, by=by), Sender(event, account=account))
        return outcome if isinstance(outcome, Refusal) else None

    def pending(self, **changed: Any) -> str:
        """Return the ARN of a package that awaits a decision."""
        arn = self.submit(**changed)
        self.deliver()
        return arn

    def approved(self, **changed: Any) -> str:
        """Return the ARN of an approved package whose model exists."""
        arn = self.pending(**changed)
        self.decide(arn, "approve")
        self.deliver()
        return arn

    # What can be seen

    def history(self, arn: str) -> History:
        """Return a package's ledger."""
        return self.ledger.history(package_key(arn, self.registry.described[arn]["CreationTime"]))

    def state(self, arn: str) -> State:
        """Return what a package's ledger comes to."""
        return self.history(arn).verified().state

    def kinds(self, arn: str) -> list[str]:
        """Return the kinds of a package's entries, in order."""
        return [str(entry.kind) for entry in self.history(arn).entries]

    def status(self, arn: str) -> str:
        """Return the registry's approval status."""
        return str(self.registry.described[arn]["ModelApprovalStatus"])

    def refusals(self, key: str) -> list[dict[str, Any]]:
        """Return the details of the refusals in one ledger."""
        kinds = ("DecisionRefused", "RegistrationFailed")
        return [entry.details for entry in self.ledger.history(key).entries if entry.kind in kinds]

    def published(self, place: str | None = None) -> dict[str, str]:
        """Return the model, by ARN, that is published as the champion of each group, in another `place` if given."""
        values = (self.places.store(place) if place else self.parameters).values.items()
        return {name.rpartition("/")[2]: value for name, value in values if name.startswith(CHAMPIONS)}

    def unwitnessed(self, key: str) -> list[Entry]:
        """Return the votes and decisions of a ledger that ApplyDecision has not kept in the vault."""
        return unwitnessed(
            self.ledger.history(key).entries, None, lambda entry: self.vault.holds(DECISIONS, entry.hash)
        )

    def outcome(self) -> dict[str, Any]:
        """Return all that Signoff has brought about, for comparing what two histories of events came to."""
        entries = {key: history.verified().entries for key, history in self.ledger.histories.items()}
        packages = {
            arn: {field: _without_head(value) for field, value in described.items() if field != "LastModifiedTime"}
            for arn, described in self.registry.described.items()
        }
        report = {
            key: {**json.loads(versions[-1].data), "time": None}
            for key, versions in self.inbox.versions.items()
            if key.endswith("registration-report.json")
        }
        return {
            "ledgers": {key: [(e.kind, e.actor, e.details) for e in found] for key, found in entries.items()},
            "packages": packages,
            "groups": self.registry.tags,
            "models": {name: {**model, "CreationTime": None} for name, model in self.registry.models.items()},
            "vault": {
                key: [(each.data, each.retained_until is not None) for each in found]
                for key, found in self.vault_bucket.versions.items()
                # Named by the time of the attempt, which may have died before it came to the ledger.
                if not key.startswith(f"{DECISIONS}/")
            },
            "unwitnessed": [entry.sequence for key in self.ledger.histories for entry in self.unwitnessed(key)],
            "champions": self.published(),
            "lineage": [self.lineage.actions, self.lineage.artifacts, sorted(self.lineage.associations)],
            "tags": {key: found[-1].tags for key, found in self.inbox.versions.items()},
            "reports": report,
            "submissions": {
                key: {name: value for name, value in row.items() if name != "since"}
                for key, row in self.submissions.rows.items()
            },
        }


def _without_head(value: Any) -> Any:
    """Return a field of a package without the ledger's head, which says how far it had come when it was written."""
    return (
        {key: each for key, each in value.items() if key != checkpoints.METADATA} if isinstance(value, dict) else value
    )
