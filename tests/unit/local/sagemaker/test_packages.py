"""The engine's model registry keeps the rules of the API reference for groups and packages."""

from typing import Any

import pytest

from tests.support.local_sagemaker import CONTAINER, IMAGE, INSTANCES, OWN, REGION, SPECIFICATION, LocalSageMaker

PREFIX = f"arn:aws:sagemaker:{REGION}:{OWN}"


@pytest.fixture
def local() -> LocalSageMaker:
    return LocalSageMaker()


def source(**fields: Any) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": "s3://data/m", "S3DataType": "S3Object", "CompressionType": "None"} | fields}


def specification(**container: Any) -> dict[str, Any]:
    return {"Containers": [{"Image": IMAGE} | container]}


def additional(name: str) -> dict[str, Any]:
    return {"Name": name, "Containers": [CONTAINER]}


def test_groups_whose_names_differ_only_by_case_are_one(local: LocalSageMaker) -> None:
    arn = local.group("Tumours")

    again = local.refusal("CreateModelPackageGroup", ModelPackageGroupName="TUMOURS")

    assert arn == f"{PREFIX}:model-package-group/tumours"
    assert again == ("ValidationException", f"Model Package Group already exists: {arn}")


@pytest.mark.parametrize(
    "name", ["Tumours", "tumours", "TUMOURS", f"{PREFIX}:model-package-group/tumours", f"{PREFIX}:x/Tumours"]
)
def test_a_group_is_found_by_its_name_in_any_case_and_by_its_arn(local: LocalSageMaker, name: str) -> None:
    local.group("Tumours", ModelPackageGroupDescription="d")

    described = local.ask("DescribeModelPackageGroup", ModelPackageGroupName=name)

    assert (described["ModelPackageGroupName"], described["ModelPackageGroupDescription"]) == ("Tumours", "d")
    assert described["ModelPackageGroupStatus"] == "Completed"
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == f"arn:aws:iam::{OWN}:root"


def test_a_group_that_is_not_there_is_named_in_small_letters(local: LocalSageMaker) -> None:
    refused = local.refusal("DescribeModelPackageGroup", ModelPackageGroupName="None")

    assert refused == ("ValidationException", f"ModelPackageGroup {PREFIX}:model-package-group/none does not exist.")


def test_the_versions_of_a_group_have_its_name_and_are_counted_for_it(local: LocalSageMaker) -> None:
    local.group("Tumours"), local.group("lungs")

    arns = [local.package("tumours"), local.package("lungs"), local.package("TUMOURS")]

    assert arns == [f"{PREFIX}:model-package/{name}" for name in ("tumours/1", "lungs/1", "tumours/2")]
    described = local.package_described(arns[2])
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == ("Tumours", 2)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert "ModelPackageName" not in described


def test_a_version_is_found_by_its_arn_in_any_case_and_by_group_and_number(local: LocalSageMaker) -> None:
    local.group("Tumours")
    arn = local.package()

    found = {local.package_described(name)["ModelPackageArn"] for name in (arn, "Tumours/1", "tumours/1")}

    assert found == {arn}


@pytest.mark.parametrize("name", ["tumours/2", "tumours", f"{PREFIX}:model-package-group/tumours", "none/1"])
def test_what_is_no_package_is_not_described(local: LocalSageMaker, name: str) -> None:
    local.group()
    local.package()

    code, message = local.refusal("DescribeModelPackage", ModelPackageName=name)

    assert (code, message.endswith("does not exist.")) == ("ValidationException", True)


def test_ten_thousand_versions_are_counted_as_fast_as_ten(local: LocalSageMaker) -> None:
    local.group()
    for _ in range(10_000):
        last = local.package()

    assert last.endswith("/10000")
    assert local.package_described("tumours/5000")["ModelPackageVersion"] == 5000


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "Missing ARN."),
        ({"ModelPackageName": "p", "ModelPackageGroupName": "tumours"}, "Cannot determine which one to use"),
        ({"ModelPackageGroupName": "none"}, "does not exist."),
        ({"ModelPackageGroupName": "tumours", "Tags": [{"Key": "a", "Value": "b"}]}, "tag the model package group"),
        ({"ModelPackageGroupName": "tumours", "CertifyForMarketplace": True}, "does not apply to versioned"),
        ({"ModelPackageName": "p", "ModelApprovalStatus": "Approved"}, "does not apply to unversioned"),
        ({"ModelPackageName": "p"}, "needs an InferenceSpecification or a SourceAlgorithmSpecification"),
        ({"ModelPackageName": "p", "InferenceSpecification": SPECIFICATION}, "SupportedTransformInstanceTypes"),
    ],
)
def test_a_package_is_a_version_or_unversioned_and_has_that_ones_fields(
    local: LocalSageMaker, request_: dict[str, Any], said: str
) -> None:
    local.group()

    code, message = local.refusal("CreateModelPackage", **request_)

    assert (code, said in message) == ("ValidationException", True)
    assert local.events == []


PREFIXED = {"S3DataType": "S3Prefix", "S3Uri": "s3://data/m/"}


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"ModelDataUrl": "s3://data/m", "ModelDataSource": source()}, "cannot both be specified"),
        ({"ModelDataSource": source(S3DataType="S3Prefix")}, "must end with a forward slash"),
        ({"ModelDataSource": source(**PREFIXED, CompressionType="Gzip")}, "takes an S3Object"),
        (
            {"AdditionalModelDataSources": [{"ChannelName": "a", **source(S3DataType="S3Prefix")}]},
            "must end with a forward slash",
        ),
        (
            {"AdditionalModelDataSources": [{"ChannelName": "a", **source()}, {"ChannelName": "a", **source()}]},
            "ChannelName of its own",
        ),
    ],
)
@pytest.mark.parametrize("field", ["InferenceSpecification", "AdditionalInferenceSpecifications"])
def test_model_data_that_contradicts_itself_is_refused_wherever_it_stands(
    local: LocalSageMaker, container: dict[str, Any], said: str, field: str
) -> None:
    local.group()
    given = specification(**container)
    wanted = given if field == "InferenceSpecification" else [given | {"Name": "a"}]

    code, message = local.refusal("CreateModelPackage", ModelPackageGroupName="tumours", **{field: wanted})

    assert (code, said in message, field in message) == ("ValidationException", True, True)


def test_an_algorithms_model_data_is_checked_as_a_containers(local: LocalSageMaker) -> None:
    local.group()
    algorithm = {"AlgorithmName": "a", "ModelDataUrl": "s3://data/m", "ModelDataSource": source()}

    _, message = local.refusal(
        "CreateModelPackage",
        ModelPackageGroupName="tumours",
        SourceAlgorithmSpecification={"SourceAlgorithms": [algorithm]},
    )

    assert message.startswith("SourceAlgorithmSpecification.SourceAlgorithms[0]: ")


def test_an_unversioned_package_is_known_by_its_name_and_carries_tags(local: LocalSageMaker) -> None:
    spec = SPECIFICATION | INSTANCES
    request = {"ModelPackageName": "Solo", "InferenceSpecification": spec, "CertifyForMarketplace": True}

    arn = local.ask("CreateModelPackage", **request, Tags=[{"Key": "a", "Value": "b"}])["ModelPackageArn"]
    described = local.package_described("solo")

    assert arn == described["ModelPackageArn"] == f"{PREFIX}:model-package/solo"
    assert described["ModelPackageName"] == "Solo"
    assert not {"ModelPackageGroupName", "ModelPackageVersion", "ModelApprovalStatus"} & set(described)
    assert local.ask("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert local.refusal("CreateModelPackage", **request)[1] == f"Model Package already exists: {arn}"
    assert "only versioned" in local.refusal("UpdateModelPackage", ModelPackageArn=arn, SourceUri="s3://a")[1]
    local.ask("DeleteModelPackage", ModelPackageName="SOLO")
    assert local.refusal("DescribeModelPackage", ModelPackageName="solo")[1] == f"ModelPackage {arn} does not exist."


def test_metadata_is_merged_and_removed_and_never_more_than_fifty(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package(CustomerMetadataProperties={f"k{i}": "v" for i in range(49)})

    local.ask(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"k0": "w", "more": "v", "yet": "v"},
        CustomerMetadataPropertiesToRemove=["k1", "none"],
    )
    refused = local.refusal("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"k1": "v"})

    metadata = local.package_described(arn)["CustomerMetadataProperties"]
    assert (len(metadata), metadata["k0"], "k1" in metadata) == (50, "w", False)
    assert (refused[0], "cannot exceed 50 entries" in refused[1]) == ("ValidationException", True)


def test_additional_specifications_are_added_each_under_a_name_of_its_own(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package(AdditionalInferenceSpecifications=[additional("a")])
    update = {"ModelPackageArn": arn}

    local.ask("UpdateModelPackage", **update, AdditionalInferenceSpecificationsToAdd=[additional("b")])
    same = local.refusal("UpdateModelPackage", **update, AdditionalInferenceSpecificationsToAdd=[additional("a")])
    many = [additional(f"n{i}") for i in range(14)]
    more = local.refusal("UpdateModelPackage", **update, AdditionalInferenceSpecificationsToAdd=many)

    described = local.package_described(arn)["AdditionalInferenceSpecifications"]
    assert [each["Name"] for each in described] == ["a", "b"]
    assert "a is there twice" in same[1]
    assert "cannot exceed 15" in more[1]


EVERY_UPDATE = {
    "ModelApprovalStatus": "Approved",
    "ApprovalDescription": "fine",
    "ModelPackageRegistrationType": "Logged",
    "InferenceSpecification": specification(ModelDataUrl="s3://data/other"),
    "SourceUri": "s3://data/source",
    "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
    "ModelLifeCycle": {"Stage": "Production", "StageStatus": "Approved"},
    "CustomerMetadataProperties": {"a": "b"},
}


@pytest.mark.parametrize("field", EVERY_UPDATE)
def test_each_field_is_updated_alone_and_announced(local: LocalSageMaker, field: str) -> None:
    local.group()
    arn = local.package(InferenceSpecification=SPECIFICATION)
    before = local.package_described(arn)

    local.ask("UpdateModelPackage", ModelPackageArn=arn, **{field: EVERY_UPDATE[field]})

    after = local.package_described(arn)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {field, "LastModifiedTime", "LastModifiedBy"}
    assert after[field] == EVERY_UPDATE[field]
    assert local.events[-1][1]["UpdatedModelPackageFields"] == [field.replace("SourceUri", "sourceUri")]


def test_an_update_that_changes_nothing_is_not_announced(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package(SourceUri="s3://a")

    local.ask("UpdateModelPackage", ModelPackageArn=arn, SourceUri="s3://a")

    assert len(local.events) == 1
    assert "LastModifiedTime" in local.package_described(arn)


@pytest.mark.parametrize("action", ["CreateModelPackage", "UpdateModelPackage"])
def test_the_same_token_does_the_same_once_and_nothing_else(local: LocalSageMaker, action: str) -> None:
    local.group()
    arn = local.package()
    named = {"ModelPackageGroupName": "tumours"} if action == "CreateModelPackage" else {"ModelPackageArn": arn}
    request = {**named, "ClientToken": "t", "SourceUri": "s3://a"}
    first = local.ask(action, **request)
    told = len(local.events)
    if action == "UpdateModelPackage":
        local.ask(action, ModelPackageArn=arn, SourceUri="s3://later")

    again = local.ask(action, **request)

    assert again == first
    assert len(local.events) == told + (action == "UpdateModelPackage")
    assert local.refusal(action, **request | {"SourceUri": "s3://b"})[0] == "ConflictException"


def test_the_content_of_an_archived_card_stays(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package(ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Archived"})

    refused = local.refusal(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelCard={"ModelCardContent": '{"a": 1}', "ModelCardStatus": "Draft"},
    )

    assert refused == ("ValidationException", "Model Card is in Archived state.")


def test_a_card_is_shown_without_its_content_to_who_wants_metadata_only(local: LocalSageMaker) -> None:
    local.group()
    content = '{"intended_uses": {"risk_rating": "High", "purpose_of_model": "secret"}}'
    arn = local.package(ModelCard={"ModelCardContent": content, "ModelCardStatus": "Draft"}, SourceUri="s3://a")

    shown = local.package_described(arn, IncludedData="MetadataOnly")

    assert shown["ModelCard"]["ModelCardContent"] == '{"intended_uses": {"risk_rating": "High"}}'
    assert shown["SourceUri"] == "s3://a"
    assert local.package_described(arn)["ModelCard"]["ModelCardContent"] == content


def test_a_deleted_version_leaves_its_number_and_an_approved_one_is_deleted_as_any(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package(ModelApprovalStatus="Approved")

    local.ask("DeleteModelPackage", ModelPackageName=arn)

    assert local.package().endswith("/2")
    assert local.refusal("DeleteModelPackage", ModelPackageName=arn)[1] == f"ModelPackage {arn} does not exist."


def test_a_group_goes_when_it_is_empty_and_starts_again_as_another(local: LocalSageMaker) -> None:
    arn = local.group("Tumours")
    package = local.package()
    first = local.package_described(package)["CreationTime"]

    refused = local.refusal("DeleteModelPackageGroup", ModelPackageGroupName=arn)
    local.ask("DeleteModelPackage", ModelPackageName=package)
    local.ask("DeleteModelPackageGroup", ModelPackageGroupName="tumours")
    local.group("tumours")

    assert refused[0] == "ConflictException"
    assert local.package() == package
    assert local.package_described(package)["CreationTime"] > first
    assert local.ask("DescribeModelPackageGroup", ModelPackageGroupName=arn)["ModelPackageGroupName"] == "tumours"


def test_an_arn_of_another_region_is_not_answered_here(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package()

    code, message = local.refusal("DescribeModelPackage", ModelPackageName=arn, region="eu-west-1")

    assert (code, "it is of region us-east-1" in message) == ("ValidationException", True)
