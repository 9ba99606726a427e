"""What dead validations leave: their transform jobs, which cost money, and their temporary models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from signoff.aws.sagemaker import Registry
from signoff.aws.transform_jobs import TransformJobs
from signoff.model_package.temporary_model import NAME

# No policy allows a job 13 hours, and no execution of the workflow runs for longer than three days.
_JOB, _EXECUTION = timedelta(hours=13), timedelta(days=3, hours=1)


@dataclass(frozen=True)
class TemporaryModels:
    """Stops and deletes what no validation will come back to."""

    registry: Registry
    jobs: TransformJobs

    def left(self, now: datetime) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield what is left, as `job` or `temporary model`, each with what ends it."""
        for name in self.jobs.under_way(NAME, now - _JOB):
            if name.startswith(NAME):
                yield "temporary job", partial(self.jobs.stop, name)
        for name in self.registry.models_named(NAME, now - _EXECUTION):
            if name.startswith(NAME):
                yield "temporary model", partial(self.registry.delete_model, name)
