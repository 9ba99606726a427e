"""Whatever is made of a proof: it is refused by name, or rebuilds the very request that was signed."""

import base64
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from signoff.errors import ProofRefused
from signoff.identity.proofs import rebuilt, statement_digest
from signoff_cli.statements.signature import sign_statement
from tests.support.proof_cases import (
    BY_ANN,
    BY_SESSION,
    DECISION,
    ENDPOINT,
    REGION,
    aged,
    reading,
)

# Whatever comes


def outcome(statement: Mapping[str, Any]) -> Any:
    """What a statement's reading comes to: the request to STS, or nothing when it is refused by a name."""
    try:
        return rebuilt(reading(statement), ENDPOINT)
    except ProofRefused as refused:
        assert refused.name.isalpha()  # noqa: PT017 - anything but a ProofRefused fails the test
        return None


CHARACTERS = st.sampled_from(string.printable + "\0\xe9\uff10%") | st.characters()


@given(st.data())
def test_a_changed_proof_is_refused_or_is_the_same_request(data: st.DataObject) -> None:
    proof = data.draw(st.sampled_from([BY_ANN["proof"], BY_SESSION["proof"]]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(proof)))
        removed = data.draw(st.integers(0, 3))
        proof = proof[:place] + data.draw(st.text(CHARACTERS, max_size=4)) + proof[place + removed :]
    sent = outcome({**BY_ANN, "proof": proof})
    assert sent is None or same_request(sent[0], proof)


@given(st.data())
def test_parameters_that_are_shuffled_doubled_or_lost_are_refused_or_make_the_same_request(data: st.DataObject) -> None:
    start, _, query = BY_SESSION["proof"].partition("?")
    pairs = data.draw(st.lists(st.sampled_from(query.split("&")), max_size=12) | st.permutations(query.split("&")))
    proof = f"{start}?" + "&".join(pairs)
    sent = outcome({**BY_SESSION, "proof": proof})
    assert sent is None or same_request(sent[0], proof)


@given(st.text(CHARACTERS, max_size=40) | st.none() | st.integers() | st.lists(st.text()))
@example(ENDPOINT + "/?")
@example(ENDPOINT + "/?" + "Action=GetCallerIdentity&" * 40)
def test_anything_for_a_proof_is_refused_by_name(proof: Any) -> None:
    assert outcome({**BY_ANN, "proof": proof}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["statement", "audience", "time", "reason", "proof"]) | st.text(), JSON))
def test_any_statement_is_read_or_refused_by_name(changes: dict[str, Any]) -> None:
    sent = outcome({**BY_ANN, **changes})
    assert sent is None or sent[1]["x-signoff-digest"] == statement_digest({**BY_ANN, **changes})


def same_request(url: str, proof: str) -> bool:
    """Whether two URLs differ in nothing but the order of their parameters, which a signature does not cover."""
    (start, _, query), (other_start, _, other) = url.partition("?"), proof.partition("?")
    return start == other_start and sorted(query.split("&")) == sorted(other.split("&"))


@given(
    token=st.none() | st.binary(min_size=1, max_size=900).map(lambda raw: base64.b64encode(raw).decode()),
    key=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=128),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_whatever_anybody_signs_is_read_and_rebuilt(token: str | None, key: str, secret: str, now: datetime) -> None:
    statement = sign_statement(DECISION, ReadOnlyCredentials(key, secret, token), ENDPOINT, REGION, now)
    claim = reading(statement)
    assert rebuilt(claim, ENDPOINT)[0] == statement["proof"]
    assert aged(claim) in {"", "ProofExpired", "ProofNotYetValid"}
