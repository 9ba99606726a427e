"""What Keras would build from the JSON of one object: which classes and functions are its own and only compute.

Keras looks up a class or function by `module` and `class_name` (functions: by `config`). Its newer versions build
nothing but their own; older ones import any module that is named (https://nvd.nist.gov/vuln/detail/CVE-2025-1550), and
Keras 2 calls any function of TensorFlow. So what any of them would run is refused.
"""

from __future__ import annotations

import builtins
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.artifact.formats.tensorflow.functions import only_computes
from signoff.artifact.formats.tensorflow.operators import ALLOWED
from signoff.artifact.member_names import shown
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from signoff.artifact.context import FindingCollector

MODULES = ("keras", "keras_nlp", "keras_hub", "keras_cv", "tensorflow.keras", "tf_keras", "builtins")
# Layers and values that hold Python bytecode or a pickle, by their class's name.
CODE = ("Lambda", "__lambda__", "TorchModuleWrapper")
# Layers that hold, or load when they are built, a computation that is not in the JSON.
FOREIGN = ("TFSMLayer", "JaxLayer", "FlaxLayer")
# Layers of Keras 2 that call TensorFlow by the names in their `config`.
CALLS = {"TFOpLambda": "function", "SlicingOpLambda": "function", "ClassMethod": "cls_symbol"}
NODE = "TensorFlowOpLayer"
# The parts of Keras whose functions are parts of models. Others read, write or fetch files, or switch safeguards off.
_KERAS = compiled_on_use(r"(?:tensorflow\.(?:python\.)?|tf_)?keras(?:_nlp|_hub|_cv)?(?:\.|$)")
_COMPUTES = compiled_on_use(
    r"(?:tensorflow\.(?:python\.)?|tf_)?keras(?:_nlp|_hub|_cv)?\.(?:src\.)?(?:activations|losses|metrics|initializers|regularizers"
    r"|constraints|ops|nn|random|optimizers|dtype_policies|quantizers|layers)\b"
)
FUNCTIONS = ("function", "__function__")
# Libraries that lie in the containers anyway: what is taken from them is no layer of the model's author.
_LIBRARY_NAMES = """
    IPython PIL boto3 botocore cffi cloudpickle cv2 dask dill distutils fsspec gevent h5py jax jinja2 joblib lightgbm
    matplotlib mlflow nltk numba numexpr numpy onnx onnxruntime pandas pip pkg_resources py pyarrow pytest requests
    s3fs sagemaker scipy setuptools skimage sklearn skops statsmodels sympy torch torchvision tornado urllib3 werkzeug
    xgboost yaml
"""
_LIBRARIES = frozenset(_LIBRARY_NAMES.split())
_FILES = ("vocabulary", "merges", "proto")
# What is looked at, and so may stand once only in an object.
_NAMES = ("class_name", "module", "config", "registered_name", "spec_name", "node_def", "op")
_KEYS = frozenset((*_NAMES, *_FILES, *CALLS.values()))


@dataclass
class ObjectCheck:
    """Checks the objects of one document, the innermost first."""

    findings: FindingCollector

    def check(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Report what an object would run; returns only what in it may say what the object around it runs."""
        described = dict(pairs)
        if len(described) < len(pairs) and any(count > 1 and key in _KEYS for key, count in _counted(pairs)):
            reason = "Gives a key of its JSON more than once: readers may disagree"
            self.findings.report("unreadable-keras-config", reason)
        for key in _FILES:
            if isinstance(path := described.get(key), str) and path:
                what = "vocabulary" if key == "vocabulary" else key
                reason = f"Reads its {what} from a file when it is loaded: {shown(path)!r}"
                self.findings.report("keras-external-file", reason)
        if isinstance(name := described.get("class_name"), str):
            self._class(name, described)
        return {key: value for key, value in described.items() if key in _KEYS and isinstance(value, (str, dict))}

    def _class(self, name: str, described: Mapping[str, Any]) -> None:
        module = described.get("module")
        module = module if isinstance(module, str) else ""
        if name in CODE:
            self.findings.report("keras-lambda", f"Holds Python code that would run when it is loaded: {name}")
        elif name in FOREIGN:
            self.findings.report("keras-unsafe-module", f"Holds a layer that runs code not described here: {name}")
        elif (call := _unsafe_call(name, described.get("config"))) is not None:
            self.findings.report("keras-unsafe-module", f"Calls {shown(call)!r} of TensorFlow, by the layer {name}")
        elif _unsafe(_called(name, described), name, module):
            called = shown(_called(name, described))
            self.findings.report("keras-unsafe-module", f"Uses {called} from the module {shown(module)!r}")
        elif _custom(module, described):
            named = shown(str(described.get("registered_name") or name))
            self.findings.report("keras-custom-object", f"Needs {named!r}, which is not Keras' own", "warning")


def _counted(pairs: Sequence[tuple[str, Any]]) -> Sequence[tuple[str, int]]:
    return list(Counter(key for key, _ in pairs).items())


def _unsafe_call(name: str, config: Any) -> str | None:
    """Return what a layer of Keras 2 calls in TensorFlow, unless it is known only to compute."""
    inner = config if isinstance(config, dict) else {}
    if name == NODE:
        node = inner.get("node_def")
        called = str(node.get("op")) if isinstance(node, dict) else str(node)
        return None if called in ALLOWED else called
    if key := CALLS.get(name):
        called = str(inner.get(key))
        return None if only_computes(called) else called
    return None


def _called(name: str, described: Mapping[str, Any]) -> str:
    """Return the name that is looked up in the module."""
    other = described.get("spec_name" if name == "__typespec__" else "config")
    return other if name in (*FUNCTIONS, "__typespec__") and isinstance(other, str) else name


def _unsafe(called: str, name: str, module: str) -> bool:
    """Whether what is named is Python's own, a library's, or a function of Keras' helpers."""
    package = module.split(".")[0]
    function = name in FUNCTIONS or not called[:1].isupper()
    if package == "builtins":
        return hasattr(builtins, called)
    if is_foreign_module(module):
        return True
    if _KERAS.match(module):
        return function and module != "keras" and not _COMPUTES.match(module)
    return function and package == "tensorflow"


def is_foreign_module(module: str) -> bool:
    """Whether a module is Python's own or a library's, from which no layer comes."""
    package = module.split(".")[0]
    return package in _LIBRARIES or (package in sys.stdlib_module_names and package not in ("__main__", "builtins"))


def _custom(module: str, described: Mapping[str, Any]) -> bool:
    """Whether what is described is neither Keras' own nor plain data.

    Keras before 3 writes no `module`; then nothing can be said. A function of the user's own has `builtins` for one.
    """
    if described.get("registered_name") and described.get("module") is None:
        return True
    if module == "builtins" and described.get("class_name") == "function":
        return ">" in str(described.get("config"))
    return bool(module) and not any(module == known or module.startswith(f"{known}.") for known in MODULES)
