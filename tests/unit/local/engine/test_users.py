"""Who may call the engine, and with which settings."""

import pytest

from local.commands import environment
from local.engine import users


def test_a_users_keys_follow_from_the_name() -> None:
    first, again, other = users.keys("submitter"), users.keys("submitter"), users.keys("approver")

    assert first == again
    assert first.access_key_id != other.access_key_id
    assert first.secret_access_key != other.secret_access_key


def test_a_users_key_id_has_the_form_of_one() -> None:
    assert users.keys("approver").access_key_id.startswith("AKIA")
    assert len(users.keys("approver").access_key_id) == 20


def test_nobody_else_has_keys() -> None:
    with pytest.raises(ValueError, match="submitter, approver, reviewer"):
        users.keys("somebody")


def test_the_settings_name_the_engine_and_who_calls_it() -> None:
    settings = environment(4567, "submitter")

    assert settings["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4567"
    assert settings["AWS_ACCESS_KEY_ID"] == users.keys("submitter").access_key_id
    assert settings["AWS_REGION"] == settings["AWS_DEFAULT_REGION"] == "us-east-1"


def test_the_administrators_key_id_is_the_account() -> None:
    assert environment(4567)["AWS_ACCESS_KEY_ID"] == users.ACCOUNT
