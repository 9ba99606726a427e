"""What a filter of batch transform selects, by the operators that SageMaker's guide lists."""

from typing import Any

import pytest

from local.sagemaker.json_paths import NotAPath, select

ROW = ["7", "a", "b", "c"]
RECORD = {"id": 7, "features": {"a": 1, "b": 2}, "SageMakerOutput": [0.5]}


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("$", ROW, ROW),
        ("$[1]", ROW, "a"),
        ("$[-1]", ROW, "c"),
        ("$[0,-1]", ROW, ["7", "c"]),
        ("$[1:]", ROW, ["a", "b", "c"]),
        ("$[:]", ROW, ROW),
        ("$.id", RECORD, 7),
        ("$['id']", RECORD, 7),
        ("$['id','SageMakerOutput']", RECORD, {"id": 7, "SageMakerOutput": [0.5]}),
        ("$.features.*", RECORD, [1, 2]),
        ("$.features[*]", RECORD, [1, 2]),
        ("$.SageMakerOutput[0]", RECORD, 0.5),
    ],
)
def test_a_path_selects(path: str, value: Any, selected: Any) -> None:
    assert select(path, value) == selected


@pytest.mark.parametrize(
    ("path", "value"),
    [("$[4]", ROW), ("$[0,4]", ROW), ("$.none", RECORD), ("$['id','none']", RECORD), ("$[0]", RECORD)],
)
def test_what_is_not_there_cannot_be_selected(path: str, value: Any) -> None:
    with pytest.raises(NotAPath, match="finds nothing"):
        select(path, value)


@pytest.mark.parametrize("path", ["", "id", "$id", "$[", "$[1:3]", "$[:3]", "$..id", "$[?(@.a)]", "$.['a.b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(NotAPath):
        select(path, RECORD)
