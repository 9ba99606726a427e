"""Returns the letters of a dead-letter queue to where they belong.

SQS itself moves what came from a queue, always with the destination named: of a message that a rule could not deliver,
it knows no queue that it came from. It moves nothing of dead-letter queues of anything but queues, nor part of a queue:
there, each letter is sent to where it belongs.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signoff_cli.errors import CommandFailed, explain
from signoff_cli.operations.dead_letters import DeadLetterQueue
from signoff_cli.operations.destinations import Destination, NotSent
from signoff_cli.operations.letters import Letter

_ENDED = {"COMPLETED", "FAILED", "CANCELLED"}
Progress = Callable[[str], None]


@dataclass
class Redriven:
    """How many letters were moved, and why others could not be, by their ids."""

    moved: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Redriver:
    """Moves the letters of a `queue` to its `destination`. `pause` waits between two looks, and fails when too long."""

    queue: DeadLetterQueue
    destination: Destination
    sqs: Any
    pause: Callable[[], None]

    def redrive(self, limit: int | None, progress: Progress) -> Redriven:
        """Move all letters, or up to `limit`, and say how it goes on."""
        if self.destination.queue and limit is None:
            return self._move_all(self.destination.queue, progress)
        return self._move_each(limit, progress)

    def drop(self, message: str) -> Letter:
        """Delete the letter with that id, and return it. Raises `CommandFailed` when it is not there."""
        for letter in self._taken(None):
            if letter.id == message:
                self.queue.delete(letter)
                return letter
        raise CommandFailed(f"{self.queue.name} holds no message {message}; --dry-run shows those there are")

    def _taken(self, limit: int | None) -> Iterator[Letter]:
        """Yield up to `limit` letters, each once, and give back in the end what was not deleted."""
        seen: dict[str, Letter] = {}
        try:
            while limit is None or len(seen) < limit:
                letters = self.queue.take() if limit is None else self.queue.take(limit - len(seen))
                new = {each.id: each for each in letters if each.id not in seen}
                if not new:
                    return
                seen |= new
                yield from new.values()
        finally:
            self.queue.give_back(list(seen.values()))

    def _move_all(self, destination: str, progress: Progress) -> Redriven:
        source, to = self._arn(self.queue.url), self._arn(destination)
        self.sqs.start_message_move_task(SourceArn=source, DestinationArn=to)
        while True:
            # One task of a queue runs at a time, and the newest comes first.
            task = self.sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"][0]
            moved = task.get("ApproximateNumberOfMessagesMoved", 0)
            if task["Status"] in _ENDED:
                break
            progress(f"{moved} of {task.get('ApproximateNumberOfMessagesToMove', '?')} moved")
            self.pause()
        if task["Status"] == "COMPLETED":
            return Redriven(moved)
        return Redriven(moved, {"the rest": f"{task['Status']}: {task.get('FailureReason') or 'SQS gives no reason'}"})

    def _move_each(self, limit: int | None, progress: Progress) -> Redriven:
        done = Redriven()
        for letter in self._taken(limit):
            try:
                self.destination.send(letter)
            except (NotSent, ClientError, BotoCoreError) as error:
                done.failed[letter.id] = explain(error)
                continue
            self.queue.delete(letter)
            done.moved += 1
            progress(f"{done.moved} moved")
        return done

    def _arn(self, url: str) -> str:
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])
