"""The matcher that the rules' tests rely on, against what EventBridge's documentation says of each operator."""

import pytest

from tests.support.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x", "y"]}, {"a": "z"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": ["x"]}, {"a": ["w", "x"]}, True),
        ({"a": [1]}, {"a": True}, False),
        ({"a": {"b": ["x"]}}, {"a": {"b": "x", "c": 1}}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": [{"prefix": "x/"}]}, {"a": "x/1"}, True),
        ({"a": [{"prefix": "x/"}]}, {"a": "y/x/"}, False),
        ({"a": [{"suffix": ".json"}]}, {"a": "1.json"}, True),
        ({"a": [{"suffix": ".json"}]}, {"a": 1}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "y"}, False),
        ({"a": [{"anything-but": ["x"]}]}, {}, False),
        ({"a": [{"anything-but": {"suffix": ".json"}}]}, {"a": "1.json"}, False),
        ({"a": [{"anything-but": {"suffix": ".json"}}]}, {"a": "1.gz"}, True),
        ({"a": [{"anything-but": {"prefix": ["x/", "y/"]}}]}, {"a": "y/1"}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"exists": False}]}, {"a": []}, True),
        ({"a": [{"exists": False}]}, {"a": ["x"]}, False),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
        ({"a": [{"numeric": ["=", 1]}]}, {"a": "1"}, False),
        ({"a": [{"equals-ignore-case": "X"}]}, {"a": "x"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["x"]}]}, {"b": "x"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["x"]}], "c": ["x"]}, {"b": "x"}, False),
    ],
)
def test_an_event_matches_as_eventbridge_says(pattern, event, expected):
    assert matches(pattern, event) is expected


def test_a_matcher_with_two_operators_is_refused():
    with pytest.raises(ValueError, match="one operator"):
        matches({"a": [{"prefix": "x", "suffix": "y"}]}, {"a": "xy"})
