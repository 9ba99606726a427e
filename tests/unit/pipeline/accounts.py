"""What is to be seen of a story once it is over, as one document without sentences and what was hidden in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from signoff.aws.dynamodb import from_item
from signoff.aws.eventbridge import Bus
from signoff.aws.ledger_items import package_row_item
from signoff.aws.sns import Topics
from signoff.documents.canonical_json import digest
from signoff.ledger.entries import Entry, Stage
from signoff.ledger.history import History
from signoff.notification.announcements import announcements
from signoff.notification.notifications import notifications
from tests.support.golden import Redaction, as_json, depends_on_sentences
from tests.unit.pipeline.stories import Recorded

GIVEN = frozenset({"because"})
_NAMED_BY_DIGEST = ("findings/", "evidence/")
_SIGNED = ("id", "proof")  # of a statement that names the evidence, and of the URL that botocore signs for it


Story = Callable[[], Recorded]


@cache
def ended(story: Story) -> Recorded:
    """Return the world at the end of a story, which is told once for all tests: they only look."""
    return story()


@cache
def account(story: Story) -> tuple[Any, Any]:
    """Return a story's ledgers and all that came of them, without the sentences; and those, with what they change."""
    world, redaction = ended(story), Redaction(GIVEN)
    documents = _documents(world, redaction)
    ledgers = {key: _ledger(history, redaction) for key, history in sorted(world.ledger.histories.items())}
    rest = {
        "requests": world.requests,
        "packages": list(world.registry.described.values()),
        "models": world.registry.models,
        "models_elsewhere": {place: registry.models for place, registry in world.places.registries.items()},
        "champions": world.published(),
        "champions_elsewhere": {place: world.published(place) for place in world.places.stores},
        "submissions": world.submissions.rows,
        "reports": _reports(world),
        "heads": _heads(world),
    }
    vault = sorted(redaction.of(key) for key in world.vault_bucket.versions)
    told = {"documents": documents, "ledgers": ledgers, "vault": vault, **redaction.of(as_json(rest))}
    return told, redaction.hidden


def policies(stories: Iterable[Story]) -> dict[str, Any]:
    """Return each policy that was used in any of the stories, by its digest."""
    kept = [(key, versions) for story in stories for key, versions in ended(story).vault_bucket.versions.items()]
    return {key: json.loads(versions[-1].data) for key, versions in kept if key.startswith("policies/")}


def _documents(world: Recorded, redaction: Redaction) -> dict[str, Any]:
    """Return the documents in the vault, those first of which others name the digests."""
    told = {}
    for folder in (*_NAMED_BY_DIGEST, "registrations/", "signatures/"):
        for key, versions in world.vault_bucket.versions.items():  # as they were written: no name depends on sentences
            if key.startswith(folder):
                told[key] = _document(key, json.loads(versions[-1].data), redaction)
    return {redaction.of(key): document for key, document in told.items()}


def _document(key: str, document: Any, redaction: Redaction) -> Any:
    named = key.rpartition("/")[2].removesuffix(".json")
    if key.startswith(("registrations/", "signatures/")):
        _hide_proof(key, named, document, redaction)
        return redaction.of(document)
    assert digest(document) == named, f"{key} is not named by its digest"
    redacted = redaction.of(document)
    if depends_on_sentences(redacted):
        redaction.hide(named)
    return redacted


def _hide_proof(key: str, named: str, document: Any, redaction: Redaction) -> None:
    """Hide the digest of a submission's proof, and the name of the signature that is named by it."""
    proven = document if key.startswith("signatures/") else document.get("signed") or {}
    if proven is document:
        redaction.hide(named)
    if proven.get("proof"):
        redaction.hide(proven["proof"])


def _ledger(history: History, redaction: Redaction) -> dict[str, Any]:
    entries = [_entry(entry, redaction) for entry in history.verified().entries]
    return {"entries": entries, "state": redaction.of(as_json(_state(history)))}


def _entry(entry: Entry, redaction: Redaction) -> dict[str, Any]:
    for name in _SIGNED:
        if entry.details.get(name):
            redaction.hide(entry.details[name])
    content = redaction.of(as_json(entry.content))
    if depends_on_sentences(content):
        redaction.hide(entry.hash)
    return {
        "content": content,
        "hash": redaction.of(entry.hash),
        "events": redaction.of(as_json(_announced(entry))),
        "notifications": [[each["topic"], *_values(each["attributes"])] for each in published(entry)],
    }


def _state(history: History) -> dict[str, Any]:
    state = history.state
    return {
        "status": state.status,
        "registry_status": state.registry_status,
        "projected": state.projected,
        "next_step": state.next_step,
        "attempt": state.attempt,
        "deciders": state.deciders,
        "baselines": state.baselines,
        "would_be_held": state.would_be_held,
        "stuck": state.stuck,
        "index": from_item(package_row_item(history)),
    }


def _reports(world: Recorded) -> dict[str, Any]:
    found = {key: versions[-1].data for key, versions in world.inbox.versions.items() if key.endswith("-report.json")}
    return {key: json.loads(data) for key, data in found.items()}


def _heads(world: Recorded) -> dict[str, Any]:
    kept = world.vault_bucket.versions.items()
    return {key: json.loads(versions[-1].data) for key, versions in kept if key.startswith("heads/")}


class _Heard:
    """EventBridge and SNS: whatever is sent there is kept."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []

    def put_events(self, **request: Any) -> dict[str, Any]:
        self.events += request["Entries"]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "id"} for _ in request["Entries"]]}

    def publish(self, **request: Any) -> None:
        self.messages.append(request)


def put_on_the_bus(entry: Entry) -> list[dict[str, Any]]:
    """Return the entries of PutEvents by which `entry` is announced, their details read."""
    heard = _Heard()
    Bus(heard, "signoff").put(announcements(entry))
    return [{**event, "Detail": json.loads(event["Detail"])} for event in heard.events]


def _announced(entry: Entry) -> list[Any]:
    """Return the types of the events, with what their details have beside the entry's own, and what they leave out."""
    told = []
    for event in put_on_the_bus(entry):
        detail, known = event["Detail"], {**entry.details, **entry.content}
        more = {field: value for field, value in detail.items() if field not in known or value != known[field]}
        left_out = [field for field in entry.details if field not in detail]
        told.append([event["DetailType"], more, *(["without", left_out] if left_out else [])])
    return told


def published(entry: Entry) -> Any:
    """Return what is published of `entry` on the topics, but for the words: which stage, to be filtered by what."""
    heard = _Heard()
    topics = Topics(heard, {stage: f"topic-{stage}" for stage in Stage})
    for notification in notifications(entry):
        topics.publish(notification)
    return as_json([_wordless(message) for message in heard.messages])


def _values(attributes: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value['StringValue']}" for name, value in attributes.items()]


def _wordless(message: Mapping[str, Any]) -> dict[str, Any]:
    chat = json.loads(json.loads(message["Message"])["https"])
    told = {field: chat[field] for field in ("version", "source", "id")}
    return {
        "fields": sorted(message),
        "topic": message["TopicArn"],
        "structure": message["MessageStructure"],
        "forms": sorted(json.loads(message["Message"])),
        "attributes": message["MessageAttributes"],
        "chat": {**told, "content": sorted(chat["content"]), "keywords": chat["content"]["keywords"]},
        "metadata": {field: value for field, value in chat["metadata"].items() if field != "summary"},
    }
