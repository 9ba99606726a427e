"""The engine's lists are filtered, sorted and paged as the API reference says, whatever is added meanwhile."""

from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.depth import examples
from tests.support.local_sagemaker import INSTANCES, ROLE, SPECIFICATION, LocalSageMaker

LISTS = {
    "ListModelPackages": "ModelPackageSummaryList",
    "ListModelPackageGroups": "ModelPackageGroupSummaryList",
    "ListModels": "Models",
}


@pytest.fixture
def local() -> LocalSageMaker:
    return LocalSageMaker()


def unversioned(local: LocalSageMaker, name: str) -> str:
    request = {"ModelPackageName": name, "InferenceSpecification": SPECIFICATION | INSTANCES}
    return str(local.ask("CreateModelPackage", **request)["ModelPackageArn"])


def model(local: LocalSageMaker, name: str) -> str:
    local.model(name, PrimaryContainer=SPECIFICATION["Containers"][0], ExecutionRoleArn=ROLE)
    return name


def create(local: LocalSageMaker, action: str, name: str) -> None:
    makers = {"ListModelPackages": unversioned, "ListModelPackageGroups": LocalSageMaker.group, "ListModels": model}
    makers[action](local, name)


def name_of(item: dict[str, Any]) -> str:
    return str(item.get("ModelPackageName") or item.get("ModelPackageGroupName") or item.get("ModelName"))


def names(local: LocalSageMaker, action: str, **request: Any) -> list[str]:
    return [name_of(item) for page in local.pages(action, LISTS[action], **request) for item in page]


@settings(max_examples=examples(60), deadline=None)
@given(
    action=st.sampled_from(sorted(LISTS)),
    stored=st.lists(st.integers(0, 999), unique=True, max_size=25),
    size=st.none() | st.integers(1, 30),
    by=st.sampled_from(["Name", "CreationTime"]),
    order=st.sampled_from(["Ascending", "Descending"]),
)
def test_the_pages_of_a_list_are_the_whole_list_in_order_and_none_is_longer_than_asked(
    action: str, stored: list[int], size: int | None, by: str, order: str
) -> None:
    local = LocalSageMaker()
    created = [f"n{number}" for number in stored]
    for name in created:
        create(local, action, name)
    request: dict[str, Any] = {"SortBy": by, "SortOrder": order} | ({"MaxResults": size} if size else {})

    pages = list(local.pages(action, LISTS[action], **request))

    wanted = sorted(created) if by == "Name" else created
    assert [name_of(item) for page in pages for item in page] == (wanted if order == "Ascending" else wanted[::-1])
    assert all(len(page) == (size or 10) for page in pages[:-1])
    assert len(pages[-1]) <= (size or 10)


@settings(max_examples=examples(60), deadline=None)
@given(
    action=st.sampled_from(sorted(LISTS)),
    before=st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=12),
    added=st.lists(st.integers(100, 199), unique=True, max_size=12),
    size=st.integers(1, 4),
    by=st.sampled_from(["Name", "CreationTime"]),
    order=st.sampled_from(["Ascending", "Descending"]),
)
def test_what_is_added_between_two_pages_neither_hides_nor_repeats_what_was_there(
    action: str, before: list[int], added: list[int], size: int, by: str, order: str
) -> None:
    local, waiting = LocalSageMaker(), [f"n{number:03}x" for number in added]
    for number in before:
        create(local, action, f"n{number:03}")
    found: list[str] = []
    for page in local.pages(action, LISTS[action], MaxResults=size, SortBy=by, SortOrder=order):
        found += [name_of(item) for item in page]
        if waiting:
            create(local, action, waiting.pop())

    assert len(found) == len(set(found))
    assert {f"n{number:03}" for number in before} <= set(found)


@given(token=st.text(alphabet=st.characters(codec="ascii", exclude_categories=("C",)), min_size=1, max_size=60))
@settings(deadline=None)
def test_a_token_that_no_list_gave_is_refused(token: str) -> None:
    local = LocalSageMaker()

    for action in LISTS:
        code, message = local.refusal(action, NextToken=token)
        assert (code, "Invalid NextToken" in message) == ("ValidationException", True)


@given(data=st.data())
@settings(deadline=None)
def test_a_token_that_somebody_changed_is_refused(data: st.DataObject) -> None:
    local = LocalSageMaker()
    for name in ("a", "b"):
        local.group(name)
    token = local.ask("ListModelPackageGroups", MaxResults=1)["NextToken"]
    at = data.draw(st.integers(0, len(token.rstrip("=")) - 2))
    other = data.draw(st.sampled_from([letter for letter in ascii_letters + digits if letter != token[at]]))

    refused = local.refusal("ListModelPackageGroups", NextToken=token[:at] + other + token[at + 1 :])

    assert refused == ("ValidationException", "Invalid NextToken: it was never issued")


def test_a_token_continues_its_own_order_only(local: LocalSageMaker) -> None:
    for name in ("a", "b"):
        local.group(name)
    token = local.ask("ListModelPackageGroups", MaxResults=1, SortBy="Name")["NextToken"]

    refused = local.refusal("ListModelPackageGroups", MaxResults=1, SortBy="CreationTime", NextToken=token)

    assert refused == ("ValidationException", "Invalid NextToken: it continues another list")


@pytest.mark.parametrize("size", [0, 101])
@pytest.mark.parametrize("action", sorted(LISTS))
def test_a_page_has_one_to_a_hundred_items(local: LocalSageMaker, action: str, size: int) -> None:
    assert local.refusal(action, MaxResults=size)[0] == "ValidationException"


@pytest.mark.parametrize("action", sorted(LISTS))
def test_a_list_is_of_what_has_the_name_and_the_time_asked_for(local: LocalSageMaker, action: str) -> None:
    for number, name in enumerate(["Old-tumours", "tumours", "lungs", "new-tumours"]):
        local.time = 1_700_000_000.0 + 100 * number
        create(local, action, name)
    listing = {"SortOrder": "Ascending", "NameContains": "TUMOUR"}

    after, before = 1_700_000_050, 1_700_000_250

    assert names(local, action, **listing) == ["Old-tumours", "tumours", "new-tumours"]
    assert names(local, action, **listing, CreationTimeAfter=after) == ["tumours", "new-tumours"]
    assert names(local, action, **listing, CreationTimeAfter=after, CreationTimeBefore=before) == ["tumours"]


def test_only_models_are_listed_from_the_very_time_on(local: LocalSageMaker) -> None:
    for action in LISTS:
        create(local, action, "one")
    models = local.ask("ListModels")["Models"]

    assert names(local, "ListModels", CreationTimeAfter=models[0]["CreationTime"]) == ["one"]
    groups = local.ask("ListModelPackageGroups")["ModelPackageGroupSummaryList"]
    assert names(local, "ListModelPackageGroups", CreationTimeAfter=groups[0]["CreationTime"]) == []


def test_models_are_listed_latest_first_and_packages_and_groups_earliest_first(local: LocalSageMaker) -> None:
    for action in LISTS:
        for name in ("a", "b"):
            create(local, action, name)

    assert {action: names(local, action) for action in LISTS} == {
        "ListModelPackages": ["a", "b"],
        "ListModelPackageGroups": ["a", "b"],
        "ListModels": ["b", "a"],
    }


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, ["solo"]),
        ({"ModelPackageType": "Unversioned"}, ["solo"]),
        ({"ModelPackageType": "Versioned"}, ["lungs/1", "tumours/1", "tumours/2"]),
        ({"ModelPackageType": "Both"}, ["lungs/1", "solo", "tumours/1", "tumours/2"]),
        ({"ModelPackageGroupName": "Tumours"}, ["tumours/1", "tumours/2"]),
        ({"ModelPackageGroupName": "tumours", "ModelPackageType": "Both"}, ["tumours/1", "tumours/2"]),
        ({"ModelPackageGroupName": "tumours", "ModelPackageType": "Unversioned"}, []),
        ({"ModelPackageGroupName": "tumours", "ModelApprovalStatus": "Approved"}, ["tumours/2"]),
        ({"ModelPackageType": "Both", "ModelApprovalStatus": "Approved"}, ["tumours/2"]),
    ],
)
def test_packages_are_listed_by_type_group_and_status(
    local: LocalSageMaker, request_: dict[str, Any], found: list[str]
) -> None:
    local.group(), local.group("lungs")
    local.package(), local.package("lungs"), unversioned(local, "solo"), local.package(ModelApprovalStatus="Approved")

    listed = local.ask("ListModelPackages", SortBy="Name", **request_)["ModelPackageSummaryList"]

    assert [each["ModelPackageArn"].partition("/")[2] for each in listed] == found


def test_the_packages_of_no_group_are_not_listed(local: LocalSageMaker) -> None:
    code, message = local.refusal("ListModelPackages", ModelPackageGroupName="none")

    assert (code, message.endswith("model-package-group/none does not exist.")) == ("ValidationException", True)


def test_a_summary_has_the_documented_fields_and_no_others(local: LocalSageMaker) -> None:
    local.group(ModelPackageGroupDescription="g")
    life = {"Stage": "Development", "StageStatus": "Draft"}
    local.approved(CustomerMetadataProperties={"a": "b"}, ModelPackageDescription="d", ModelLifeCycle=life)

    package = local.ask("ListModelPackages", ModelPackageGroupName="tumours")["ModelPackageSummaryList"][0]
    group = local.ask("ListModelPackageGroups")["ModelPackageGroupSummaryList"][0]

    assert package.pop("CreationTime") > group.pop("CreationTime")
    assert package == {
        "ModelPackageGroupName": "tumours",
        "ModelPackageVersion": 1,
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:111111111111:model-package/tumours/1",
        "ModelPackageDescription": "d",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "ModelLifeCycle": life,
    }
    assert group == {
        "ModelPackageGroupName": "tumours",
        "ModelPackageGroupArn": "arn:aws:sagemaker:us-east-1:111111111111:model-package-group/tumours",
        "ModelPackageGroupDescription": "g",
        "ModelPackageGroupStatus": "Completed",
    }


def test_versions_are_listed_by_name_in_the_order_of_their_numbers(local: LocalSageMaker) -> None:
    local.group()
    for _ in range(12):
        local.package()

    pages = local.pages(
        "ListModelPackages", "ModelPackageSummaryList", ModelPackageGroupName="tumours", SortBy="Name", MaxResults=5
    )

    assert [[each["ModelPackageVersion"] for each in page] for page in pages] == [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [11, 12],
    ]


def test_tags_are_listed_in_pages_by_key(local: LocalSageMaker) -> None:
    arn = local.group(Tags=[{"Key": f"k{i:02}", "Value": "v"} for i in range(50)])

    tags = local.ask("ListTags", ResourceArn=arn, MaxResults=50)

    assert [tag["Key"] for tag in tags["Tags"]] == [f"k{i:02}" for i in range(50)]
    assert "NextToken" not in tags
    assert local.refusal("ListTags", ResourceArn=arn, NextToken="x")[0] == "ValidationException"
    assert local.refusal("ListTags", ResourceArn=arn, MaxResults=49)[0] == "ValidationException"
