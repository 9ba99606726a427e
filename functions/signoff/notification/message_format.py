"""The format of notifications: an SNS subject, a text for mail and a document for chat, as pure functions.

Text from others (reasons, names, faults) is on lines that begin with a label, so that none of it can pass for a line of
Signoff's. No link decides anything, because mail scanners follow every link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import cut, one_line
from signoff.ledger.entries import Entry, Stage, Status
from signoff.model_package.groups import is_group_name

# SNS: ASCII, without line breaks or control characters, fewer than 100 characters.
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_SUBJECT = 99
_LINE = 900  # characters of one line of what somebody wrote
_LISTED = 25  # checks or faults; `signoff show` has them all
# Slack takes 3,000 characters in a block of text: https://docs.slack.dev/reference/block-kit/blocks/section-block
_CHAT = 2800
# Slack and Teams read links and mentions out of these; look-alikes are only text.
_NEUTRAL = str.maketrans("<>[]`", "\u2039\u203a()'")
# URIs of the vault, in which nothing needs quoting in a URL.
_KEPT = compiled_on_use(r"s3://([a-z0-9.-]{3,63})/([a-zA-Z0-9_./-]{1,200})")
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


@dataclass(frozen=True)
class Notification:
    """A notification for people.

    `subject` and `text` are for mail, `chat` for Amazon Q Developer in chat applications. Subscribers
    filter by `attributes`; none is empty.
    """

    stage: Stage
    subject: str
    text: str
    chat: dict[str, Any]
    attributes: dict[str, str]


@dataclass(frozen=True)
class Message:
    """The content of a notification: a headline, labelled facts, a list, and the commands to run next.

    `status` is the package's status, for an entry that does not change it.
    """

    headline: str
    facts: Sequence[tuple[str, object]] = ()
    listed: Sequence[str] = ()
    steps: Sequence[tuple[str, str]] = ()
    status: Status | None = None
    report: Sequence[tuple[str, str]] = ()


def notification(entry: Entry, stage: Stage, message: Message) -> Notification:
    """Return the notification with `message` about `entry`, for the subscribers of a stage."""
    return Notification(
        stage=stage,
        subject=_subject(message.headline),
        text=_text(entry, message),
        chat=_chat(entry, stage, message),
        attributes=_attributes(entry, stage, message.status),
    )


def called(entry: Entry) -> str:
    """Return the name of what `entry` is about: `churn/3`, or the ARN or prefix if it has no version."""
    other = one_line(entry.about, 60).replace('"', "'")
    return _package(entry) or f'"{other}"'


def command(entry: Entry, verb: str, *, reason: bool = False) -> str | None:
    """Return the command to run for the package of `entry`, or None if it has no valid name."""
    package = _package(entry)
    return f"signoff {verb} {package}" + (' --reason "..."' if reason else "") if package else None


def group_command(entry: Entry, verb: str) -> str | None:
    """Return the command to run for the group of `entry`, or None if it has no valid name."""
    return f"signoff {verb} {entry.group}" if is_group_name(entry.group) else None


def _package(entry: Entry) -> str | None:
    named = is_group_name(entry.group) and entry.version
    return f"{entry.group}/{entry.version}" if named else None


def report(entry: Entry, uri: str | None) -> list[tuple[str, str]]:
    """Return where the evidence at `uri` (s3://<bucket>/<key>) can be read: by AWS's console, and by any S3 client.

    Both require credentials, which a presigned URL in a forwarded mail would not.
    """
    kept = _KEPT.fullmatch(str(uri or ""))
    if kept is None:
        return []
    found = [("Evidence at", kept[0])]
    _, partition, _, region, *_ = [*(entry.arn or "").split(":"), *("",) * 4]
    if partition in _CONSOLES and region:
        found.append(("Report", f"https://{_CONSOLES[partition]}/s3/object/{kept[1]}?region={region}&prefix={kept[2]}"))
    return found


def _subject(headline: str) -> str:
    ascii_only = one_line(headline, 10 * _SUBJECT).encode("ascii", "replace").decode()
    return cut(f"Signoff: {ascii_only}", _SUBJECT)


def _lines(message: Message) -> list[str]:
    facts = [f"{label}: {one_line(value, _LINE)}" for label, value in message.facts if value not in (None, "")]
    listed = [f"- {one_line(each, _LINE)}" for each in message.listed[:_LISTED]]
    more = len(message.listed) - _LISTED
    return [*facts, *listed, *([f"- and {more} more"] if more > 0 else [])]


def _text(entry: Entry, message: Message) -> str:
    parts = [
        [one_line(message.headline, _LINE)],
        [*_lines(message), *(f"{label}: {where}" for label, where in message.report)],
        [f"{label}: {step}" for label, step in message.steps],
        [f"Entry {entry.sequence} of its ledger, {entry.time}, hash {entry.hash[:16]}"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _chat(entry: Entry, stage: Stage, message: Message) -> dict[str, Any]:
    """Return the custom notification of Amazon Q Developer in chat applications, which threads by package.

    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    """
    title = one_line(message.headline, _LINE).translate(_NEUTRAL)
    links = [f"{label}: {where}" for label, where in message.report]
    said = cut("\n".join(_lines(message)).translate(_NEUTRAL), _CHAT - sum(len(link) + 1 for link in links))
    metadata: dict[str, Any] = {
        "threadId": one_line(entry.package, 250),
        "summary": title,
        "eventType": str(entry.kind),
        # A button would act as the channel's role, which is not a person.
        "enableCustomActions": False,
    }
    if entry.arn:
        metadata["relatedResources"] = [one_line(entry.arn, 250)]
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{entry.hash}-{stage}",
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": "\n".join([said, *links]) if said else title,
            "nextSteps": [f"{label}: `{step}`" for label, step in message.steps],
            "keywords": ["signoff", str(stage)],
        },
        "metadata": metadata,
    }


def _attributes(entry: Entry, stage: Stage, status: Status | None) -> dict[str, str]:
    known = {
        "stage": str(stage),
        "kind": str(entry.kind),
        "group": one_line(entry.group or "", 250),
        "version": str(entry.version or ""),
        "status": str(entry.effect.status or status or ""),
    }
    return {name: value for name, value in known.items() if value}
