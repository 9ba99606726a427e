"""How model package groups are named."""

from __future__ import annotations

import re

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
GROUP_NAME = r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}"


def is_group_name(text: str | None) -> bool:
    """Return whether SageMaker takes `text` for the name of a model package group."""
    return text is not None and re.fullmatch(GROUP_NAME, text) is not None


def same_name(one: str, other: str) -> bool:
    """Return whether two names are of one group: names that differ by case only are one to SageMaker's ARNs."""
    return one.casefold() == other.casefold()
