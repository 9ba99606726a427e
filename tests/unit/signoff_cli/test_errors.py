"""How the command says what went wrong: what was written for people as it is, anything else as unexpected."""

import pytest

from local.engine.process import EngineError
from signoff.errors import UnknownPackage
from signoff_cli.errors import CommandFailed, explain


@pytest.mark.parametrize("raised", [CommandFailed, UnknownPackage, EngineError])
def test_an_error_of_our_own_is_told_in_its_own_words(raised: type[Exception]) -> None:
    assert explain(raised("there is no package churn/3")) == "there is no package churn/3"


def test_an_error_that_nobody_foresaw_says_where_to_look() -> None:
    told = explain(ValueError("bad luck"))

    assert told == "something unexpected happened (ValueError: bad luck); set SIGNOFF_DEBUG=1 to see where"
