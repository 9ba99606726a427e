"""The requirements that an artifact is checked against: data only, filled in from policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from signoff.artifact.content_types import FORMATS, UNKNOWN
from signoff.artifact.streams.limits import Limits

# Where SageMaker's own containers look for code: in `code/` (so does MLflow), and their default program `inference.py`
# beside the model (SAGEMAKER_PROGRAM, https://github.com/aws/sagemaker-inference-toolkit); DJL Serving in `model.py`
# (https://docs.djl.ai/docs/serving/serving/docs/modes.html); TorchServe in its own archives, where a manifest names
# the handler; Triton beside the model's versions, whose folders are numbers.
PYTHON_LOCATIONS = (
    *("code/*", "*/code/*", "inference.py", "*/inference.py", "model.py", "*/model.py", "*.mar"),
    *("[0-9]*/*.py", "*/[0-9]*/*.py"),
)
SCRIPT_LOCATIONS = ("code/*", "*/code/*")

KNOWN_FORMATS = (*FORMATS, UNKNOWN)


class CodeLocations(NamedTuple):
    """Globs on file names where code is allowed: Python source, shell scripts, compiled code."""

    python: Sequence[str] = PYTHON_LOCATIONS
    scripts: Sequence[str] = SCRIPT_LOCATIONS
    compiled: Sequence[str] = ()


@dataclass(frozen=True)
class Trusted:
    """What a policy admits by its name although an inspection would refuse it: approvers see a warning instead.

    `operators` are TensorFlow's. `names` are those of classes and functions in pickles and skops files, or
    `<module>.*`.
    """

    operators: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What an artifact must contain, must not contain, and how far it may expand.

    `required_files` and `forbidden_files` are globs. `formats` are those of `KNOWN_FORMATS`
    allowed for its models, where `UNKNOWN` stands for binary data of an unknown format; empty allows all.
    """

    required_files: Sequence[str] = ()
    forbidden_files: Sequence[str] = ()
    formats: Sequence[str] = ()
    code: CodeLocations = field(default_factory=CodeLocations)
    fetched: Sequence[str] = ()
    licence: bool = False
    model_card: bool = False
    trusted: Trusted = field(default_factory=Trusted)
    limits: Limits = field(default_factory=Limits)
