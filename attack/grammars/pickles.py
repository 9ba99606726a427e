"""Pickles: what is called, how it is written, what is around it, and under which name it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attack.grammar import Choices, Files, Grammar, ImpossibleDisguise
from attack.grammars.archives import ARCHIVES
from attack.grammars.calls import CALLS
from attack.grammars.compression import COMPRESSION
from attack.grammars.layouts import LAYOUTS
from attack.grammars.opcodes import FORMS, TEXTS
from attack.grammars.padding import HEADERS, LEADS, TAILS

WRAPS: Mapping[str, Callable[[bytes], bytes]] = {"none": lambda data: data, **COMPRESSION, **ARCHIVES}

PLACES = (
    "model",
    "model.pkl",
    "model.joblib",
    "model.bin",
    "model.sav",
    "model.dat",
    "vocabulary.p",
    "model.pt",
    "pytorch_model.bin",
    "notes.txt",
    "README.md",
    "model.json",
    "config.json",
    "model.onnx",
    "model.h5",
    "model.keras",
    "model.npy",
    "model.npz",
    "model.skops",
    "model.pkl.gz",
    "model.pkl.xz",
    "model.pkl.zip",
    "model.pkl.tar",
    "MODEL.PKL",
    "saved_model.pb",
    "model.safetensors",
    "xgboost-model",
    "archive/data.pkl",
    "code/model.pkl",
    "._model.pkl",
    ".hidden",
    "model.pkl.txt",
    "deep/er/folder/model.pickle",
)

LOADERS = ("pickle", "pickle-python", "joblib", "numpy", "pandas", "opened", "torch-zip", "torch")


def _compose(choices: Choices) -> Files:
    if choices["wrap"] == "none" != choices["outer"]:
        raise ImpossibleDisguise("what is wrapped once is wrapped by `wrap`")
    call, text = CALLS[choices["call"]], TEXTS[choices["text"]]
    body = FORMS[choices["form"]](call, text)
    data = HEADERS[choices["header"]] + LEADS[choices["lead"]]() + body + TAILS[choices["tail"]]()
    data = LAYOUTS[choices["layout"]](data)
    for wrap in ("wrap", "outer"):
        data = WRAPS[choices[wrap]](data)
    return {choices["place"]: data}


PICKLES = Grammar(
    "pickle",
    {
        "call": tuple(CALLS),
        "form": tuple(FORMS),
        "text": tuple(TEXTS),
        "header": tuple(HEADERS),
        "lead": tuple(LEADS),
        "tail": tuple(TAILS),
        "layout": tuple(LAYOUTS),
        "wrap": tuple(WRAPS),
        "outer": tuple(WRAPS),
        "place": PLACES,
    },
    _compose,
    LOADERS,
)
