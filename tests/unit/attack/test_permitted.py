"""What a pickle may name does nothing with what an attacker gives it."""

from __future__ import annotations

from itertools import product

import pytest

from attack.campaign import Campaign
from attack.grammar import Case
from attack.grammars.calls import MARK
from attack.permitted import FORMS, names, permitted
from attack.sandbox.client import Sandbox
from tests.support.depth import deep

EVERY = 4999  # of all names in all forms, a quick run tries one in so many


def test_the_names_are_those_of_the_allow_list_and_of_scikit_learns_modules() -> None:
    assert {"builtins:dict", "numpy:dtype", "sklearn.svm._classes:SVC", "sklearn.pipeline:Pipeline"} <= {*names()}
    assert not any(name.startswith(("os:", "subprocess:")) for name in names())


def test_a_name_does_nothing_with_what_it_is_given() -> None:
    every = [*product(names(), FORMS)][:: 1 if deep() else EVERY]

    with Sandbox(wanted=["pickle", "skops"]) as sandbox:  # which brings scikit-learn along
        campaign = Campaign([sandbox])
        found = [campaign.attempt(case(name, form), load=True) for name, form in every]

    assert [find.case.name for find in found if find] == []
    assert campaign.figures.loaded == len(every)


def case(name: str, form: str) -> Case:
    return permitted().case([("name", name), ("form", form)])


def test_what_would_open_a_file_of_that_name_is_noticed() -> None:
    data = f"clogging\nFileHandler\n(V/nonexistent/{MARK}\ntR.".encode()

    with Sandbox(wanted=["pickle"]) as sandbox:
        told = sandbox.load({"model.pkl": data}, ["pickle"])

    assert told["pickle"].what == "marked"


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_a_pickle_that_python_reads(form: str) -> None:
    (data,) = permitted().case([("name", "builtins:dict"), ("form", form)]).files().values()

    assert data.startswith(b"\x80\4")
    assert data.endswith(b".")
