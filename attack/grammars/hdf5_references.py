"""HDF5 files that keep data in other files: by which of its ways, how the file is written, and where it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attack.grammar import Choices, Files, Grammar
from attack.grammars.archives import Entry, zipped
from attack.grammars.hdf5 import FILES, written

OTHER = "/etc/other.h5"


def _external(file: Any, *parts: tuple[str, int, int]) -> None:
    file.create_dataset("weights", shape=(16,), dtype="u1", external=[*parts])


def _link(group: Any, name: str = "weights") -> None:
    import h5py

    group[name] = h5py.ExternalLink(OTHER, "/weights")


def _many_links(file: Any) -> None:
    for number in range(40):  # more than 8: they are stored another way
        _link(file, f"weights{number}")


def _virtual(file: Any, **options: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout(shape=(4,), dtype="f8", **options)
    layout[:] = h5py.VirtualSource(OTHER, "weights", shape=(4,))
    file.create_virtual_dataset("weights", layout)


def _behind_data(file: Any) -> None:
    file.create_dataset("first", data=[0.0] * 200_000)
    _link(file.create_group("last"))


WAYS: Mapping[str, Callable[[Any], None]] = {
    "external": lambda file: _external(file, ("/etc/hostname", 0, 16)),
    "external-parts": lambda file: _external(file, *(("/etc/hostname", at, 4) for at in range(0, 16, 4))),
    "external-near": lambda file: _external(file, ("weights.bin", 0, 16)),
    "link": _link,
    "links": _many_links,
    "link-in-group": lambda file: _link(file.create_group("model_weights")),
    "link-ordered": lambda file: _link(file.create_group("model_weights", track_order=True)),
    "link-named-long": lambda file: _link(file, "w" * 5_000),
    "link-named-otherwise": lambda file: _link(file, "größe"),
    "link-named-oddly": lambda file: _link(file, "\1\2"),
    "link-behind-data": _behind_data,
    "virtual": _virtual,
    "virtual-in-group": lambda file: _virtual(file.create_group("model_weights")),
}
"""How data is kept elsewhere, by its name."""

FORMS: Mapping[str, Callable[[bytes], Files]] = {
    **{
        name: lambda data, name=name: {name: data}  # type: ignore[misc]
        for name in ("model.h5", "model", "model.bin", "notes.txt")
    },
    "weights": lambda data: {"model.weights.h5": data},
    "archive": lambda data: {
        "model.keras": zipped(
            [Entry("metadata.json", b"{}"), Entry("config.json", b"{}"), Entry("model.weights.h5", data)]
        )
    },
}
"""Where the file is, by its name."""


def _compose(choices: Choices) -> Files:
    return FORMS[choices["form"]](written(WAYS[choices["way"]], choices["file"]))


HDF5_REFERENCES = Grammar(
    "hdf5-references",
    {"way": tuple(WAYS), "file": tuple(FILES), "form": tuple(FORMS)},
    _compose,
    ("h5py",),
)
