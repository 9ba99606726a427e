"""Writes what people have: every estimator of a library's version, fitted and pickled in each way that it has.

It runs by itself in an environment with that version, of Python 3.7 or newer:
`python tests/corpus/estimators.py FOLDER`.
`make corpus` makes the environments and the files, and looks whether each is admitted.
"""

from __future__ import annotations

import pickle
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np
import sklearn
from sklearn.linear_model import LinearRegression, LogisticRegression

try:
    import joblib
except ImportError:  # scikit-learn 0.20 brought its own
    from sklearn.externals import joblib

if sklearn.__version__ >= "0.21":
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
if "0.21" <= sklearn.__version__ < "1.0":
    from sklearn.experimental import enable_hist_gradient_boosting  # noqa: F401

if sklearn.__version__ >= "0.22":
    from sklearn.utils import all_estimators
else:
    from sklearn.utils.testing import all_estimators

RANDOM = np.random.RandomState(0)
X = np.abs(RANDOM.standard_normal((60, 6)))
Y = np.arange(60) % 3
TWO = np.arange(60) % 2
NUMBERS = X @ np.arange(1.0, 7.0) + 1
TEXTS = ["a good thing", "one bad thing", "the other day"] * 20
# What an estimator may be fitted with; the first that it takes is used.
DATA: list = [
    (X, Y),
    (X, TWO),
    (X, NUMBERS),
    (X, np.column_stack([NUMBERS, NUMBERS])),
    (X, np.column_stack([TWO, TWO])),
    (X[:, :1], NUMBERS),
    (X[:, 0], NUMBERS),
    (TEXTS,),
    ([{"a": 1, "b": "x"}] * 9,),
    (Y,),
    ([[1], [2, 3]],),
]
INNER: list = [
    {},
    {"estimator": LogisticRegression()},
    {"base_estimator": LogisticRegression()},
    {"estimators": [("a", LogisticRegression()), ("b", LogisticRegression(C=2.0))]},
    {"estimators": [("a", LinearRegression()), ("b", LinearRegression())]},
    {"estimator": LinearRegression()},
    {"base_estimator": LinearRegression()},
    {"regressor": LinearRegression(), "func": np.log1p, "inverse_func": np.expm1},
    {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2, "scoring": "accuracy"},
    {"estimator": LogisticRegression(), "param_distributions": {"C": [0.1, 1.0]}, "cv": 2, "n_iter": 2},
    {"estimator": LogisticRegression(), "param_distributions": {"C": [0.1, 1.0]}, "cv": 2},
    {"transformers": [("a", LogisticRegression(), [0, 1])], "remainder": "passthrough"},
    {"transformer_list": [("a", "passthrough")]},
    {"dictionary": X},
    {"steps": [("a", "passthrough"), ("b", LogisticRegression())]},
    {"n_components": 2},
    {"estimator": LogisticRegression(), "threshold": -1},
]


def fitted(make: Callable[..., Any]) -> Any:
    """Return an estimator that was fitted in the first way that works, as it is made where none does."""
    last = None
    for words in INNER:
        try:
            made = make(**words)
        except Exception:
            continue
        for data in DATA:
            try:
                return made.fit(*data)
            except Exception:
                last = made
    return last


def values() -> Iterator:
    """Yield each name with what is pickled under it."""
    for name, make in all_estimators():
        yield name, fitted(make)
    yield from more()
    for library in (pandas, xgboost, lightgbm, catboost, imbalanced_learn, category_encoders):
        try:
            yield from library()
        except ImportError as error:
            print("not here:", library.__name__, error)


def pandas() -> Iterator:
    """Yield what pandas keeps of features: frames, series, indexes, each with every type of column that models have."""
    import pandas as pd

    when = pd.to_datetime(["2026-01-01", "2026-01-02"])
    columns = {
        "number": [1, 2],
        "float": [0.5, None],
        "text": ["a", "b"],
        "true": [True, False],
        "kind": pd.Categorical(["x", "y"]),
        "when": when,
        "lasts": when - when[0],
    }
    if hasattr(pd, "array"):
        columns["perhaps"] = pd.array([1, None], dtype="Int64")
    if hasattr(pd, "StringDtype"):
        columns["string"] = pd.array(["a", None], dtype="string")
        columns["maybe"] = pd.array([True, None], dtype="boolean")
    frame = pd.DataFrame(columns)
    yield "pandas-frame", frame
    yield "pandas-two", frame.set_index(["number", "text"])
    for name in frame:
        yield "pandas-series-" + name, frame[name]
        yield "pandas-index-" + name, pd.Index(frame[name])
    yield "pandas-grouped", frame.groupby("text")["number"].mean()
    yield "pandas-empty", frame.iloc[:0]
    yield "pandas-dummies", pd.get_dummies(frame[["text", "kind"]])
    yield "pandas-dates", pd.Series([1.0, 2.0], index=pd.date_range("2026-01-01", periods=2))
    yield "pandas-timestamps", [when[0], when[1] - when[0], pd.NaT]


def xgboost() -> Iterator:
    """Yield XGBoost's estimators and booster."""
    import xgboost as xgb

    for name in ("XGBClassifier", "XGBRFClassifier"):
        yield name, getattr(xgb, name)(n_estimators=3).fit(X, Y)
        yield name + "-two", getattr(xgb, name)(n_estimators=3).fit(X, TWO)
    for name in ("XGBRegressor", "XGBRFRegressor"):
        yield name, getattr(xgb, name)(n_estimators=3).fit(X, NUMBERS)
    yield "XGBRanker", xgb.XGBRanker(n_estimators=3, objective="rank:pairwise").fit(X, TWO, group=[30, 30])
    yield "xgboost-booster", xgb.train({}, xgb.DMatrix(X, NUMBERS), 3)


def lightgbm() -> Iterator:
    """Yield LightGBM's estimators and booster."""
    import lightgbm as lgb

    yield "LGBMClassifier", lgb.LGBMClassifier(n_estimators=3).fit(X, Y)
    yield "LGBMRegressor", lgb.LGBMRegressor(n_estimators=3).fit(X, NUMBERS)
    yield "LGBMRanker", lgb.LGBMRanker(n_estimators=3).fit(X, TWO, group=[30, 30])
    yield "lightgbm-booster", lgb.train({"verbose": -1}, lgb.Dataset(X, NUMBERS), 3)


def catboost() -> Iterator:
    """Yield CatBoost's estimators."""
    import catboost as cat

    words = {"iterations": 3, "verbose": False, "allow_writing_files": False}
    yield "CatBoostClassifier", cat.CatBoostClassifier(**words).fit(X, Y)
    yield "CatBoostRegressor", cat.CatBoostRegressor(**words).fit(X, NUMBERS)
    yield "CatBoost", cat.CatBoost(words).fit(X, NUMBERS)
    if hasattr(cat, "CatBoostRanker"):
        yield "CatBoostRanker", cat.CatBoostRanker(**words).fit(X, TWO, group_id=np.arange(60) // 30)
    yield "catboost-pool", cat.Pool(X, NUMBERS)


def imbalanced_learn() -> Iterator:
    """Yield the samplers and ensembles of imbalanced-learn."""
    import imblearn
    from imblearn.pipeline import make_pipeline

    few = np.arange(60) % 3 == 0
    for module in ("over_sampling", "under_sampling", "combine", "ensemble"):
        package = __import__("imblearn." + module, fromlist=["__all__"])
        for name in package.__all__:
            try:
                sampler = getattr(package, name)(**({"categorical_features": [0]} if name == "SMOTENC" else {}))
                yield "imblearn-" + name, sampler.fit(np.round(X, 1), few)
            except Exception as error:
                print("cannot be made:", name, str(error)[:80])
    smote = imblearn.over_sampling.SMOTE()
    yield "imblearn-pipeline", make_pipeline(smote, LogisticRegression()).fit(X, few)
    yield "imblearn-function", imblearn.FunctionSampler().fit(X, few)


def category_encoders() -> Iterator:
    """Yield the encoders of category_encoders."""
    import category_encoders as ce
    import pandas as pd

    frame = pd.DataFrame({"a": list("xyz") * 20, "b": X[:, 0]})
    for name in ce.__all__:
        try:
            yield "encoders-" + name, getattr(ce, name)(cols=["a"]).fit(frame, pd.Series(TWO))
        except Exception as error:
            print("cannot be made:", name, str(error)[:80])


def more() -> Iterator:
    """Yield estimators with settings that change what is pickled."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        RandomForestClassifier,
        VotingClassifier,
    )
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.feature_selection import SelectKBest, chi2, f_classif, f_regression, mutual_info_classif
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import SGDClassifier, SGDRegressor
    from sklearn.metrics import f1_score, make_scorer
    from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, StratifiedKFold
    from sklearn.neighbors import KernelDensity, KNeighborsClassifier
    from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
    from sklearn.svm import SVC

    for loss in ("deviance", "log_loss", "exponential"):
        yield from tried("boosting-" + loss, partial(GradientBoostingClassifier, n_estimators=3, loss=loss), X, TWO)
        yield from tried("boosting-three-" + loss, partial(GradientBoostingClassifier, n_estimators=3, loss=loss), X, Y)
    for loss in ("ls", "lad", "squared_error", "absolute_error", "huber", "quantile"):
        yield from tried("boosting-" + loss, partial(GradientBoostingRegressor, n_estimators=3, loss=loss), X, NUMBERS)
    yield from tried(
        "boosting-init", partial(GradientBoostingClassifier, n_estimators=3, init=LogisticRegression()), X, TWO
    )
    yield from tried("boosting-zero", partial(GradientBoostingRegressor, n_estimators=3, init="zero"), X, NUMBERS)
    for loss in ("hinge", "log", "log_loss", "modified_huber", "squared_hinge", "perceptron"):
        yield from tried("sgd-" + loss, partial(SGDClassifier, loss=loss), X, Y)
    for loss in ("squared_loss", "squared_error", "huber", "epsilon_insensitive"):
        yield from tried("sgd-regressor-" + loss, partial(SGDRegressor, loss=loss), X, NUMBERS)
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    except ImportError:
        pass
    else:
        for loss in (
            "least_squares",
            "least_absolute_deviation",
            "squared_error",
            "absolute_error",
            "poisson",
            "gamma",
        ):
            yield from tried(
                "histograms-" + loss, partial(HistGradientBoostingRegressor, max_iter=3, loss=loss), X, NUMBERS
            )
        yield from tried(
            "histograms-two", partial(HistGradientBoostingClassifier, max_iter=3, scoring="roc_auc"), X, TWO
        )
        yield from tried(
            "histograms-early", partial(HistGradientBoostingClassifier, max_iter=3, early_stopping=True), X, Y
        )
    for tree in ("kd_tree", "ball_tree", "brute"):
        for metric in ("minkowski", "manhattan", "chebyshev"):
            yield from tried(
                "neighbours-" + tree + "-" + metric, partial(KNeighborsClassifier, algorithm=tree, metric=metric), X, Y
            )
        if tree != "brute":
            yield from tried("density-" + tree, partial(KernelDensity, algorithm=tree), X)
    for kernel in ("RBF", "Matern", "RationalQuadratic", "ExpSineSquared", "DotProduct", "WhiteKernel"):
        yield from tried(
            "process-" + kernel,
            partial(GaussianProcessRegressor, getattr(kernels, kernel)() + kernels.ConstantKernel()),
            X,
            Y,
        )
    for score in (chi2, f_classif, f_regression, mutual_info_classif):
        yield from tried("best-" + score.__name__, partial(SelectKBest, score, k=2), X, Y)
    for function in (np.log1p, np.exp, np.sqrt, np.log10, np.cbrt, np.square, np.tanh):
        yield from tried("function-" + function.__name__, partial(FunctionTransformer, function), X)
    yield from tried(
        "target",
        partial(TransformedTargetRegressor, LinearRegression(), func=np.log1p, inverse_func=np.expm1),
        X,
        NUMBERS,
    )
    yield from tried("calibrated", partial(CalibratedClassifierCV, SVC(), method="isotonic", cv=3), X, TWO)
    yield from tried("calibrated-sigmoid", partial(CalibratedClassifierCV, SVC(), cv=3), X, TWO)
    grid = {"C": [0.1, 1.0]}
    for scoring in (None, "accuracy", "roc_auc", "f1", "neg_log_loss", "neg_mean_squared_error", make_scorer(f1_score)):
        yield from tried(
            "grid-" + str(scoring)[:20],
            partial(GridSearchCV, LogisticRegression(), grid, scoring=scoring, cv=3),
            X,
            TWO,
        )
    both = {"a": "accuracy", "f": "f1"}
    yield from tried(
        "grid-several", partial(GridSearchCV, LogisticRegression(), grid, scoring=both, refit="a", cv=KFold(3)), X, TWO
    )
    yield from tried(
        "random", partial(RandomizedSearchCV, LogisticRegression(), grid, n_iter=2, cv=StratifiedKFold(3)), X, TWO
    )
    yield from tried(
        "forest", partial(RandomForestClassifier, n_estimators=3, random_state=np.random.RandomState(1)), X, Y
    )
    yield from tried("vote", partial(VotingClassifier, [("a", LogisticRegression()), ("b", SVC())]), X, Y)
    yield from tried(
        "vote-soft",
        partial(VotingClassifier, [("a", LogisticRegression()), ("b", KNeighborsClassifier())], voting="soft"),
        X,
        Y,
    )
    yield from tried(
        "text",
        partial(make_pipeline, TfidfVectorizer(stop_words="english", ngram_range=(1, 2)), LogisticRegression()),
        TEXTS,
        Y,
    )
    prepared = make_pipeline(SimpleImputer(), StandardScaler(), FunctionTransformer(np.exp, validate=False))
    columns = ColumnTransformer(
        [("a", prepared, [0, 1]), ("b", OneHotEncoder(handle_unknown="ignore"), [2]), ("c", "drop", [3])],
        remainder="passthrough",
    )
    yield from tried("columns", partial(Pipeline, [("columns", columns), ("model", LogisticRegression())]), X, Y)
    yield from tried(
        "union",
        partial(make_pipeline, FeatureUnion([("a", MinMaxScaler()), ("b", "drop")]), LogisticRegression()),
        X,
        Y,
    )
    try:
        import pandas as pd
    except ImportError:
        pass
    else:
        frame = pd.DataFrame(X, columns=list("abcdef"))
        frame["f"] = pd.Categorical(list("xyz") * 20)
        named = ColumnTransformer([("a", StandardScaler(), ["a", "b"]), ("b", OneHotEncoder(), ["f"])])
        yield from tried(
            "frame", partial(make_pipeline, named, LogisticRegression()), frame, pd.Series(Y, name="label")
        )


def tried(name: str, make: Callable[[], Any], *data: Any) -> Iterator:
    """Yield an estimator that is made and fitted, if this version has it."""
    try:
        yield name, make().fit(*data)
    except Exception as error:
        print("not in this version:", name, str(error)[:80])


def write(name: str, value: Any, folder: Path) -> None:
    """Write a value in each way."""
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        try:
            (folder / (name + "." + str(protocol) + ".pkl")).write_bytes(pickle.dumps(value, protocol))
        except Exception as error:
            print("cannot be pickled:", name, str(error)[:80])
            return
    joblib.dump(value, str(folder / (name + ".joblib")))
    for compression in ("zlib", "xz"):
        joblib.dump(value, str(folder / (name + "." + compression + ".joblib")), compress=(compression, 3))


def main() -> None:
    """Write all into the folder that is given."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name, value in values():
        if value is None:
            print("cannot be made:", name)
        else:
            write(name, value, folder)


if __name__ == "__main__":
    main()
