"""SageMaker's transform jobs, as far as Signoff looks at those that its workflow runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, ignoring

_ABSENT = {"ValidationException", "ResourceNotFound"}


class TransformJobs:
    """Transform jobs, through one SageMaker client."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def describe(self, name: str) -> dict[str, Any] | None:
        """Return DescribeTransformJob's answer, or None when there is no such job."""
        try:
            answer: dict[str, Any] = self._sagemaker.describe_transform_job(TransformJobName=name)
        except ClientError as error:
            if error_code(error) in _ABSENT:
                return None
            raise
        return answer

    def stop(self, name: str) -> None:
        """Have a job stopped; it is no error if it has ended already."""
        with ignoring(_ABSENT):
            self._sagemaker.stop_transform_job(TransformJobName=name)

    def under_way(self, named: str, before: datetime) -> Iterator[str]:
        """Yield the names of the jobs whose names contain `named`, created before that, which have not ended."""
        for page in self._sagemaker.get_paginator("list_transform_jobs").paginate(
            NameContains=named, CreationTimeBefore=before, StatusEquals="InProgress"
        ):
            yield from (job["TransformJobName"] for job in page["TransformJobSummaries"])
