"""Stories of packages from their submission to their end, which between them append every kind of entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signoff.ledger.history import package_key
from signoff.model_package.image_scans import Finding
from signoff.runtime.custom_resource import CustomResourceRequest
from tests.support.archives import honest, member, tar
from tests.support.image_scans import scanned
from tests.support.model_shapes import manifest, source
from tests.support.pickled import calling
from tests.support.tarballs import stored_gzip
from tests.support.voting import ANN, BEN, EVE
from tests.support.world import ACCURATE, APPROVER, IMAGE, PINNED, ROLE, SPECIFICATION, SUBMITTER, World

MODEL = stored_gzip(honest())
HOSTILE = stored_gzip(tar(member("model.pkl", calling("os", "system")), member("../escape", b"x")))
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Churn/51af3dc0-da77-11e4-872e-1234567db123"
NEXT_DOOR, OVERSEAS = "222222222222/us-east-1", "222222222222/eu-west-1"
TOO_ACCURATE = [{**ACCURATE[0], "at_least": 0.99}]
WAITS = {"after": "P14D", "action": "reject", "reminders": ["P7D"]}


class Recorded(World):
    """A world that remembers each request to SageMaker, and whose model is the same bytes on every Python."""

    def __init__(self, **policy: Any) -> None:
        super().__init__(**policy)
        self.requests: list[dict[str, Any]] = []
        for call in ("create_package", "create_model", "update_package"):
            setattr(self.registry, call, self._remembering(call, getattr(self.registry, call)))

    def _remembering(self, call: str, made: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(*given: Any, **fields: Any) -> Any:
            self.requests.append({"call": call, "given": list(given), "fields": fields})
            return made(*given, **fields)

        return remembered

    def files(self, prefix: str, **changed: Any) -> dict[str, Any]:
        keyed = super().files(prefix, **changed)
        objects = {key.removeprefix(f"{prefix}/"): data for key, data in keyed.items()}
        del objects["submission.json"]
        return self.signed(prefix, {**objects, "model.tar.gz": MODEL})

    def elsewhere(self, group: str = "churn", **fields: Any) -> str:
        arn = super().elsewhere(group, **fields)
        self.s3.bucket("pipelines").versions["model.tar.gz"][-1].data = MODEL
        return arn

    def submit_files(self, prefix: str, document: dict[str, Any], files: dict[str, Any]) -> str:
        """Submit an own manifest with own files, have it validated, and return its package's ARN."""
        for key, data in self.signed(prefix, {**files, "manifest.json": document}).items():
            self.upload(key, data)
        self.deliver()
        return str((self.submissions.get(prefix) or {})["package"])

    def decided(self, arn: str, decision: str, approver: str = APPROVER, **said: Any) -> None:
        """Have a decision applied a second later, and all that comes of it delivered."""
        self.clock.forward(seconds=1)
        self.decide(arn, decision, approver, **said)
        self.deliver()


def approved_by_one() -> Recorded:
    world = Recorded(metrics=ACCURATE)
    world.approved()
    return world


def approved_by_two() -> Recorded:
    """One may not approve for being the submitter, one votes, one decides, and one comes too late but agrees."""
    world = Recorded(approvals={"needed": 2})
    arn = world.pending(CustomerMetadataProperties={"team": "churn"})
    for person in (SUBMITTER, ANN, BEN, EVE):
        world.decided(arn, "approve", person)
    world.decided(arn, "approve", BEN)
    world.decided(arn.replace("/1", "/9"), "approve")
    return world


def approved_by_roles() -> Recorded:
    roles = {"risk": {"members": [ANN, BEN]}, "owners": {"members": [BEN, EVE]}}
    world = Recorded(approvals={"roles": roles})
    arn = world.pending()
    world.decided(arn, "approve", ANN)
    world.decided(arn, "approve", EVE)
    return world


def approved_alone() -> Recorded:
    """Break glass: one person alone, and nobody who may not."""
    world = Recorded(approvals={"needed": 3, "break_glass": [EVE]})
    arn = world.pending()
    world.decided(arn, "approve", ANN, break_glass=True)
    world.decided(arn, "approve", EVE, break_glass=True)
    return world


def asserted_by_a_publisher() -> Recorded:
    tickets = {"tickets": ["arn:aws:iam::123456789012:role/tickets"]}
    world = Recorded(approvals={"identity": "asserted", "publishers": tickets})
    arn = world.pending()
    world.assert_decision(arn, "approve", SUBMITTER)
    world.assert_decision(arn, "approve")
    world.deliver()
    return world


def validation_failed() -> Recorded:
    world = Recorded(metrics=TOO_ACCURATE)
    document = manifest({"Image": IMAGE, "ModelDataUrl": "model.tar.gz"})
    world.submit_files("churn/hostile", document, {"model.tar.gz": HOSTILE})
    world.pending()
    return world


def validation_errored_and_tried_again() -> Recorded:
    world = Recorded()
    arn = world.submit()
    digests, world.images.digests = world.images.digests, {}
    copy = next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))
    versions = world.vault_bucket.versions.pop(copy)
    world.deliver()
    world.images.digests, world.vault_bucket.versions[copy] = digests, versions
    world.clock.forward(minutes=1)
    world.validate(arn, by=SUBMITTER)
    return world


def rejected_reopened_and_revoked() -> Recorded:
    """A model in use cannot be retired before its endpoint is gone."""
    world = Recorded()
    arn = world.pending()
    for decision in ("reject", "reopen", "approve"):
        world.decided(arn, decision)
    world.registry.endpoints["live"] = set(world.registry.models)
    world.decided(arn, "revoke")
    world.registry.endpoints.clear()
    world.sweep()
    return world


def superseded_and_rolled_back_to() -> Recorded:
    world = Recorded()
    first = world.approved(prefix="churn/run-1")
    world.clock.forward(minutes=1)
    world.approved(prefix="churn/run-2")
    world.decided(first, "rollback")
    return world


def revoked_by_policy() -> Recorded:
    """An approval is superseded, which revokes, and the one that follows lapses."""
    world = Recorded(approvals={"revocation": {"after": "P180D", "superseded": True}})
    world.approved(prefix="churn/run-1")
    world.clock.forward(minutes=1)
    world.approved(prefix="churn/run-2")
    world.sweep(days=181)
    return world


def found_unsound_and_revoked() -> Recorded:
    """A scan finds more in the champion's image than was approved, and the policy revokes for that."""
    world = Recorded(images={"block_at": "HIGH", "revoke": True})
    low, critical = Finding("CVE-1", "LOW"), Finding("CVE-2", "CRITICAL", "openssl 1.1", "1.2")
    world.scans.results[PINNED] = [scanned(low)]
    world.approved()
    world.scans.results[PINNED] = [scanned(low, critical)]
    world.sweep_images()
    return world


def waited_for_too_long() -> Recorded:
    world = Recorded(approvals={"expiry": WAITS})
    world.pending()
    world.sweep(days=8)
    world.sweep(days=7)
    return world


def waited_for_anew() -> Recorded:
    world = Recorded(approvals={"expiry": {**WAITS, "action": "extend"}})
    world.pending()
    world.sweep(days=15)
    return world


def edited_in_the_registry() -> Recorded:
    """An edit is set back, whoever may have made it."""
    world = Recorded()
    arn = world.pending()
    world.clock.forward(seconds=5)
    world.registry.by_hand(arn, EVE, ModelApprovalStatus="Approved")
    world.deliver()
    return world


def observed_and_then_enforced() -> Recorded:
    world = Recorded(mode="report", metrics=TOO_ACCURATE)
    arn = world.pending()
    world.clock.forward(seconds=5)
    world.registry.by_hand(arn, EVE, ModelApprovalStatus="Approved")
    world.deliver()
    world.set_policy("default", groups={"create": True}, metrics=TOO_ACCURATE)
    world.reconciler.reconcile({"ModelPackageArn": arn})
    world.deliver()
    return world


def annotated() -> Recorded:
    """Metadata, then a further specification, which is validated, then what nobody may set."""
    world = Recorded()
    arn = world.pending(CustomerMetadataProperties={"team": "churn", "draft": "yes"})
    world.annotate(arn, event="e-1", set={"ticket": "CHG-1"}, remove=["draft"])
    url = world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    gpu = {**SPECIFICATION, "Name": "gpu", "Containers": [{"Image": PINNED, "ModelDataUrl": url}]}
    world.clock.forward(seconds=1)
    world.annotate(arn, event="e-2", add_specifications=[gpu])
    world.deliver()
    world.annotate(arn, event="e-3", set={"signoff:verdict": "passed"})
    return world


def changed_after_approval() -> Recorded:
    world = Recorded()
    arn = world.pending()
    world.decide(arn, "approve")
    world.registry.by_hand(arn, InferenceSpecification={**SPECIFICATION, "SupportedContentTypes": ["text/plain"]})
    world.deployer.converge(arn)
    world.deliver()
    return world


def deleted() -> Recorded:
    world = Recorded()
    world.registry.delete_package(world.approved())
    world.sweep()
    return world


def deployed_by_a_stack() -> Recorded:
    """A baseline is deployed, replaced by another, and retired; the heads of two days have no sentences in them."""
    world = Recorded(groups={"create": True, "baselines": ["arn:aws:cloudformation:*:123456789012:stack/Churn/*"]})
    for name, said in (("old", {"Review": "https://example.com/pull/7"}), ("new", {})):
        container = {"Image": IMAGE, "ModelDataUrl": "s3://assets/model.tar.gz"}
        world.registry.create_model({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container})
        arn = str(world.registry.models[name]["ModelArn"])
        world.stacks[STACK, f"Model{name}"] = arn
        asked = {"Group": "churn", "ModelName": name, "ModelArn": arn, "ModelLogicalId": f"Model{name}", **said}
        world.baseline_recorder.handle(
            CustomResourceRequest("Create", f"made-{name}", STACK, "https://answer", "Record", None, asked)
        )
    world.daily_checkpoint.write_once()
    world.clock.forward(days=1)
    old = f"churn@{world.registry.models['old']['ModelArn']}"
    world.baseline_recorder.handle(
        CustomResourceRequest("Delete", "gone-old", STACK, "https://answer", "Record", old, {})
    )
    world.daily_checkpoint.write_once()
    return world


def submissions_refused() -> Recorded:
    world = Recorded()
    for key, data in world.files("churn/wrong", ModelApprovalStatus="Approved").items():
        world.upload(key, data)
    world.upload("churn/broken/manifest.json", b"{")
    return world


def submitted_by_nobody() -> Recorded:
    """Unsigned, a submission needs one approval more."""
    world = Recorded()
    world.registry.create_group("churn")
    document = manifest({"Image": IMAGE, "ModelDataUrl": "model.tar.gz"})
    for name, data in (("model.tar.gz", MODEL), ("manifest.json", document)):
        world.upload(f"churn/unsigned/{name}", data)
    world.deliver()
    arn = str((world.submissions.get("churn/unsigned") or {})["package"])
    world.decided(arn, "approve", ANN)
    world.decided(arn, "approve", BEN)
    return world


def deployed_to_other_places() -> Recorded:
    """One place lets nobody in at first; a model there that is in use stays until it is no longer."""
    theirs = "arn:aws:iam::222222222222:role/signoff/SignoffModels"
    places = [place.split("/") for place in (NEXT_DOOR, OVERSEAS)]
    targets = [{"account": account, "region": region, "execution_role": theirs} for account, region in places]
    world = Recorded(deployment={"execution_role": ROLE, "targets": targets})
    world.places.closed.add(NEXT_DOOR)
    arn = world.approved()
    world.places.closed.clear()
    world.sweep()
    world.places.of(OVERSEAS).endpoints["live"] = set(world.places.of(OVERSEAS).models)
    world.decided(arn, "revoke")
    world.places.of(OVERSEAS).endpoints.clear()
    world.sweep()
    return world


def registered_elsewhere() -> Recorded:
    world = Recorded()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.deliver()
    world.decided(arn, "approve")
    return world


def of_several_artifacts() -> Recorded:
    """A multi-model container, uncompressed data under a prefix, and settings of the manifest's own."""
    world = Recorded()
    cached = {"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Enabled"}}
    several = manifest({"Image": IMAGE, "ModelDataUrl": "models/"}, deployment={"PrimaryContainer": cached})
    models = {"models/de.tar.gz": MODEL, "models/fr/paris.tar.gz": MODEL}
    weights = {"weights/model.bin": b"weights", "weights/config/config.json": b"{}"}
    loose = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    for prefix, document, files in (("churn/several", several, models), ("churn/loose", loose, weights)):
        world.decided(world.submit_files(prefix, document, files), "approve")
    return world


def made_anew_after_its_group_was_deleted() -> Recorded:
    world = Recorded()
    first = world.pending()
    key = package_key(first, world.registry.described[first]["CreationTime"])
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    world.pending(prefix="churn/run-8")
    world.sweep()
    assert key in world.ledger.histories
    return world


STORIES: list[Callable[[], Recorded]] = [
    approved_by_one,
    approved_by_two,
    approved_by_roles,
    approved_alone,
    asserted_by_a_publisher,
    validation_failed,
    validation_errored_and_tried_again,
    rejected_reopened_and_revoked,
    superseded_and_rolled_back_to,
    revoked_by_policy,
    found_unsound_and_revoked,
    waited_for_too_long,
    waited_for_anew,
    edited_in_the_registry,
    observed_and_then_enforced,
    annotated,
    changed_after_approval,
    deleted,
    deployed_by_a_stack,
    submissions_refused,
    submitted_by_nobody,
    deployed_to_other_places,
    registered_elsewhere,
    of_several_artifacts,
    made_anew_after_its_group_was_deleted,
]
