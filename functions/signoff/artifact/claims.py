"""What a file's name and place claim: the content that a loader would take it for, whatever it begins with.

A loader is told a name and believes it; few look at the content first. So a name that is in this table claims a
content type, and the content must prove it by being read as that to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from signoff.documents.patterns import compiled_on_use, first_of

COMPRESSED = ("gzip", "bzip2", "xz", "zlib", "lzma")
_SUFFIXES = {
    ".tgz": ".tar",
    ".tbz2": ".tar",
    ".txz": ".tar",
    **dict.fromkeys((".gz", ".bz2", ".xz", ".lzma", ".z"), ""),
}
_PICKLE = ("pickle", *COMPRESSED)
_TORCH = (*_PICKLE, "zip", "pytorch", "torchscript", "torchscript-flatbuffer")


class Claim(NamedTuple):
    """The names that a loader believes (globs of the last parts of a path, in small letters) and what it reads there.

    `kinds` are the content types that satisfy the claim; content of none of them is read as `kinds[0]` all the same,
    where a scanner can. With `read_as`, that is always what it is read as. `loader` is who believes the name, and
    `document` where that is written. `model` says that it is a model, which is never empty.
    """

    names: Sequence[str]
    kinds: Sequence[str]
    loader: str
    document: str
    model: bool = True
    read_as: str = ""

    @property
    def kind(self) -> str:
        """The content type that is demanded first."""
        return self.kinds[0]


CLAIMS: Sequence[Claim] = (
    Claim(
        ("*.pkl", "*.pickle", "*.pckl", "*.pcl", "*.joblib", "*.jl", "*.dill", "*.cloudpickle", "pickle"),
        (*_PICKLE, "zip", "pytorch"),
        "pickle.load and joblib.load",
        "https://scikit-learn.org/stable/model_persistence.html",
    ),
    Claim(
        ("*.pt", "*.pth", "*.ckpt", "pytorch_model*.bin", "adapter_model*.bin", "training_args.bin", "optimizer.bin"),
        _TORCH,
        "torch.load",
        "https://docs.pytorch.org/docs/stable/notes/serialization.html",
    ),
    Claim(
        # PyTorch's own examples call a checkpoint so, which is no tar archive; the first versions wrote one.
        ("*.pt.tar", "*.pth.tar", "*.ckpt.tar"),
        (*_TORCH, "tar"),
        "torch.load",
        "https://docs.pytorch.org/docs/stable/notes/serialization.html",
    ),
    Claim(
        # In the tar archives of PyTorch before 0.1.10 `torch.load` unpickles again behind each tensor's numbers.
        ("storages", "tensors"),
        ("pickle",),
        "torch.load",
        "https://github.com/pytorch/pytorch/blob/main/torch/serialization.py",
    ),
    Claim(
        ("*.ptl", "*.ff"),
        ("torchscript-flatbuffer", "zip", "torchscript", "pytorch"),
        "torch.jit.load",
        "https://docs.pytorch.org/docs/stable/generated/torch.jit.load.html",
    ),
    Claim(
        ("*.safetensors",),
        ("safetensors",),
        "safetensors",
        "https://huggingface.co/docs/safetensors/index",
    ),
    Claim(("*.onnx",), ("onnx",), "ONNX Runtime", "https://onnxruntime.ai/docs/api/python/api_summary.html"),
    Claim(
        ("*.ort",),
        ("ort",),
        "ONNX Runtime",
        "https://onnxruntime.ai/docs/performance/model-optimizations/ort-format-models.html",
    ),
    Claim(
        ("*.onnxtxt", "*.onnxjson", "*.textproto"),
        ("onnx",),
        "onnx.load",
        "https://onnx.ai/onnx/api/serialization.html",
        read_as="onnx text",
    ),
    Claim(
        ("saved_model.pb",),
        ("saved_model",),
        "TensorFlow",
        "https://www.tensorflow.org/guide/saved_model",
    ),
    Claim(
        ("saved_model.pbtxt", "saved_model.cpb"),
        ("saved_model",),
        "TensorFlow",
        "https://www.tensorflow.org/guide/saved_model",
        read_as="saved_model text",
    ),
    Claim(
        ("keras_metadata.pb",),
        ("unknown",),
        "Keras 2",
        "https://github.com/keras-team/tf-keras/blob/master/tf_keras/src/saving/legacy/saved_model/load.py",
        model=False,
        read_as="keras metadata",
    ),
    Claim(
        ("*.keras",),
        ("zip", "keras", "hdf5"),
        "keras.saving.load_model",
        "https://keras.io/api/models/model_saving_apis/model_saving_and_loading/",
    ),
    Claim(
        ("*.h5", "*.hdf5"),
        ("hdf5",),
        "keras.saving.load_model and h5py",
        "https://docs.h5py.org/en/stable/high/file.html",
    ),
    Claim(
        # Of a folder or an archive of Keras', and of a Transformers model: what describes no object of Keras has none.
        ("config.json",),
        ("json",),
        "keras.saving.load_model",
        "https://keras.io/api/models/model_saving_apis/model_saving_and_loading/",
        model=False,
        read_as="keras config",
    ),
    Claim(("*.npy",), ("npy",), "numpy.load", "https://numpy.org/doc/stable/reference/generated/numpy.load.html"),
    Claim(("*.npz",), ("zip", "npz"), "numpy.load", "https://numpy.org/doc/stable/reference/generated/numpy.load.html"),
    Claim(("*.skops",), ("zip", "skops"), "skops.io.load", "https://skops.readthedocs.io/en/stable/persistence.html"),
    Claim(
        ("xgboost-model",),
        ("xgboost-json", "xgboost-ubj", "xgboost-binary", *_PICKLE),
        "the XGBoost container",
        "https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html",
    ),
    Claim(
        ("*.ubj",),
        ("xgboost-ubj",),
        "xgboost.Booster.load_model",
        "https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html",
    ),
    Claim(
        ("*.cbm",),
        ("catboost",),
        "CatBoost",
        "https://catboost.ai/docs/en/concepts/python-reference_catboost_load_model",
    ),
    Claim(("*.tflite",), ("tflite",), "LiteRT", "https://ai.google.dev/edge/litert/models/convert"),
    Claim(("*.gguf",), ("gguf",), "llama.cpp", "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"),
    Claim(("*.pmml",), ("pmml",), "PMML engines", "https://dmg.org/pmml/v4-4-1/GeneralStructure.html"),
    Claim(
        ("*.mlmodel",),
        ("coreml",),
        "Core ML",
        "https://apple.github.io/coremltools/mlmodel/index.html",
        read_as="coreml",
    ),
    Claim(("*.mojo",), ("zip", "mojo"), "H2O", "https://docs.h2o.ai/h2o/latest-stable/h2o-docs/mojo-quickstart.html"),
    Claim(
        ("*.rds", "*.rda", "*.rdata"),
        ("r-data", *COMPRESSED),
        "R's readRDS and load",
        "https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats",
    ),
    Claim(("*.parquet",), ("parquet",), "Parquet readers", "https://parquet.apache.org/docs/file-format/", model=False),
    Claim(
        ("*.json",), ("json", "xgboost-json"), "json.load", "https://docs.python.org/3/library/json.html", model=False
    ),
    Claim(
        ("*.zip", "*.egg", "*.whl"),
        ("zip", "jar", "mojo", "npz", "pytorch", "torchscript", "keras", "skops"),
        "zip readers",
        "https://docs.python.org/3/library/zipfile.html",
        model=False,
    ),
    Claim(
        ("*.mar",),
        ("mar", "zip", "jar", *COMPRESSED, "tar"),
        "TorchServe",
        "https://github.com/pytorch/serve/blob/master/model-archiver/README.md",
    ),
    Claim(("*.tar",), ("tar",), "tar readers", "https://docs.python.org/3/library/tarfile.html", model=False),
    Claim(("*.gz", "*.tgz"), ("gzip",), "gzip.open", "https://docs.python.org/3/library/gzip.html", model=False),
    Claim(("*.bz2",), ("bzip2",), "bz2.open", "https://docs.python.org/3/library/bz2.html", model=False),
    Claim(("*.xz", "*.lzma"), ("xz", "lzma"), "lzma.open", "https://docs.python.org/3/library/lzma.html", model=False),
)
"""The first that matches is believed."""


_first_claim = first_of([claim.names for claim in CLAIMS])


def claim_of(name: str) -> Claim | None:
    """Return what the name of a file claims, by the last part of its path; None for a name that claims nothing."""
    found = _first_claim(name.rpartition("/")[2].lower())
    return None if found is None else CLAIMS[found]


def without_compression(name: str) -> str:
    """Return the name that a compressed file claims for its content: `model.pkl` for `model.pkl.gz` and for itself."""
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), None)
    return name if suffix is None else name[: -len(suffix)] + _SUFFIXES[suffix]


# https://www.tensorflow.org/guide/saved_model#the_savedmodel_format_on_disk
_BESIDE_SAVED_MODEL = compiled_on_use(
    r"((?:.*/)?)(?:variables/variables\.(?:index|data-\d{5}-of-\d{5})|fingerprint\.pb|keras_metadata\.pb)"
)


class SavedModelFolders:
    """The folders of one archive that hold a SavedModel, and the files that are known by their place beside it.

    TensorFlow writes these without a magic number.
    """

    def __init__(self) -> None:
        self._models: set[str] = set()
        self._beside: list[tuple[str, str]] = []

    def add_model(self, name: str) -> None:
        """Take the name of a `saved_model.pb` that was read as one."""
        self._models.add(name.rpartition("/")[0])

    def take(self, name: str, member: str) -> bool:
        """Take a file of unknown data by its name in the archive; return whether it may be a SavedModel's.

        `member` is what it is called in findings.
        """
        if beside := _BESIDE_SAVED_MODEL.fullmatch(name):
            self._beside.append((beside[1].rstrip("/"), member))
        return beside is not None

    def strays(self) -> Iterator[str]:
        """Yield the files that were taken and have no SavedModel where one belongs, once all were seen."""
        return (member for folder, member in self._beside if folder not in self._models)
