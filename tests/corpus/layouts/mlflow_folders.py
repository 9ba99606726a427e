"""Writes model folders as MLflow saves them. `python tests/corpus/layouts/mlflow_folders.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FRAME = pd.DataFrame(np.random.RandomState(0).rand(20, 3), columns=["age", "income", "visits"])
LABELS = (FRAME["age"] > 0.5).astype(int)
CODE = """
import mlflow


class Twice(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input * 2


mlflow.models.set_model(Twice())
"""


class Own(mlflow.pyfunc.PythonModel):
    """A model of one's own, which MLflow pickles."""

    def predict(self, context, model_input, params=None):
        """Return twice the input."""
        return model_input * 2


def main(folder: Path) -> None:
    """Write each layout."""
    made = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, LABELS)
    about = {"signature": infer_signature(FRAME, LABELS), "input_example": FRAME.head(2)}
    for form in ("cloudpickle", "pickle", "skops"):
        try:
            mlflow.sklearn.save_model(made, str(folder / f"sklearn-{form}"), serialization_format=form, **about)
        except Exception as error:
            print("not by this version:", form, error)
    boosters(folder, about)
    script = folder / "model.py"
    script.write_text(CODE)
    mlflow.pyfunc.save_model(str(folder / "code"), python_model=str(script))
    mlflow.pyfunc.save_model(str(folder / "own"), python_model=Own(), artifacts={"settings": str(script)})
    script.unlink()


def boosters(folder: Path, about: dict) -> None:
    """Write boosters, in their own formats and as ONNX, and statsmodels' results."""
    import lightgbm
    import onnxmltools
    import statsmodels.api as sm
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    few = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(FRAME, LABELS)
    light = lightgbm.LGBMClassifier(n_estimators=2, num_leaves=3, min_child_samples=2).fit(FRAME, LABELS)
    mlflow.xgboost.save_model(few, str(folder / "xgboost"), **about)
    mlflow.lightgbm.save_model(light, str(folder / "lightgbm"), **about)
    mlflow.lightgbm.save_model(light.booster_, str(folder / "lightgbm-booster"), **about)
    converted = onnxmltools.convert_lightgbm(light, initial_types=[("input", FloatTensorType([None, 3]))])
    mlflow.onnx.save_model(converted, str(folder / "onnx"), **about)
    mlflow.statsmodels.save_model(sm.OLS(LABELS, FRAME).fit(), str(folder / "statsmodels"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
