"""Writes the folders that servers of models read, and SageMaker's containers: DJL, Triton, TorchServe, script mode.

`python tests/corpus/layouts/servers.py FOLDER`, where scikit-learn, XGBoost, LightGBM, skl2onnx and the model archiver
of TorchServe are installed.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

X = np.random.RandomState(0).rand(40, 3).astype("float32")
Y = (X[:, 0] > 0.5).astype(int)
FOREST = RandomForestClassifier(3, max_depth=2, random_state=0).fit(X, Y)
INFERENCE = """import joblib
import os


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""
HANDLER = """from djl_python import Input, Output


def handle(inputs: Input) -> Output:
    return Output().add("ready")
"""
TRITON = """name: "forest"
backend: "onnxruntime"
max_batch_size: 8
input [ { name: "X" data_type: TYPE_FP32 dims: [ 3 ] } ]
output [ { name: "label" data_type: TYPE_INT64 dims: [ 1 ] } ]
instance_group [ { kind: KIND_CPU } ]
"""
TRITON_PYTHON = """import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return []
"""


def written(folder: Path, **texts: str) -> None:
    """Write texts by their names, in which `__` is a dot and `_in_` is a slash."""
    for name, text in texts.items():
        path = folder / name.replace("_in_", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def scripts(folder: Path) -> None:
    """Write a model of scikit-learn's container in script mode."""
    written(folder, code_in_inference__py=INFERENCE, code_in_requirements__txt="category-encoders==2.6.4\n")
    joblib.dump(FOREST, folder / "model.joblib")
    np.savez(folder / "bounds.npz", low=X.min(0), high=X.max(0))
    (folder / "columns.json").write_text(json.dumps(["age", "income", "visits"]))
    (folder / "metrics.csv").write_text("name,value\nauc,0.9\n")


def xgboost_container(folder: Path) -> None:
    """Write what XGBoost's container writes: a pickle until 1.2, then the format of the library's own choice."""
    import xgboost as xgb

    booster = xgb.train({"max_depth": 2}, xgb.DMatrix(X, Y), 2)
    for name in ("pickled", "saved", "json"):
        (folder / name).mkdir(parents=True)
    (folder / "pickled" / "xgboost-model").write_bytes(pickle.dumps(booster, 4))
    booster.save_model(folder / "json" / "model.json")
    booster.save_model(folder / "saved" / "model.ubj")
    (folder / "saved" / "model.ubj").rename(folder / "saved" / "xgboost-model")
    (folder / "json" / "model.json").rename(folder / "json" / "xgboost-model")


def djl(folder: Path) -> None:
    """Write a model of DJL Serving: settings and a handler."""
    settings = "engine=Python\noption.entryPoint=model.py\noption.tensor_parallel_degree=1\nbatch_size=4\n"
    written(folder, serving__properties=settings, model__py=HANDLER, requirements__txt="numpy==1.26.4\n")
    joblib.dump(FOREST, folder / "model.joblib")


def triton(folder: Path) -> None:
    """Write a repository of models for Triton."""
    from skl2onnx import to_onnx

    written(folder, forest_in_config__pbtxt=TRITON, forest_in_labels__txt="no\nyes\n")
    written(folder, steps_in_config__pbtxt='backend: "python"\n', steps_in_1_in_model__py=TRITON_PYTHON)
    (folder / "forest" / "1").mkdir()
    (folder / "forest" / "1" / "model.onnx").write_bytes(to_onnx(FOREST, X[:1]).SerializeToString())


def torchserve(folder: Path) -> None:
    """Write an archive with the archiver of TorchServe, as a zip and as a folder."""
    work = folder.parent / "work"
    written(work, handler__py="def handle(data, context):\n    return data\n", index__json='{"0": "no"}')
    joblib.dump(FOREST, work / "model.joblib")
    folder.mkdir(parents=True)
    for form in ("default", "no-archive"):
        name = f"forest-{form}"
        archiver = ["--model-name", name, "--version", "1.0", "--serialized-file", str(work / "model.joblib")]
        files = ["--handler", str(work / "handler.py"), "--extra-files", str(work / "index.json")]
        command = [str(Path(sys.executable).parent / "torch-model-archiver"), *archiver, *files]
        subprocess.run([*command, "--archive-format", form, "--export-path", str(folder)], check=True)
    for file in work.iterdir():
        file.unlink()
    work.rmdir()


def jumpstart(folder: Path) -> None:
    """Write a model of LightGBM as JumpStart's scripts keep it, and one of its text format."""
    import lightgbm

    light = lightgbm.LGBMClassifier(n_estimators=2, num_leaves=3, min_child_samples=2).fit(X, Y)
    written(
        folder,
        code_in_inference__py=INFERENCE,
        code_in_constants_in_constants__py="NAME = 'lightgbm'\n",
        code_in___init____py="",
        code_in_version="1.0\n",
        __models_info____json="{}",
        class_label_to_prediction_index__json='{"0": 0, "1": 1}',
    )
    light.booster_.save_model(folder / "model.txt")
    joblib.dump(light, folder / "model.pkl")


LAYOUTS = (scripts, xgboost_container, djl, triton, torchserve, jumpstart)


def main(folder: Path) -> None:
    """Write each layout."""
    for write in LAYOUTS:
        write(folder / write.__name__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
