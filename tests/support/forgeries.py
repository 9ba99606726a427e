"""Ways to forge a decision: each takes a forger and the reason that is given, and makes the statement to send."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.support.forging import Forger, Statement

Make = Callable[[Forger, str], Statement]


def written(start: str, end: str = "") -> Make:
    """A genuine proof in which `start` is followed by something else than it was, up to the next parameter."""

    def make(forger: Forger, reason: str) -> Statement:
        genuine = forger.signed(reason)
        before, found, rest = genuine["proof"].partition(start)
        assert found, start
        _, ampersand, others = rest.partition("&")
        return {**genuine, "proof": before + start + end + ampersand + others}

    return make


def altered(change: Callable[[str], str]) -> Make:
    """A genuine proof that was rewritten."""

    def make(forger: Forger, reason: str) -> Statement:
        genuine = forger.signed(reason)
        proof = change(genuine["proof"])
        assert proof != genuine["proof"]
        return {**genuine, "proof": proof}

    return make


def tampered(**said: Any) -> Make:
    """A genuine decision of the approver's that says something else now."""
    return lambda forger, reason: {**forger.signed(reason), **said}


def at(endpoint: Callable[[str], str]) -> Make:
    """A genuine signature for another endpoint, which is made of the right one's URL."""
    return lambda forger, reason: forger.at(reason, endpoint(forger.url))


def asking(**how: Any) -> Make:
    """A genuine signature over another request than the one to sign."""
    return lambda forger, reason: forger.presigned(reason, **how)


def for_query(query: str) -> Make:
    """A genuine signature over another query."""
    return lambda forger, reason: forger.presigned(reason, f"{forger.url}/{query}")


def with_the_reviewers(field: str) -> Make:
    """A signature with the approver's keys, but for one field, which is of the reviewer's."""

    def make(forger: Forger, reason: str) -> Statement:
        return forger.signed(reason, forger.approver._replace(**{field: getattr(forger.reviewer, field)}))

    return make


def with_key_that_is(gone: Callable[[Any, dict[str, str]], object]) -> Make:
    """The approver's own second key, which is taken away after it signed."""

    def make(forger: Forger, reason: str) -> Statement:
        keys = forger.people.second_key("approver")
        statement = forger.signed(reason, keys)
        gone(forger.people.iam, {"UserName": "approver", "AccessKeyId": keys.access_key})
        return statement

    return make


def of_session(change: Callable[[Forger, str], str]) -> Make:
    """What a session of a role that may approve signed, with another token, or none."""

    def make(forger: Forger, reason: str) -> Statement:
        keys = forger.people.session(forger.desk, "desk")
        genuine = forger.signed(reason, keys)
        token = f"&X-Amz-Security-Token={quote(str(keys.token), safe='')}"
        assert token in genuine["proof"]
        return {**genuine, "proof": genuine["proof"].replace(token, change(forger, token))}

    return make


def token_of_another_session(forger: Forger, _: str) -> str:
    other = forger.people.session(forger.desk, "desk")
    return f"&X-Amz-Security-Token={quote(str(other.token), safe='')}"


def proof_of(**said: str) -> Make:
    """A decision with a genuine proof of the approver's, that was made for the same with this `said` instead."""

    def make(forger: Forger, reason: str) -> Statement:
        genuine, wanted = forger.signed(reason, **said), forger.stated(reason)
        return {**genuine, **{name: wanted[name] for name in said}}

    return make


def stating(**said: Any) -> Make:
    """What the approver signs as it should be, of something else."""
    return lambda forger, reason: forger.signed(reason, **said)


def saying_to_be(kind: str) -> Make:
    """What the approver signs as it should be, as another kind of statement, in the name of what is tried."""
    return lambda forger, reason: forger.signed(reason, statement=kind, approver=reason)


def by_session(name: str) -> Make:
    """What is signed by a session of that name, of a role that may not approve."""

    def make(forger: Forger, reason: str) -> Statement:
        return forger.signed(reason, forger.people.session(forger.anybody, name))

    return make


def annotated(forger: Forger, reason: str) -> Statement:
    proof = forger.signed(reason)["proof"]
    said = {"statement": "annotation", "set": {"ticket": "CHG-1"}, "decision": None, "evidence": None, "proof": proof}
    return forger.stated(reason, **said)
