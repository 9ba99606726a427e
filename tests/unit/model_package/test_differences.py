"""What is told to have changed from the champion to a candidate."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from signoff.model_package.differences import _LONGEST, MOST_CHANGES, differences

ARTIFACT = {"name": "model", "kind": "archive", "size": 10, "members": 2, "sha256": "a" * 64, "key": "1", "url": "1"}
CONTAINER = {"Image": "repository:1", "ModelDataUrl": "s3://vault/1/model.tar.gz", "Environment": {"WORKERS": "1"}}
EVIDENCE: dict[str, Any] = {
    "subject": {
        "inference_specification": {"Containers": [CONTAINER], "SupportedContentTypes": ["text/csv"]},
        "deployment": {"policy": {"execution_role": "role"}, "manifest": {}},
        "images": {"repository:1": "repository@sha256:1"},
    },
    "artifacts": [ARTIFACT],
    "policy": "p",
    "description": {"description": "Churn", "task": None},
    "provenance": {"CommitId": "1"},
}


def changed(**parts: Any) -> list[tuple[str, Any, Any]]:
    found = differences(EVIDENCE, {**copy.deepcopy(EVIDENCE), **parts})
    return [(each["part"], each["before"], each["after"]) for each in found]


def with_container(**fields: Any) -> dict[str, Any]:
    subject = copy.deepcopy(EVIDENCE["subject"])
    subject["inference_specification"]["Containers"][0] |= fields
    return {"subject": subject}


def test_nothing_changed_between_a_package_and_itself():
    assert changed() == []


def test_copies_elsewhere_in_the_vault_are_no_change():
    elsewhere = {**ARTIFACT, "key": "2", "url": "2"}
    assert changed(**with_container(ModelDataUrl="s3://vault/2/model.tar.gz"), artifacts=[elsewhere]) == []


def test_other_bytes_under_the_same_name_are_a_change():
    assert changed(artifacts=[{**ARTIFACT, "sha256": "b" * 64}]) == [("model: sha256", "a" * 64, "b" * 64)]


def test_a_tag_that_names_another_image_now_is_a_change():
    subject = {**EVIDENCE["subject"], "images": {"repository:1": "repository@sha256:2"}}
    path = "InferenceSpecification.Containers[0].Image"
    assert changed(subject=subject) == [(path, "repository@sha256:1", "repository@sha256:2")]


def test_another_name_of_the_same_image_is_no_change():
    moved = with_container(Image="repository:latest")
    moved["subject"]["images"] = {"repository:latest": "repository@sha256:1"}
    assert changed(**moved) == []


def test_variables_settings_policy_and_provenance_are_compared_one_by_one():
    more = with_container(Environment={"WORKERS": "2", "NEW": ""})
    more["subject"]["deployment"] = {"policy": {"execution_role": "other"}, "manifest": {"Mode": "MultiModel"}}
    more |= {"policy": "q", "provenance": {}, "description": {"description": "Churn", "task": "CLASSIFICATION"}}
    environment = "InferenceSpecification.Containers[0].Environment"
    assert sorted(changed(**more)) == sorted(
        [
            (f"{environment}.WORKERS", "1", "2"),
            (f"{environment}.NEW", None, ""),
            ("deployment.policy.execution_role", "role", "other"),
            ("deployment.manifest.Mode", None, "MultiModel"),
            ("policy", "p", "q"),
            ("provenance.CommitId", "1", None),
            ("task", None, "CLASSIFICATION"),
        ]
    )


def test_files_of_an_archive_are_compared_by_name_format_size_and_digest():
    before = [{"name": "a.py", "size": 1, "kind": "python"}, {"name": "b", "size": 2, "kind": None}]
    after = [{"name": "a.py", "size": 1, "kind": "python", "sha256": "c"}, {"name": "c", "size": 3, "kind": "npy"}]
    found = differences(EVIDENCE, EVIDENCE, ({"model": before}, {"model": after}))
    assert found == [
        {"part": "model: a.py", "before": "python, 1 bytes", "after": "python, 1 bytes, sha256 c"},
        {"part": "model: c", "before": None, "after": "npy, 3 bytes"},
        {"part": "model: b", "before": "unknown, 2 bytes", "after": None},
    ]


def test_what_is_too_much_to_list_is_counted():
    environment = {f"V{number}": "x" * 9999 for number in range(MOST_CHANGES + 5)}
    found = differences(EVIDENCE, {**EVIDENCE, **with_container(Environment={"WORKERS": "1", **environment})})
    assert found[-1] == {"part": "further changes", "before": None, "after": "5"}
    assert len(found) == MOST_CHANGES + 1
    assert all(len(each["after"]) <= _LONGEST + 3 for each in found)


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_what_changed_is_the_same_seen_from_both_sides(before: dict[str, str], after: dict[str, str]):
    one = {**EVIDENCE, **with_container(Environment=before)}
    other = {**EVIDENCE, **with_container(Environment=after)}
    there = {(each["part"], each["before"], each["after"]) for each in differences(one, other)}
    back = {(each["part"], each["after"], each["before"]) for each in differences(other, one)}
    assert there == back
