"""How model package groups are named."""

from __future__ import annotations

import pytest

from signoff.model_package.groups import GROUP_NAME, is_group_name
from signoff.service_model.sagemaker import sagemaker_shape


def test_groups_are_named_as_sagemakers_service_model_says() -> None:
    name = sagemaker_shape("CreateModelPackageGroup").members["ModelPackageGroupName"]
    assert name.metadata["pattern"].strip("^$").replace("(", "(?:") == GROUP_NAME


@pytest.mark.parametrize("name", ["a", "Churn-2", "a" * 63, "a--b"])
def test_letters_digits_and_hyphens_between_them_name_a_group(name: str) -> None:
    assert is_group_name(name)


@pytest.mark.parametrize("name", [None, "", "-a", "a-", "a_b", "a b", "a/b", "a\n", "a" * 64])
def test_anything_else_names_none(name: str | None) -> None:
    assert not is_group_name(name)
