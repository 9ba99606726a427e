"""Submissions of example manifests on the engine, many at once."""

from __future__ import annotations

import copy
from typing import Any
from uuid import uuid4

from examples import artifacts
from tests.support.groups import Group, Submission
from tests.support.pipeline import Pipeline

Document = dict[str, Any]


class Shapes:
    """The submissions of this file, all of them uploaded at once: each to a group of its own."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.submissions: dict[str, Submission] = {}

    def submit(self, name: str, document: Document, policy: Document | None = None) -> None:
        """Submit a manifest with the files that it names, under a policy of its group's own or the default one."""
        group = Group(self._pipeline, f"{name[:40].rstrip('-')}-{uuid4().hex[:8]}")
        if policy:
            group.policy(**copy.deepcopy(policy))
        self.submissions[name] = group.submit(artifacts.submission(document, self._pipeline.stack.image))
