"""Files of models as the real frameworks write them: small ones, trained when they are asked for, each once."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.datasets import make_classification

os.environ.setdefault("KERAS_BACKEND", "numpy")  # Keras asks when it is imported

Files = dict[str, bytes]
X, Y = make_classification(n_samples=60, n_features=4, random_state=0)
TEXTS = ["a good day", "a bad day", "good and better", "bad and worse"] * 5
LABELS = [1, 0, 1, 0] * 5
COMPRESSIONS: Mapping[str, Any] = {
    "": 0,
    ".z": ("zlib", 3),
    ".gz": ("gzip", 3),
    ".bz2": ("bz2", 3),
    ".xz": ("xz", 3),
    ".lzma": ("lzma", 3),
}


def estimators() -> dict[str, Any]:
    """Return estimators of scikit-learn by name, none fitted; those of the text kind take texts."""
    from sklearn import (
        calibration,
        cluster,
        compose,
        decomposition,
        discriminant_analysis,
        ensemble,
        feature_extraction,
        feature_selection,
        gaussian_process,
        impute,
        kernel_approximation,
        linear_model,
        manifold,
        mixture,
        model_selection,
        multiclass,
        multioutput,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        random_projection,
        semi_supervised,
        svm,
    )

    logistic = linear_model.LogisticRegression()
    forest = ensemble.RandomForestClassifier(n_estimators=3, max_depth=3, random_state=0)
    mixed = compose.ColumnTransformer(
        [
            ("scaled", preprocessing.StandardScaler(), [0, 1]),
            ("binned", preprocessing.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), [2]),
            ("made", preprocessing.FunctionTransformer(np.exp), [3]),
        ],
        remainder="passthrough",
    )
    return {
        "pipeline": pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler(), logistic),
        "columns": pipeline.make_pipeline(mixed, logistic),
        "forest": forest,
        "extra trees": ensemble.ExtraTreesClassifier(n_estimators=3, max_depth=3),
        "gradient boosting": ensemble.GradientBoostingClassifier(n_estimators=3),
        "gradient boosting of histograms": ensemble.HistGradientBoostingClassifier(max_iter=3),
        "regression by histograms": ensemble.HistGradientBoostingRegressor(max_iter=3, loss="poisson"),
        "AdaBoost": ensemble.AdaBoostClassifier(n_estimators=3),
        "bagging": ensemble.BaggingClassifier(n_estimators=3),
        "isolation forest": ensemble.IsolationForest(n_estimators=3),
        "stacking": ensemble.StackingClassifier([("f", forest), ("l", logistic)], cv=2),
        "vote": ensemble.VotingClassifier([("f", forest), ("n", naive_bayes.GaussianNB())], voting="soft"),
        "calibrated": calibration.CalibratedClassifierCV(forest, method="isotonic", cv=2),
        "support vectors": svm.SVC(),
        "one class": svm.OneClassSVM(),
        "neighbours in a tree": neighbors.KNeighborsClassifier(algorithm="kd_tree"),
        "neighbours in balls": neighbors.KNeighborsRegressor(algorithm="ball_tree", weights="distance"),
        "outliers by neighbours": neighbors.LocalOutlierFactor(n_neighbors=5, novelty=True),
        "principal components": pipeline.make_pipeline(decomposition.PCA(2, random_state=0), logistic),
        "k-means": cluster.KMeans(2, n_init=1),
        "k-means in batches": cluster.MiniBatchKMeans(2, n_init=1),
        "density": cluster.DBSCAN(),
        "neural network": neural_network.MLPClassifier((4,), max_iter=5, early_stopping=True),
        "Gaussian process": gaussian_process.GaussianProcessRegressor(
            gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel()
        ),
        "splines": pipeline.make_pipeline(preprocessing.SplineTransformer(), linear_model.Ridge()),
        "polynomials": pipeline.make_pipeline(preprocessing.PolynomialFeatures(), linear_model.Lasso()),
        "quantiles": pipeline.make_pipeline(
            preprocessing.QuantileTransformer(n_quantiles=20), linear_model.LinearRegression()
        ),
        "power": pipeline.make_pipeline(preprocessing.PowerTransformer(), linear_model.BayesianRidge()),
        "mixture": mixture.GaussianMixture(2),
        "discriminants": discriminant_analysis.LinearDiscriminantAnalysis(),
        "search": model_selection.GridSearchCV(logistic, {"C": [0.1, 1.0]}, scoring="roc_auc", cv=2),
        "random search": model_selection.RandomizedSearchCV(logistic, {"C": [0.1, 1.0]}, n_iter=1, cv=2),
        "threshold": model_selection.TunedThresholdClassifierCV(logistic, cv=2),
        "one against the rest": multiclass.OneVsRestClassifier(logistic),
        "several outputs": multioutput.MultiOutputClassifier(logistic),
        "selection": pipeline.make_pipeline(
            feature_selection.SelectKBest(feature_selection.mutual_info_classif, k=2), naive_bayes.GaussianNB()
        ),
        "recursive elimination": feature_selection.RFECV(logistic, cv=2),
        "imputed by neighbours": pipeline.make_pipeline(impute.KNNImputer(), logistic),
        "kernel approximation": pipeline.make_pipeline(kernel_approximation.Nystroem(n_components=5), logistic),
        "random projection": random_projection.GaussianRandomProjection(2),
        "self-training": semi_supervised.SelfTrainingClassifier(forest),
        "embedding": manifold.Isomap(n_components=2),
        "stochastic gradient descent": linear_model.SGDClassifier(loss="modified_huber"),
        "regression without outliers": linear_model.RANSACRegressor(random_state=0),
        "text: words": pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), logistic),
        "text: hashes": pipeline.make_pipeline(feature_extraction.text.HashingVectorizer(n_features=16), logistic),
        "text: topics": pipeline.make_pipeline(
            feature_extraction.text.CountVectorizer(), decomposition.LatentDirichletAllocation(2, max_iter=2)
        ),
    }


@cache
def fitted(name: str) -> Any:
    """Return an estimator, fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = estimators()[name]
        if name.startswith("text"):
            return estimator.fit(TEXTS, LABELS)
        return estimator.fit(X, Y.reshape(-1, 1) if name == "several outputs" else Y)


def in_every_way(model: Any) -> Files:
    """Return a model as pickle and joblib write it: each protocol, and each compression."""
    files = {f"protocol-{protocol}.pkl": pickle.dumps(model, protocol) for protocol in range(2, 6)}
    for suffix, compression in COMPRESSIONS.items():
        file = io.BytesIO()
        joblib.dump(model, file, compress=compression)
        files[f"model.joblib{suffix}"] = file.getvalue()
    return files


def saved(save: Callable[[str], object], *names: str) -> Files:
    """Return what `save` writes to paths of those names, with all that it puts beside them."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            save(str(Path(folder) / name))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


@cache
def xgboost_classifier() -> Any:
    import xgboost

    return xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(X, Y, eval_set=[(X, Y)], verbose=False)


def _xgboost() -> Iterator[tuple[str, Callable[[], Files]]]:
    import xgboost

    @cache
    def booster() -> Any:
        return xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, xgboost.DMatrix(X, Y), 3)

    yield "booster, JSON and UBJ", lambda: saved(booster().save_model, "xgboost-model", "model.json", "model.ubj")
    yield "booster, pickle and joblib", lambda: in_every_way(booster())
    yield "classifier, JSON and UBJ", lambda: saved(xgboost_classifier().save_model, "model.json", "model.ubj")
    yield "classifier, pickle and joblib", lambda: in_every_way(xgboost_classifier())
    others = {
        "regressor": xgboost.XGBRegressor(n_estimators=2, eval_metric="rmse", early_stopping_rounds=1),
        "forest": xgboost.XGBRFClassifier(n_estimators=2),
        "linear": xgboost.XGBRegressor(n_estimators=2, booster="gblinear"),
    }
    for name, estimator in others.items():
        yield (
            f"{name}, pickle and joblib",
            lambda it=estimator: in_every_way(it.fit(X, Y, eval_set=[(X, Y)], verbose=False)),
        )
    ranker = xgboost.XGBRanker(n_estimators=2)
    yield "ranker, pickle and joblib", lambda: in_every_way(ranker.fit(X, Y, group=[30, 30]))


def _lightgbm() -> Iterator[tuple[str, Callable[[], Files]]]:
    import lightgbm

    quiet = {"verbose": -1, "num_leaves": 3, "min_data_in_leaf": 5}

    @cache
    def booster() -> Any:
        return lightgbm.train(quiet, lightgbm.Dataset(X, Y), 3)

    yield "booster, text", lambda: saved(booster().save_model, "model.txt")
    yield "booster, pickle and joblib", lambda: in_every_way(booster())
    few = {"n_estimators": 3, "num_leaves": 3, "verbose": -1}
    scored = lightgbm.LGBMClassifier(**few)
    yield "classifier, pickle and joblib", lambda: in_every_way(scored.fit(X, Y, eval_set=[(X, Y)]))
    regressor = lightgbm.LGBMRegressor(**few)
    yield "regressor, pickle and joblib", lambda: in_every_way(regressor.fit(X, Y))
    ranker = lightgbm.LGBMRanker(**few)
    yield "ranker, pickle and joblib", lambda: in_every_way(ranker.fit(X, Y, group=[30, 30]))


def _skops() -> Iterator[tuple[str, Callable[[], Files]]]:
    import zipfile

    import skops.io as skops

    for name in SKOPS:
        yield name, lambda name=name: {"model.skops": skops.dumps(fitted(name))}
    yield "pipeline, deflated", lambda: {"m.skops": skops.dumps(fitted("pipeline"), compression=zipfile.ZIP_DEFLATED)}
    values = {"one": [1, 2.5, None, "text"], "two": (b"x", {3}, slice(1)), "three": np.arange(3), "type": np.float32}
    yield "values", lambda: {"model.skops": skops.dumps(values)}


SKOPS = (
    """
pipeline;columns;forest;gradient boosting;gradient boosting of histograms;stacking;calibrated;support vectors
neighbours in a tree;neighbours in balls;principal components;k-means;neural network;Gaussian process;splines
quantiles;search;selection;stochastic gradient descent;text: words;text: topics
""".strip()
    .replace("\n", ";")
    .split(";")
)


def _safetensors() -> Iterator[tuple[str, Callable[[], Files]]]:
    from safetensors.numpy import save

    shard = {"layer.0.weight": np.ones((4, 4), "f4"), "layer.0.bias": np.zeros(4, "f2"), "steps": np.array(7)}
    yield "one file", lambda: {"model.safetensors": save(shard, {"format": "pt"})}
    yield (
        "shards",
        lambda: {
            "model-00001-of-00002.safetensors": save({"a": shard["layer.0.weight"]}),
            "model-00002-of-00002.safetensors": save({"b": shard["layer.0.bias"]}),
            "model.safetensors.index.json": b'{"metadata": {"total_size": 72}, "weight_map": {"a": "model-00001"}}',
        },
    )


def _onnx() -> Iterator[tuple[str, Callable[[], Files]]]:
    import onnx
    from onnx import helper, numpy_helper
    from skl2onnx import to_onnx

    def converted(name: str, **options: Any) -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(to_onnx(fitted(name), X[:1].astype("f4"), **options).SerializeToString())

    def beside(path: str) -> None:
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "g",
            [value("x", onnx.TensorProto.FLOAT, [None, 64])],
            [value("y", onnx.TensorProto.FLOAT, [None, 64])],
            [numpy_helper.from_array(np.ones((64, 64), "f4"), "w")],
        )
        opsets = [helper.make_opsetid("", 18)]
        options = {"save_as_external_data": True, "location": "model.onnx.data", "size_threshold": 0}
        onnx.save(helper.make_model(graph, opset_imports=opsets), path, **options)

    for name in ("pipeline", "forest", "gradient boosting", "support vectors", "k-means"):
        yield name, lambda name=name: {"model.onnx": converted(name)}
    yield "weights beside the model", lambda: saved(beside, "model.onnx")


def _keras() -> Iterator[tuple[str, Callable[[], Files]]]:
    import keras

    @cache
    def model() -> Any:
        layers = keras.layers
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.1), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        return model

    @cache
    def words() -> Any:
        layers = keras.layers
        tokens = keras.Input((6,), dtype="int32")
        embedded = layers.Embedding(20, 4, mask_zero=True)(tokens)
        attended = layers.MultiHeadAttention(2, 2)(embedded, embedded)
        pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(embedded + attended))
        return keras.Model(tokens, layers.Dense(2, "softmax")(pooled))

    yield "network, .keras", lambda: saved(model().save, "model.keras")
    yield "network, .h5", lambda: saved(model().save, "model.h5")
    yield "network, weights", lambda: saved(model().save_weights, "model.weights.h5")
    yield "attention, .keras", lambda: saved(words().save, "model.keras")
    yield "attention, .h5", lambda: saved(words().save, "model.h5")


def _arrays() -> Iterator[tuple[str, Callable[[], Files]]]:
    import pandas
    from scipy import sparse

    def npz(save: Callable[..., None]) -> Files:
        return saved(lambda path: save(path, weights=np.ones((3, 3)), names=np.array(["a", "b"])), "model.npz")

    yield "npz", lambda: npz(np.savez)
    yield "npz, deflated", lambda: npz(np.savez_compressed)
    yield "npy", lambda: saved(lambda path: np.save(path, np.asfortranarray(np.ones((3, 4)))), "weights.npy")
    for form in ("csr", "csc", "coo", "bsr", "dia"):
        matrix = sparse.eye_array(9, format=form)
        yield f"sparse, {form}", lambda it=matrix: saved(lambda path: sparse.save_npz(path, it), "features.npz")
    frame = pandas.DataFrame(
        {
            "number": [1, 2],
            "text": ["a", "b"],
            "when": pandas.to_datetime(["2026-01-01", "2026-01-02"]),
            "kind": pandas.Categorical(["x", "y"]),
            "perhaps": pandas.array([1, None], dtype="Int64"),
            "true": [True, False],
            "texts": pandas.array(["a", None], dtype="string"),
        }
    )
    both = frame.set_index(["number", "text"])
    of = {"frame": frame, "index of two": both, "series": frame["number"]}
    of["dates as index"] = pandas.Series([1.0, 2.0], index=pandas.date_range("2026-01-01", periods=2))
    for name, value in of.items():
        yield f"pandas, {name}", lambda it=value: in_every_way(it)
    yield "pandas in a model", lambda: in_every_way({"model": fitted("pipeline"), "features": frame.columns})


@cache
def by_name() -> dict[str, Callable[[], Files]]:
    """Return every set of files by its name, with what writes it."""
    of_sklearn = {f"scikit-learn: {name}": lambda name=name: in_every_way(fitted(name)) for name in estimators()}
    others = {
        "XGBoost": _xgboost,
        "LightGBM": _lightgbm,
        "skops": _skops,
        "safetensors": _safetensors,
        "ONNX": _onnx,
        "Keras": _keras,
        "arrays": _arrays,
    }
    return of_sklearn | {f"{of}: {name}": write for of, make in others.items() for name, write in make()}


@cache
def files(name: str) -> Files:
    """Return the files of a name, written once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return by_name()[name]()
