"""The dead-letter queues: how much is in each, which messages, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from signoff.documents import timestamps
from signoff.documents.text import counted, cut
from signoff_cli.operations.findings import Finding
from signoff_cli.operations.letters import Letter, letter_of
from signoff_cli.operations.parts import DEAD_LETTERS, LOG_GROUP, Parts

AT_ONCE = 10  # messages of one ReceiveMessage
_PEEK, _TAKE = 15, 60  # seconds that a message stays hidden while it is looked at, or moved
_SHOWN, _LOOKED_UP = 3, 3  # letters of one queue that are described, and whose error is looked up in the log
_LOG_PAGES = 3
# Whose log says why a letter of that queue failed.
READERS = {
    "Register": "RegisterModel",
    "Signature": "KeepSignature",
    "Decision": "ApplyDecision",
    "Deploy": "CreateModel",
    "Sweep": "Sweep",
    "Announce": "Announce",
}


class DeadLetterQueue:
    """One dead-letter queue."""

    def __init__(self, sqs: Any, name: str, url: str) -> None:
        self._sqs = sqs
        self.name = name
        self.url = url

    def waiting(self) -> int:
        """Return how many messages it holds, approximately: SQS counts no better."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def peek(self) -> list[Letter]:
        """Return up to ten messages and give them back at once: nobody else reads this queue."""
        letters = self.take(AT_ONCE, _PEEK)
        self.give_back(letters)
        return letters

    def take(self, most: int = AT_ONCE, hidden: int = _TAKE) -> list[Letter]:
        """Return up to `most` messages (10), which nobody else gets for `hidden` seconds."""
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=min(most, AT_ONCE),
            VisibilityTimeout=hidden,
            WaitTimeSeconds=1,  # a short poll asks some of SQS's servers only, and may miss what there is
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [letter_of(message) for message in answer.get("Messages", ())]

    def give_back(self, letters: Sequence[Letter]) -> None:
        """Give messages back that were taken; of those that were deleted since, SQS reports it, and nothing happens."""
        for first in range(0, len(letters), AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": each.receipt, "VisibilityTimeout": 0}
                for number, each in enumerate(letters[first : first + AT_ONCE])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)

    def delete(self, letter: Letter) -> None:
        """Delete a message that was taken."""
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)


@dataclass(frozen=True)
class FunctionLogs:
    """The functions' logs: what they logged about a message that they could not handle."""

    logs: Any
    parts: Parts

    def error(self, queue: str, letter: Letter) -> str | None:
        """Return the last line of the error that the reader of `queue` logged of `letter`, or None."""
        reader = READERS.get(queue.removesuffix(DEAD_LETTERS))
        if reader is None or letter.since is None:
            return None
        began = int(timestamps.parse(letter.since).timestamp() * 1000)
        asked = {"logGroupName": self.parts.one(LOG_GROUP, f"{reader}Logs"), "startTime": began}
        pages = self.logs.get_paginator("filter_log_events").paginate(
            **asked, filterPattern=f'"{letter.logged_as}"', PaginationConfig={"MaxItems": 100, "PageSize": 100}
        )
        found = [error for _, page in zip(range(_LOG_PAGES), pages, strict=False) for error in _errors(page, letter)]
        return found[-1] if found else None


def _errors(page: Any, letter: Letter) -> Iterator[str]:
    for event in page["events"]:
        for line in event["message"].splitlines():
            with suppress(ValueError):
                logged = json.loads(line)
                if isinstance(logged, dict) and logged.get("record") == letter.logged_as and logged.get("exception"):
                    yield str(logged["exception"]).strip().rpartition("\n")[2]


def find(queues: Sequence[DeadLetterQueue], logs: FunctionLogs) -> Iterator[Finding]:
    """Yield a finding for each queue that holds anything."""
    for queue in queues:
        waiting = queue.waiting()
        if waiting:
            yield _finding(queue, waiting, logs)


def _finding(queue: DeadLetterQueue, waiting: int, logs: FunctionLogs) -> Finding:
    try:
        letters = queue.peek()
    except ClientError as error:
        letters, unread = [], f"they could not be read ({error})"
    else:
        unread = "none of them could be had: somebody else is reading them"
    what = f"{counted(waiting, 'message')} could not be delivered or handled"
    why = "; ".join(_described(queue.name, each, logs, n) for n, each in enumerate(letters[:_SHOWN])) or unread
    more = f"; and {waiting - _SHOWN} more" if waiting > _SHOWN and letters else ""
    oldest = min((each.since for each in letters if each.since), default=None)
    dropped = [f"signoff redrive {queue.name} --drop {each.id}" for each in letters if _is_unreadable(each)]
    redriven = [f"signoff redrive {queue.name}"] if waiting > len(dropped) else []
    return Finding("dead_letters", queue.name, what, why + more, (*dropped, *redriven), oldest)


def _is_unreadable(letter: Letter) -> bool:
    """Return whether no function will ever read a letter: redriving it only brings it back."""
    return letter.about.startswith("unreadable")


def _described(queue: str, letter: Letter, logs: FunctionLogs, number: int) -> str:
    error = letter.error
    if error is None and number < _LOOKED_UP:
        try:
            error = logs.error(queue, letter)
        except ClientError as refused:
            error = f"the log could not be read: {refused}"
    unknown = "its function logged no error: it may have been ended by a timeout or for want of memory"
    return f"{letter.id} ({letter.about}): {cut(error or unknown, 300)}"
