"""The engine's CreateModel and DescribeModel keep the rules of the API reference."""

from typing import Any

import pytest

from tests.support.local_sagemaker import CONTAINER, IMAGE, INSTANCES, OWN, REGION, ROLE, SPECIFICATION, LocalSageMaker

BARE = {"Image": IMAGE}
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
PREFIX = {"S3Uri": "s3://data/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}
MULTI = {**BARE, "Mode": "MultiModel", "ModelDataUrl": "s3://data/"}


@pytest.fixture
def local() -> LocalSageMaker:
    local = LocalSageMaker()
    local.group()
    return local


def single(**container: Any) -> dict[str, Any]:
    return {"PrimaryContainer": {**BARE, **container}, "ExecutionRoleArn": ROLE}


def pipeline(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Containers": list(containers), "ExecutionRoleArn": ROLE, **more}


def private(**config: Any) -> dict[str, Any]:
    return {"ImageConfig": {"RepositoryAccessMode": "Vpc", **config}}


def credentials() -> dict[str, Any]:
    arn = f"arn:aws:lambda:{REGION}:{OWN}:function:credentials"
    return {"RepositoryAuthConfig": {"RepositoryCredentialsProviderArn": arn}}


REFUSED = [
    ({"ExecutionRoleArn": ROLE}, "Either PrimaryContainer or Containers"),
    ({"ExecutionRoleArn": ROLE, "Containers": []}, "Either PrimaryContainer or Containers"),
    (single() | {"Containers": [BARE]}, "and not both"),
    (pipeline(*[BARE] * 16), "at most 15"),
    ({"PrimaryContainer": {"ModelDataUrl": "s3://data/model.tar.gz"}}, "either Image or ModelPackageName"),
    (single(ModelPackageName="tumours/1"), "Image cannot be specified beside ModelPackageName"),
    (
        {"PrimaryContainer": {"ModelPackageName": "tumours/1", "ModelDataUrl": "s3://data/model.tar.gz"}},
        "ModelDataUrl cannot be specified beside ModelPackageName",
    ),
    (
        {"PrimaryContainer": {"ModelPackageName": "tumours/1", "ModelDataSource": {"S3DataSource": PREFIX}}},
        "ModelDataSource cannot be specified beside ModelPackageName",
    ),
    (single(Image=IMAGE.replace(REGION, "eu-west-1")), "does not match expected region of us-east-1. Cross region ECR"),
    (single(Image="public.ecr.aws/serve:1"), "without Vpc repository access mode is not supported"),
    (single(Image=IMAGE.replace("/serve", "/absent")), "absent@sha256:" + "0" * 64 + " not found."),
    (single(InferenceSpecificationName="fast"), "InferenceSpecificationName needs a ModelPackageName"),
    (
        single(ModelDataUrl="s3://data/m", ModelDataSource={"S3DataSource": PREFIX}),
        "ModelDataUrl and ModelDataSource cannot both",
    ),
    (single(ModelDataSource={"S3DataSource": PREFIX | {"S3Uri": "s3://data/m"}}), "must end with a forward slash"),
    (single(ModelDataSource={"S3DataSource": PREFIX | {"CompressionType": "Gzip"}}), "takes an S3Object"),
    (single(Mode="MultiModel"), "needs a ModelDataUrl that is a prefix"),
    (single(Mode="MultiModel", ModelDataUrl="s3://data/model.tar.gz"), "ends with a forward slash"),
    (single(Mode="MultiModel", ModelDataSource={"S3DataSource": PREFIX}), "ModelDataSource cannot be used with Mode"),
    (single(MultiModelConfig={"ModelCacheSetting": "Disabled"}), "MultiModelConfig needs Mode MultiModel"),
    (pipeline(MULTI, MULTI), "More than one container in MultiModel mode is not supported with inference pipeline."),
    (single(**private()), "needs the model to have a VpcConfig"),
    (
        single(ImageConfig={"RepositoryAccessMode": "Platform", **credentials()}),
        "RepositoryAuthConfig needs RepositoryAccessMode Vpc",
    ),
    (single() | {"InferenceExecutionConfig": {"Mode": "Direct"}}, "needs at least 2 Containers"),
    (pipeline(BARE, BARE, InferenceExecutionConfig={"Mode": "Direct"}), "needs a ContainerHostname for every"),
    (pipeline(BARE | {"ContainerHostname": "a"}, BARE), "for every container of a pipeline, or for none"),
    (pipeline(*[BARE | {"ContainerHostname": "a"}] * 2), "must be another for every container"),
    (pipeline(*[BARE | {"Environment": {f"N{i}": "x" * 1023 for i in range(17)}}] * 2), "exceed 32 KB"),
    (single(ModelDataUrl="s3://data/none"), "Could not find model data at s3://data/none."),
    (single(ModelDataSource={"S3DataSource": PREFIX}), "Could not find model data at s3://data/m/."),
    (
        single(AdditionalModelDataSources=[{"ChannelName": "a", "S3DataSource": PREFIX}]),
        "Could not find model data at s3://data/m/.",
    ),
    (single() | {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "Duplicate tag keys"),
]


@pytest.mark.parametrize(("request_", "said"), REFUSED, ids=[f"{n}-{said[:40]}" for n, (_, said) in enumerate(REFUSED)])
def test_a_model_whose_containers_contradict_themselves_is_refused(
    local: LocalSageMaker, request_: dict[str, Any], said: str
) -> None:
    code, message = local.refusal("CreateModel", ModelName="m", **request_)

    assert (code, said in message) == ("ValidationException", True), message
    assert local.ask("ListModels")["Models"] == []


ACCEPTED = [
    single(),
    single(ModelDataUrl="s3://data/model.tar.gz"),
    single(ModelDataUrl="https://elsewhere/model.tar.gz"),
    single(ModelDataSource={"S3DataSource": PREFIX | {"S3Uri": "s3://data/"}}),
    single(Mode="MultiModel", ModelDataUrl="s3://data/"),
    single(Mode="MultiModel", ModelDataUrl="s3://data/", MultiModelConfig={"ModelCacheSetting": "Disabled"}),
    single(**private(**credentials())) | {"VpcConfig": VPC},
    single(ImageConfig={"RepositoryAccessMode": "Platform"}),
    single(ContainerMetricsConfig={"MetricsEndpoints": []}),
    pipeline(BARE),
    pipeline(BARE, MULTI),
    pipeline(*[BARE] * 15, InferenceExecutionConfig={"Mode": "Serial"}),
    single(Environment={f"N{i}": "x" * 1020 for i in range(31)}),
]


@pytest.mark.parametrize("asked", ACCEPTED, ids=range(len(ACCEPTED)))
def test_a_model_is_described_as_it_was_asked_for(local: LocalSageMaker, asked: dict[str, Any]) -> None:
    local.objects.add("https://elsewhere/model.tar.gz")

    described = local.model(**asked)

    given = [asked["PrimaryContainer"]] if "PrimaryContainer" in asked else asked["Containers"]
    shown = [described["PrimaryContainer"]] if "PrimaryContainer" in asked else described["Containers"]
    added = {"Mode": "SingleModel"}
    assert [each | {"ContainerHostname": ""} for each in shown] == [
        added | each | {"ContainerHostname": ""} for each in given
    ]
    kept = ("ExecutionRoleArn", "VpcConfig", "InferenceExecutionConfig")
    assert [described.get(name) for name in kept] == [asked.get(name) for name in kept]
    assert described["EnableNetworkIsolation"] is False


def test_the_containers_of_a_pipeline_have_names_by_position_unless_they_have_their_own(local: LocalSageMaker) -> None:
    unnamed = local.model("a", **pipeline(BARE, BARE))
    named = local.model("b", **pipeline(*[BARE | {"ContainerHostname": name} for name in ("first", "second")]))
    alone = local.model("c", **pipeline(BARE))

    assert [each["ContainerHostname"] for each in unnamed["Containers"]] == ["container-1", "container-2"]
    assert [each["ContainerHostname"] for each in named["Containers"]] == ["first", "second"]
    assert "ContainerHostname" not in alone["Containers"][0]


def test_direct_invocation_is_of_named_containers(local: LocalSageMaker) -> None:
    containers = [BARE | {"ContainerHostname": name} for name in ("a", "b")]

    described = local.model(**pipeline(*containers, InferenceExecutionConfig={"Mode": "Direct"}))

    assert described["InferenceExecutionConfig"] == {"Mode": "Direct"}


def test_what_is_asked_for_is_kept_as_it_was(local: LocalSageMaker) -> None:
    asked = single(Environment={"A": "1"})
    local.model(**asked)

    asked["PrimaryContainer"]["Environment"]["A"] = "2"

    assert local.ask("DescribeModel", ModelName="m")["PrimaryContainer"]["Environment"] == {"A": "1"}


def test_a_name_is_taken_once_and_free_again(local: LocalSageMaker) -> None:
    arn = local.model(**single(), Tags=[{"Key": "a", "Value": "b"}])["ModelArn"]

    again = local.refusal("CreateModel", ModelName="m", **single())
    tags = local.ask("ListTags", ResourceArn=arn)["Tags"]
    local.ask("DeleteModel", ModelName="m")

    assert again == ("ValidationException", f'Cannot create already existing model "{arn}".')
    assert tags == [{"Key": "a", "Value": "b"}]
    assert local.refusal("DescribeModel", ModelName="m") == ("ValidationException", f'Could not find model "{arn}".')
    assert local.refusal("DeleteModel", ModelName="m") == ("ValidationException", f'Could not find model "{arn}".')
    assert local.ask("ListTags", ResourceArn=local.model(**single())["ModelArn"])["Tags"] == []


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_version_must_be_approved_to_be_deployed(local: LocalSageMaker, status: str) -> None:
    arn = local.approved(ModelApprovalStatus=status)

    code, message = local.refusal("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn})

    assert (code, f"{arn}: its approval status is {status}" in message) == ("ValidationException", True)


def test_a_package_that_is_approved_is_deployed_and_one_that_is_unversioned_as_well(local: LocalSageMaker) -> None:
    local.ask("CreateModelPackage", ModelPackageName="solo", InferenceSpecification=SPECIFICATION | INSTANCES)
    arn = local.approved()

    models = [local.model(name, PrimaryContainer={"ModelPackageName": name}) for name in ("solo",)]
    models.append(local.model("m", PrimaryContainer={"ModelPackageName": arn}))

    assert [each["PrimaryContainer"] for each in models] == [
        {"ModelPackageName": "solo", "Mode": "SingleModel"},
        {"ModelPackageName": arn, "Mode": "SingleModel"},
    ]


def test_a_package_that_is_not_there_is_not_deployed(local: LocalSageMaker) -> None:
    _, message = local.refusal("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": "tumours/9"})

    assert message == f"ModelPackage arn:aws:sagemaker:{REGION}:{OWN}:model-package/tumours/9 does not exist."


def test_the_caller_must_be_allowed_to_create_models_of_the_package(local: LocalSageMaker) -> None:
    arn = local.approved()
    local.forbidden.add(("sagemaker:CreateModel", arn))

    code, message = local.refusal("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn})

    assert (code, arn in message) == ("AccessDeniedException", True)


def test_a_specification_is_chosen_among_the_packages_own(local: LocalSageMaker) -> None:
    arn = local.approved(AdditionalInferenceSpecifications=[{"Name": "fast", "Containers": [CONTAINER]}])
    container = {"ModelPackageName": arn, "InferenceSpecificationName": "fast"}

    described = local.model(PrimaryContainer=container)
    slow = container | {"InferenceSpecificationName": "slow"}
    code, message = local.refusal("CreateModel", ModelName="n", PrimaryContainer=slow)

    assert described["PrimaryContainer"] == container | {"Mode": "SingleModel"}
    assert (code, message) == ("ValidationException", f"Model package {arn} has no inference specification slow")


def test_an_environment_is_given_by_the_chosen_specification_or_by_the_model(local: LocalSageMaker) -> None:
    fast = {"Name": "fast", "Containers": [CONTAINER | {"Environment": {"A": "1"}}]}
    arn = local.approved(AdditionalInferenceSpecifications=[fast])
    container = {"ModelPackageName": arn, "Environment": {"B": "1"}}

    _, message = local.refusal(
        "CreateModel", ModelName="m", PrimaryContainer=container | {"InferenceSpecificationName": "fast"}
    )

    assert message == f"Environment cannot be overridden: model package {arn} sets one"
    assert local.model(PrimaryContainer=container)["PrimaryContainer"]["Environment"] == {"B": "1"}


def test_instances_are_recommended_for_a_package_that_says_its_framework(local: LocalSageMaker) -> None:
    framed = {"Containers": [CONTAINER | {"Framework": "SKLEARN"}], **INSTANCES}
    arn = local.approved(InferenceSpecification=framed)

    recommendation = local.model(PrimaryContainer={"ModelPackageName": arn})["DeploymentRecommendation"]

    assert recommendation["RecommendationStatus"] == "COMPLETED"
    recommended = recommendation["RealTimeInferenceRecommendations"]
    assert [each["InstanceType"] for each in recommended] == ["ml.m5.large", "ml.m5.xlarge"]
    assert len({each["RecommendationId"] for each in recommended}) == 2


@pytest.mark.parametrize(
    "specification",
    [SPECIFICATION, SPECIFICATION | INSTANCES, {"Containers": [CONTAINER | {"Framework": "SKLEARN"}]}],
)
def test_nothing_is_recommended_without_framework_and_instances(
    local: LocalSageMaker, specification: dict[str, Any]
) -> None:
    arn = local.approved(InferenceSpecification=specification)

    described = local.model("m", PrimaryContainer={"ModelPackageName": arn})

    nothing = {"RecommendationStatus": "NOT_APPLICABLE", "RealTimeInferenceRecommendations": []}
    assert described["DeploymentRecommendation"] == local.model("n", **single())["DeploymentRecommendation"] == nothing


def test_a_model_that_is_refused_leaves_its_name_free(local: LocalSageMaker) -> None:
    local.refusal("CreateModel", ModelName="m", **single(ModelDataUrl="s3://data/none"))

    assert local.model("m", **single())["ModelName"] == "m"
