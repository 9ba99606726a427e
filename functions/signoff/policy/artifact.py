"""A policy's requirements for artifacts."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from msgspec import Meta, Struct

from signoff.artifact.requirements import (
    KNOWN_FORMATS,
    PYTHON_LOCATIONS,
    SCRIPT_LOCATIONS,
    CodeLocations,
    Requirements,
    Trusted,
)
from signoff.artifact.streams.limits import GIB, Limits
from signoff.artifact.trusted_names import PATTERN, never_trusted
from signoff.documents.faults import Fault, refuse
from signoff.documents.suggestions import closest, question
from signoff.policy.values import meaning


def _glob_faults(**lists: Sequence[str]) -> Iterator[Fault]:
    """Yield which globs match no name of a file in an archive, by the field that lists them, and what may be meant."""
    for field, globs in lists.items():
        for index, glob in enumerate(globs):
            if not _may_match(glob):
                yield Fault(f"{field}[{index}]", f"`{glob}` matches no file: {_NAMES}{question(_meant(glob))}")


_NAMES = "names are relative to the archive's top, with `/` between their parts, and without `.`, `..` and empty parts"


def _may_match(glob: str) -> bool:
    return "\\" not in glob and not {"", ".", ".."} & {*glob.split("/")}


def _meant(glob: str) -> list[str]:
    parts = [part for part in glob.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return ["/".join([*parts, "*"] if glob.endswith("/") else parts)] if parts else []


class ArtifactLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """How far an archive may expand, and what it may contain: they limit an inspection's memory and time."""

    expanded_gib: Annotated[int, meaning("GiB that an archive may expand to, 1,024 at most.", ge=1, le=1024)] = 200
    ratio: Annotated[
        int,
        meaning(
            "How many times its compressed size an archive of more than a GiB may expand to, 10,000 at most.",
            ge=1,
            le=10_000,
        ),
    ] = 1000
    members: Annotated[int, meaning("How many members an archive may have, 200,000 at most.", ge=1, le=200_000)] = (
        100_000
    )
    nested: Annotated[
        int,
        meaning("How many levels deep archives and compressed files may be nested, 10 at most.", ge=0, le=10),
    ] = 5

    @property
    def reading(self) -> Limits:
        """The limits for an inspection."""
        return Limits(self.expanded_gib * GIB, self.ratio, members=self.members, nested=self.nested)


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """Where code may be in an artifact: globs on file names, by type of code."""

    python: Annotated[
        tuple[str, ...], meaning("For Python source, and any file named `.py`.", examples=[["code/*"]])
    ] = PYTHON_LOCATIONS
    scripts: Annotated[
        tuple[str, ...],
        meaning("For scripts in other languages: what begins with `#!`, or is named so (`.sh`, `.bat`, `.js` ...)."),
    ] = SCRIPT_LOCATIONS
    compiled: Annotated[
        tuple[str, ...],
        meaning(
            "For programs, libraries and bytecode: ELF, PE, Mach-O, WebAssembly, Java and `.pyc`.",
            examples=[["code/lib/*.so"]],
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse globs that match nothing."""
        refuse(_glob_faults(python=self.python, scripts=self.scripts, compiled=self.compiled))

    @property
    def places(self) -> CodeLocations:
        """The same for an inspection."""
        return CodeLocations(self.python, self.scripts, self.compiled)


class TensorFlow(Struct, frozen=True, forbid_unknown_fields=True):
    """What TensorFlow's graphs may do besides computing."""

    operators: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_>.]+$")], ...],
        meaning(
            "Operators that are not known only to compute and are admitted all the same, by their exact names; "
            "approvers see a warning.",
            examples=[["InitializeTableFromTextFileV2"]],
        ),
    ] = ()


class Pickles(Struct, frozen=True, forbid_unknown_fields=True):
    """What pickles and skops files may name besides what is known to be harmless."""

    trusted: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    pattern=PATTERN,
                    extra_json_schema={
                        "pattern": PATTERN,
                        "patternErrorMessage": "must be a class or function by its module, such as "
                        "acme.features.Encoder, or all of one module, such as acme.features.*",
                    },
                ),
            ],
            ...,
        ],
        meaning(
            "Classes and functions of one's own that pickles and skops files may name, with any arguments: each by its "
            "module and name, or all of one module; approvers see a warning. Never the standard library.",
            examples=[["acme.features.Encoder", "acme.models.*"]],
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse names that lead to code of anybody's choice."""
        refuse(
            Fault(f"trusted[{index}]", f"`{name}` {why}")
            for index, name in enumerate(self.trusted)
            if (why := never_trusted(name))
        )


class Artifact(Struct, frozen=True, forbid_unknown_fields=True):
    """What an artifact must contain, and may; globs match the archive's member names."""

    required_files: Annotated[
        tuple[str, ...],
        meaning(
            "Glob patterns, each of which a file in the archive has to match.", examples=[["model.joblib", "code/*.py"]]
        ),
    ] = ()
    forbidden_files: Annotated[
        tuple[str, ...],
        meaning(
            "Glob patterns, none of which a file in the archive, or a link, may match.", examples=[["*.pkl", "data/*"]]
        ),
    ] = ()
    formats: Annotated[
        tuple[Annotated[str, Meta(extra_json_schema={"enum": list(KNOWN_FORMATS)})], ...],
        meaning(
            "Formats that models in the archive may have, detected by their content; none means any that can be "
            "inspected. `unknown` stands for binary data of no known format. Text, JSON and code are not models.",
            examples=[["safetensors", "onnx"]],
        ),
    ] = ()
    code: Annotated[
        Code, meaning("Where code may be in the archive: glob patterns by type, which is detected by its content.")
    ] = Code()
    licence: Annotated[
        bool,
        meaning(
            "Whether the archive must hold a licence at its top: a file LICENSE, LICENCE or COPYING, in any case, "
            "with .txt or .md or without, that is not blank."
        ),
    ] = False
    model_card: Annotated[
        bool,
        meaning(
            "Whether the archive must hold a model card at its top: README.md that begins with YAML, as Hugging Face "
            "has it, or MODEL_CARD.md or MODEL_CARD.json that is not blank, in any case."
        ),
    ] = False
    tensorflow: Annotated[TensorFlow, meaning("What graphs of TensorFlow may do besides computing.")] = TensorFlow()
    pickles: Annotated[
        Pickles, meaning("What pickles and skops files may name besides what is known to be harmless.")
    ] = Pickles()
    limits: Annotated[
        ArtifactLimits, meaning("How far an archive may expand, and how much it may contain, before it is refused.")
    ] = ArtifactLimits()

    def __post_init__(self) -> None:
        """Refuse unknown formats, globs that match nothing, and files that are both required and forbidden."""
        globs = _glob_faults(required_files=self.required_files, forbidden_files=self.forbidden_files)
        refuse([*self._unknown_formats(), *globs, *self._contradictions()])

    def _unknown_formats(self) -> Iterator[Fault]:
        for index, name in enumerate(self.formats):
            if name not in KNOWN_FORMATS:
                known = question(closest(name, KNOWN_FORMATS)) or f": {', '.join(KNOWN_FORMATS)}"
                yield Fault(f"formats[{index}]", f"`{name}` is not a known format{known}")

    def _contradictions(self) -> Iterator[Fault]:
        for index, glob in enumerate(self.forbidden_files):
            for name in self.required_files:
                if name == glob or fnmatchcase(name, glob):
                    message = f"`{glob}` forbids `{name}`, which `required_files` requires"
                    yield Fault(f"forbidden_files[{index}]", message)

    @property
    def asked(self) -> list[str]:
        """The names of the fields by which the policy asks anything of an artifact, beyond what holds for all."""
        usual = Artifact()
        return [field for field in self.__struct_fields__ if getattr(self, field) != getattr(usual, field)]

    @property
    def requirements(self) -> Requirements:
        """The same for an inspection."""
        return Requirements(
            required_files=self.required_files,
            forbidden_files=self.forbidden_files,
            formats=self.formats,
            code=self.code.places,
            licence=self.licence,
            model_card=self.model_card,
            trusted=Trusted(operators=frozenset(self.tensorflow.operators), names=frozenset(self.pickles.trusted)),
            limits=self.limits.reading,
        )
