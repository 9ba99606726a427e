"""Every shape of model: from its submission over evidence and approval to the request that makes it."""

from typing import Any

import pytest

from tests.support.model_shapes import (
    CACHED,
    CONFIG,
    CONTENT,
    HUB,
    MODELS,
    ONE,
    OTHER_ROLE,
    PREFIX,
    PRIVATE,
    SEVERAL,
    UNCACHED,
    UNPINNED,
    VPC,
    WEIGHTS,
    approved,
    checks,
    faults,
    files_of,
    kept,
    manifest,
    source,
    submitted,
)
from tests.support.world import IMAGE, MODEL, PINNED, ROLE, SUBMITTER, World

# Shapes that SageMaker takes from the package by its name

BY_NAME = {
    "a single container": (manifest(ONE), {"model.tar.gz": MODEL}, {}),
    "an inference pipeline": (manifest(ONE, {**ONE, "Environment": {"A": "1"}}), {"model.tar.gz": MODEL}, {}),
    "fifteen containers": (manifest(*[ONE] * 15), {"model.tar.gz": MODEL}, {}),
    "a gzip archive as a source": (
        manifest({"Image": IMAGE, "ModelDataSource": source("model.tar.gz", "S3Object", "Gzip")}),
        {"model.tar.gz": MODEL}, {}),
    "one uncompressed object": (
        manifest({"Image": IMAGE, "ModelDataSource": source("model.bin", "S3Object")}), {"model.bin": b"weights"}, {}),
    "an uncompressed prefix": (manifest({"Image": IMAGE, "ModelDataSource": source("weights/")}), WEIGHTS, {}),
    "a prefix whose licence is accepted": (
        manifest({"Image": IMAGE, "ModelDataSource": source("weights/", ModelAccessConfig={"AcceptEula": True})}),
        WEIGHTS, {}),
    "additional sources by channel": (
        manifest({**ONE, "AdditionalModelDataSources": [
            {"ChannelName": "lora", **source("lora/")},
            {"ChannelName": "tokens", **source("tokens.tar.gz", "S3Object", "Gzip")}]}),
        {"model.tar.gz": MODEL, "lora/a.bin": b"a", "tokens.tar.gz": MODEL}, {}),
    "an additional S3 source": (
        manifest({**ONE, "AdditionalS3DataSource": {"S3Uri": "lookup/", "S3DataType": "S3Prefix"}}),
        {"model.tar.gz": MODEL, "lookup/a.csv": b"1,2"}, {}),
    "an environment and a hostname of the deployment": (
        manifest(ONE, deployment={"PrimaryContainer": {"Environment": {"A": "1"}, "ContainerHostname": "model"}}),
        {"model.tar.gz": MODEL}, {"Environment": {"A": "1"}, "ContainerHostname": "model"}),
    "an additional specification": (
        manifest(ONE, deployment={"PrimaryContainer": {"InferenceSpecificationName": "neo"}},
                 AdditionalInferenceSpecifications=[{"Name": "neo", "Containers": [ONE]}]),
        {"model.tar.gz": MODEL}, {"InferenceSpecificationName": "neo"}),
    "a life cycle, a key and no validation": (
        manifest(ONE, ModelLifeCycle={"Stage": "Development", "StageStatus": "InProgress"}, SkipModelValidation="All",
                 SecurityConfig={"KmsKeyId": "key-1"}),
        {"model.tar.gz": MODEL}, {}),
}  # fmt: skip


@pytest.mark.parametrize("shape", BY_NAME)
def test_sagemaker_takes_it_from_the_package(shape: str):
    document, files, beside = BY_NAME[shape]
    world = World()
    arn = submitted(world, document, files)
    assert approved(world, arn) == {"PrimaryContainer": {"ModelPackageName": arn, **beside}}
    described = world.registry.describe(arn)
    asked = {field: described[field] for field in document if field in described}
    assert set(asked) == set(document) - {"Deployment"}


# Shapes that are written out on the vault's copies


@pytest.mark.parametrize("settings", [CACHED, UNCACHED, {"Mode": "MultiModel"}])
def test_a_multi_model_container_loads_every_archive_under_its_prefix(settings: dict[str, Any]):
    world = World()
    arn = submitted(world, manifest(SEVERAL, deployment={"PrimaryContainer": settings}), MODELS)
    container = {"Image": PINNED, "ModelDataUrl": kept(world, "models/"), **settings}
    assert approved(world, arn) == {"PrimaryContainer": container}
    names = {key.partition("/models/")[2] for key in world.vault_bucket.versions if "/models/" in key}
    assert names == {"de.tar.gz", "fr/paris.tar.gz"}


def test_a_multi_model_container_may_stand_in_a_pipeline():
    world = World()
    document = manifest(ONE, SEVERAL, deployment={"Containers": [{}, {"Mode": "MultiModel"}]})
    arn = submitted(world, document, {"model.tar.gz": MODEL, **MODELS})
    assert approved(world, arn) == {
        "Containers": [
            {"Image": PINNED, "ModelDataUrl": kept(world, "model.tar.gz")},
            {"Image": PINNED, "ModelDataUrl": kept(world, "models/"), "Mode": "MultiModel"},
        ]
    }


def test_the_containers_of_a_direct_pipeline_are_called_by_their_names():
    world = World()
    names = {"Containers": [{"ContainerHostname": "a"}, {"ContainerHostname": "b"}]}
    document = manifest(ONE, ONE, deployment={"InferenceExecutionConfig": {"Mode": "Direct"}, **names})
    arn = submitted(world, document, {"model.tar.gz": MODEL})
    one = {"Image": PINNED, "ModelDataUrl": kept(world, "model.tar.gz")}
    assert approved(world, arn) == {
        "InferenceExecutionConfig": {"Mode": "Direct"},
        "Containers": [{**one, "ContainerHostname": "a"}, {**one, "ContainerHostname": "b"}],
    }


def test_a_private_registry_is_reached_in_the_policys_network_with_credentials():
    world = World(deployment={"execution_role": ROLE, "vpc": VPC})
    arn = submitted(world, manifest(ONE, deployment={"PrimaryContainer": PRIVATE}), {"model.tar.gz": MODEL})
    container = {"Image": PINNED, "ModelDataUrl": kept(world, "model.tar.gz"), **PRIVATE}
    assert approved(world, arn) == {"PrimaryContainer": container, "VpcConfig": CONFIG}


@pytest.mark.parametrize(
    ("container", "deployment"),
    [
        ({**ONE, "Image": f"registry.example.com/own@sha256:{'c' * 64}"}, {"PrimaryContainer": PRIVATE}),
        ({**ONE, "Image": PINNED, "ProductId": "prod-1"}, {}),
    ],
    ids=["a registry in a VPC", "a seller's registry"],
)
def test_an_image_that_nobody_looked_up_is_not_called_pinned(container: dict[str, Any], deployment: dict[str, Any]):
    world = World(deployment={"execution_role": ROLE, "vpc": VPC}, sources={"unpinned": ["marketplace"]})
    arn = submitted(world, manifest(container, deployment=deployment), {"model.tar.gz": MODEL})
    world.deliver()
    (check,) = [each for each in world.state(arn).evidence["checks"] if each["name"].startswith("image:")]
    assert (check["status"], check["name"]) == ("passed", f"image:{container['Image']}")
    assert "nobody has looked it up" in check["reason"]
    assert "pinned" not in check["reason"]


def test_a_private_registry_without_a_network_fails_before_anybody_is_asked():
    world = World()
    arn = submitted(world, manifest(ONE, deployment={"PrimaryContainer": PRIVATE}), {"model.tar.gz": MODEL})
    world.deliver()
    assert "sets no VPC for the model" in checks(world, arn)["deployment:InferenceSpecification.Containers[0]"]
    assert world.status(arn) == "Rejected"


def test_a_variable_over_one_of_the_packages_is_merged_into_it():
    world = World()
    document = manifest(
        {**ONE, "Environment": {"A": "1", "B": "1"}}, deployment={"PrimaryContainer": {"Environment": {"B": "2"}}}
    )
    arn = submitted(world, document, {"model.tar.gz": MODEL})
    container = approved(world, arn)["PrimaryContainer"]
    assert container["Environment"] == {"A": "1", "B": "2"}
    assert container["ModelDataUrl"] == kept(world, "model.tar.gz")


def test_what_an_expanded_container_cannot_hold_fails_before_anybody_is_asked():
    world = World()
    extra = {"AdditionalS3DataSource": {"S3Uri": "x.csv", "S3DataType": "S3Object"}}
    document = manifest({**ONE, **extra}, deployment={"PrimaryContainer": {"Mode": "SingleModel"}})
    arn = submitted(world, document, {"model.tar.gz": MODEL, "x.csv": b"1"})
    world.deliver()
    assert "cannot hold AdditionalS3DataSource" in " ".join(checks(world, arn).values())


# Choices of the deployment


def test_what_a_manifest_chose_of_the_policys_offers_is_what_the_model_gets():
    choices = {"execution_roles": [OTHER_ROLE], "vpcs": [VPC], "network_isolation": [False], "tags": ["team"]}
    world = World(deployment={"execution_role": ROLE, "choices": choices})
    chosen = {"ExecutionRoleArn": OTHER_ROLE, "VpcConfig": CONFIG, "EnableNetworkIsolation": False}
    tags = [{"Key": "team", "Value": "growth"}]
    asked: list[dict[str, Any]] = []
    world.registry.create_model = recorded(world.registry.create_model, asked)
    approved(world, submitted(world, manifest(ONE, deployment={**chosen, "Tags": tags}), {"model.tar.gz": MODEL}))
    assert {field: asked[0][field] for field in chosen} == chosen
    assert asked[0]["Tags"][0] == tags[0]


def recorded(call: Any, asked: list[dict[str, Any]]) -> Any:
    def recording(request: dict[str, Any]) -> bool:
        asked.append(request)
        return bool(call(request))

    return recording


@pytest.mark.parametrize(
    ("field", "value"),
    [("ExecutionRoleArn", OTHER_ROLE), ("VpcConfig", CONFIG), ("EnableNetworkIsolation", False),
     ("Tags", [{"Key": "team", "Value": "growth"}])],
)  # fmt: skip
def test_what_the_policy_does_not_offer_is_refused_by_its_path(field: str, value: Any):
    world = World()
    for key, data in files_of(world, manifest(ONE, deployment={field: value}), {"model.tar.gz": MODEL}).items():
        world.upload(key, data)
    assert [path.startswith(f"Deployment.{field}") for path in faults(world)] == [True]
    assert world.registry.described == {}


# What nobody can pin


@pytest.mark.parametrize("kind", UNPINNED)
def test_what_nobody_can_pin_is_refused_by_default(kind: str):
    document, files, check = UNPINNED[kind]
    world = World()
    arn = submitted(world, document, files)
    world.deliver()
    assert set(checks(world, arn)) == {check}
    assert world.status(arn) == "Rejected"


@pytest.mark.parametrize("kind", UNPINNED)
def test_what_nobody_can_pin_is_deployed_where_the_policy_says_so(kind: str):
    document, files, _ = UNPINNED[kind]
    world = World(sources={"unpinned": [kind]})
    arn = submitted(world, document, files)
    assert world.state(arn).submitter == SUBMITTER
    assert approved(world, arn) == {"PrimaryContainer": {"ModelPackageName": arn}}


# What has no model data at all

FIRST, SECOND = "InferenceSpecification.Containers[0]", "InferenceSpecification.Containers[1]"
ADDED = "AdditionalInferenceSpecifications[0].Containers[0]"
BARE = {"Image": IMAGE}
DEMANDS = {"required_files": ["model.joblib"]}
ADAPTER = {"ChannelName": "adapter", **source("model.tar.gz", "S3Object", "Gzip")}
WITHOUT_MODEL = {
    "the only container": (manifest(BARE), {}, FIRST),
    "one of several": (manifest(ONE, BARE), {"model.tar.gz": MODEL}, SECOND),
    "an additional specification's": (
        manifest(ONE, AdditionalInferenceSpecifications=[{"Name": "gpu", "Containers": [BARE]}]),
        {"model.tar.gz": MODEL}, ADDED),
    "one with additional model data only": (
        manifest({**BARE, "AdditionalModelDataSources": [ADAPTER]}), {"model.tar.gz": MODEL}, FIRST),
    "one beside a source URI": (manifest(BARE, SourceUri="model.tar.gz"), {}, FIRST),
}  # fmt: skip


@pytest.mark.parametrize("which", WITHOUT_MODEL)
@pytest.mark.parametrize("demanded", [DEMANDS, {"formats": ["pickle"]}, {"limits": {"members": 9}}], ids="-".join)
def test_a_container_without_model_data_fails_where_the_policy_asks_anything_of_it(
    which: str, demanded: dict[str, Any]
):
    document, files, path = WITHOUT_MODEL[which]
    world = World(artifact=demanded)
    arn = submitted(world, document, files)
    world.deliver()
    (field,) = demanded
    assert (
        f"model data: none (image only), and the policy sets artifact.{field}" in checks(world, arn)[f"artifact:{path}"]
    )
    assert world.status(arn) == "Rejected"


@pytest.mark.parametrize("which", WITHOUT_MODEL)
@pytest.mark.parametrize("policy", [{}, {"artifact": DEMANDS, "sources": {"unpinned": ["image"]}}], ids=["none", "yes"])
def test_the_evidence_says_which_container_has_no_model_data(which: str, policy: dict[str, Any]):
    document, files, path = WITHOUT_MODEL[which]
    world = World(**policy)
    arn = submitted(world, document, files)
    world.deliver()
    found = {check["name"]: check for check in world.state(arn).evidence["checks"]}[f"artifact:{path}"]
    assert (found["status"], found["reason"].split(";")[0]) == ("passed", "model data: none (image only)")


def test_a_package_from_elsewhere_without_model_data_fails_where_the_policy_asks_anything_of_it():
    world = World(artifact=DEMANDS)
    world.set_policy("groups/churn", artifact=DEMANDS)
    arn = world.elsewhere(InferenceSpecification={"Containers": [BARE]})
    world.deliver()
    assert set(checks(world, arn)) == {f"artifact:{FIRST}"}


@pytest.mark.parametrize("kind", sorted({"marketplace", "managed_storage", "hub"}))
def test_a_model_that_is_said_to_be_elsewhere_is_not_missing(kind: str):
    document, _, _ = UNPINNED[kind]
    world = World(artifact=DEMANDS, sources={"unpinned": [kind]})
    bare = {**document, **(manifest(BARE) if kind == "managed_storage" else {})}
    arn = submitted(world, bare, {})
    world.deliver()
    assert world.state(arn).status == "PendingApproval"


def test_hub_content_that_is_written_out_stays_where_it_is():
    world = World(sources={"unpinned": ["hub"]})
    hub = source(HUB, HubAccessConfig={"HubContentArn": CONTENT})
    document = manifest(
        {"Image": IMAGE, "ModelDataSource": hub}, deployment={"PrimaryContainer": {"Mode": "SingleModel"}}
    )
    (container,) = approved(world, submitted(world, document, {})).values()
    assert container["ModelDataSource"]["S3DataSource"]["S3Uri"] == HUB


def test_a_variable_that_fetches_is_for_the_policy_to_judge():
    fetching = {**ONE, "Environment": {"HF_MODEL_ID": "org/name", "SAGEMAKER_PROGRAM": "inference.py"}}
    world = World()
    arn = submitted(world, manifest(fetching), {"model.tar.gz": MODEL})
    world.deliver()
    assert set(checks(world, arn)) == {"environment:InferenceSpecification.Containers[0].HF_MODEL_ID"}
    world = World(sources={"environment": ["HF_MODEL_ID=org/*"]})
    assert approved(world, submitted(world, manifest(fetching), {"model.tar.gz": MODEL}))


def test_a_variable_of_the_deployment_is_judged_alike():
    world = World()
    document = manifest(ONE, deployment={"PrimaryContainer": {"Environment": {"CODE": "git@host:repo"}}})
    arn = submitted(world, document, {"model.tar.gz": MODEL})
    world.deliver()
    assert set(checks(world, arn)) == {"environment:Deployment[0].CODE"}


# ETags and digests


def multipart(world: World) -> None:
    """Let every bucket show ETags as of multipart uploads: another one for each copy."""
    for bucket in (world.inbox, world.vault_bucket):
        bucket.multipart = True


def test_an_etag_is_checked_and_then_that_of_the_vaults_copy():
    world = World()
    world.registry.create_group("churn")
    multipart(world)
    world.put(f"{PREFIX}/model.tar.gz", MODEL)
    etag = world.inbox.current(f"{PREFIX}/model.tar.gz").etag
    world.put(f"{PREFIX}/manifest.json", manifest({**ONE, "ModelDataETag": f'"{etag}"'}))
    world.upload(f"{PREFIX}/submission.json", {"submitter": SUBMITTER})
    (described,) = world.registry.described.values()
    (container,) = described["InferenceSpecification"]["Containers"]
    copy = world.vault_bucket.current(container["ModelDataUrl"].removeprefix("s3://vault/"))
    assert container["ModelDataETag"] == f'"{copy.etag}"'
    assert copy.etag != etag


def test_an_etag_of_other_bytes_is_refused():
    world = World()
    for key, data in files_of(world, manifest({**ONE, "ModelDataETag": "0" * 32}), {"model.tar.gz": MODEL}).items():
        world.upload(key, data)
    assert "is not the ETag of model.tar.gz" in faults(world)["InferenceSpecification.Containers[0].ModelDataETag"]


@pytest.mark.parametrize(("digest", "failed"), [("a", False), ("b", True)])
def test_the_digest_that_a_container_says_is_that_of_its_image(digest: str, failed: bool):
    world = World()
    arn = submitted(world, manifest({**ONE, "ImageDigest": f"SHA256:{digest * 64}"}), {"model.tar.gz": MODEL})
    world.deliver()
    name = "image:InferenceSpecification.Containers[0].ImageDigest"
    assert (name in checks(world, arn)) is failed


# Validation by SageMaker


def test_sagemaker_tests_a_package_only_as_the_policy_allows():
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "payload.csv"}}
    job = {
        "TransformInput": {"DataSource": data},
        "TransformOutput": {"S3OutputPath": "s3://tests/churn/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    profiles = [{"ProfileName": "p", "TransformJobDefinition": job}]
    tested = manifest(ONE, ValidationSpecification={"ValidationRole": ROLE, "ValidationProfiles": profiles})
    files = {"model.tar.gz": MODEL, "payload.csv": b"1,2"}
    refusing, allowing = World(), World(validation={"roles": [ROLE], "outputs": ["s3://tests/churn/"]})
    for key, each in files_of(refusing, tested, files).items():
        refusing.upload(key, each)
    assert {path.rpartition(".")[2] for path in faults(refusing)} == {"ValidationRole", "S3OutputPath"}
    arn = submitted(allowing, tested, files)
    asked = allowing.registry.describe(arn)["ValidationSpecification"]["ValidationProfiles"][0]
    moved = asked["TransformJobDefinition"]
    assert moved["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == kept(allowing, "payload.csv")
    assert moved["TransformOutput"]["S3OutputPath"] == "s3://tests/churn/"


# What SageMaker does not take for a version


@pytest.mark.parametrize("field", ["ModelPackageName", "CertifyForMarketplace", "Tags"])
def test_what_is_for_unversioned_packages_is_refused(field: str):
    values = {"ModelPackageName": "churn", "CertifyForMarketplace": True, "Tags": [{"Key": "a", "Value": "b"}]}
    world = World()
    for key, data in files_of(world, manifest(ONE, **{field: values[field]}), {"model.tar.gz": MODEL}).items():
        world.upload(key, data)
    assert set(faults(world)) == {field}
