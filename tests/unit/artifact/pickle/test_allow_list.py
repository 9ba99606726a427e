"""Names that a pickle may have: of a whole family of classes, those and nothing that lies beside them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
import sklearn

from signoff.artifact.pickle.allow_list import allowed
from signoff.artifact.pickle.known_names import CREATED, HELD
from tests.support.pickled import findings, named, text

# In modules of versions that are not installed here, each looked up in their sources.
TAKEN_FROM_ELSEWHERE = (
    "sklearn.cluster.hierarchical.Pep562",
    "sklearn.cluster.setup.Configuration",
    "sklearn.neighbors.base.LooseVersion",
    "sklearn.ensemble.partial_dependence.MaxNLocator",
    "sklearn.ensemble._hist_gradient_boosting.utils.XGBClassifier",
    "sklearn.metrics._scorer.Counter",
    "sklearn.tree._export.Annotation",
    "sklearn.compose._column_transformer.UserList",
    "sklearn.pipeline.Parallel",
)
TABLES = (
    "sklearn.metrics.scorer.SCORERS",
    "sklearn.ensemble.gradient_boosting.LOSS_FUNCTIONS",
    "sklearn.neural_network._base.ACTIVATIONS",
    "sklearn.metrics._regression.__ALL__",
    "sklearn.cluster._hdbscan._linkage.MST_edge_dtype",
)
NOWHERE = (
    "sklearn.linear_model.tests.test_base.LinearRegression",
    "sklearn.tree.setup.Tree",
    "sklearn.ensemble.a.b.c.Estimator",
    "sklearn.externals.joblib.Parallel",
    "sklearn.utils.parallel.Parallel",
    "sklearn.utils._joblib.Memory",
    "sklearn.Pipeline",
)


def test_every_name_of_scikit_learn_that_is_allowed_is_a_class_of_its_own() -> None:
    others = [
        f"{module}.{name}"
        for module, name, value in names_in_scikit_learn()
        if allowed(module, name)
        and not name.startswith("__pyx_unpickle_")
        and not (isinstance(value, type) and value.__module__.startswith(("sklearn.", "_loss")))
        and name not in (CREATED.get(module, "") + " " + HELD.get(module, "")).split()
    ]
    assert others == []


def test_every_estimator_of_scikit_learn_is_allowed() -> None:
    from sklearn.utils import all_estimators

    assert [made for _, made in all_estimators() if not allowed(made.__module__, made.__name__)] == []


def names_in_scikit_learn() -> Iterator[tuple[str, str, object]]:
    for module in pkgutil.walk_packages(sklearn.__path__, "sklearn."):
        if allowed(module.name, "Estimator"):
            for name, value in vars(importlib.import_module(module.name)).items():
                yield module.name, name, value


@pytest.mark.parametrize("name", [*TAKEN_FROM_ELSEWHERE, *TABLES, *NOWHERE])
def test_what_is_no_class_of_scikit_learn_is_not_allowed(name: str) -> None:
    module, _, last = name.rpartition(".")
    assert not allowed(module, last)


@pytest.mark.parametrize(
    "change", [text("x") + b"Ns", b"(" + text("x") + b"Nu", b"Na", b"(NNe", b"(N\x90", b"}b"], ids=str
)
def test_nothing_that_a_library_has_is_changed(change: bytes) -> None:
    told = findings(b"\x80\x04" + named("collections", "OrderedDict") + change + b".")
    assert told == [("unsafe-pickle", told[0][1])]
    assert "Would change collections.OrderedDict itself" in told[0][1]
