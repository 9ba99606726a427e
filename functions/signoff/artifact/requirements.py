"""What an artifact is held to by whoever inspects it: data only, which policies are read into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from signoff.artifact.content_types import FORMATS, UNKNOWN
from signoff.artifact.streams.limits import Limits

# Where SageMaker's own containers look for code: in `code/` (so does MLflow); DJL Serving in `model.py` beside the
# model; Triton beside the model's versions, whose folders are numbers.
PYTHON_PLACES = ("code/*", "*/code/*", "model.py", "[0-9]*/*.py", "*/[0-9]*/*.py")
SCRIPT_PLACES = ("code/*", "*/code/*")

KNOWN_FORMATS = (*FORMATS, UNKNOWN)


@dataclass(frozen=True)
class Places:
    """Globs on the names of files, by what may lie there: Python source, shell scripts, compiled code."""

    python: Sequence[str] = PYTHON_PLACES
    scripts: Sequence[str] = SCRIPT_PLACES
    compiled: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Demands:
    """What an artifact must hold, what it may not, and how far it may expand.

    `required_files` and `forbidden_files` are globs. `formats` are those of `KNOWN_FORMATS`
    that models in it may be of, where `UNKNOWN` stands for binary data of no known format; none means any.
    """

    required_files: Sequence[str] = ()
    forbidden_files: Sequence[str] = ()
    formats: Sequence[str] = ()
    code: Places = field(default_factory=Places)
    licence: bool = False
    model_card: bool = False
    limits: Limits = field(default_factory=Limits)
