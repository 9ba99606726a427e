"""Patterns that are compiled when they are first used, and behave like any other."""

from __future__ import annotations

import re

import pytest

from signoff.documents.patterns import compiled_on_use, first_of


def test_a_pattern_matches_as_a_compiled_one_does() -> None:
    written = r"(?P<word>[a-z]+)-(\d)"
    lazy, eager = compiled_on_use(written, re.IGNORECASE), re.compile(written, re.IGNORECASE)
    for text in ("a-1", "", "Wort-7 b-2", "a-b"):
        for name in ("match", "search", "fullmatch"):
            found, expected = getattr(lazy, name)(text), getattr(eager, name)(text)
            assert (found and found.groups()) == (expected and expected.groups())
        assert lazy.findall(text) == eager.findall(text)
        assert lazy.sub("x", text) == eager.sub("x", text)
    assert (lazy.pattern, lazy.flags, lazy.groups) == (eager.pattern, eager.flags, eager.groups)


def test_a_pattern_of_bytes_is_one_too() -> None:
    assert compiled_on_use(rb"a+").fullmatch(b"aaa") is not None


def test_an_invalid_pattern_fails_when_it_is_used() -> None:
    broken = compiled_on_use("(")
    with pytest.raises(re.error):
        broken.match("x")


def test_nothing_but_a_patterns_own_is_found_on_it() -> None:
    with pytest.raises(AttributeError):
        compiled_on_use("a").nothing  # type: ignore[attr-defined]  # noqa: B018


def test_the_first_row_with_a_glob_that_fits_is_found() -> None:
    row = first_of([("*.pkl", "pickle"), ("a*", "*.json"), ("*",)])
    assert [row(text) for text in ("a.pkl", "pickle", "a.bin", "b.json", "b\n.json", "b", "")] == [0, 0, 1, 1, 1, 2, 2]
    assert first_of([("*.pkl",)])("a.pkl.gz") is None
