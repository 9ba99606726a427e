"""The tests' world, in which AWS delivers late, again, in any order, or never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from signoff.approval.statements import Sender
from signoff.ledger.entries import Entry
from tests.faults.faults import Fault
from tests.faults.faulty_world import FaultyWorld, Message

# What may get lost: a table's stream comes until it is read, and a signature that nobody asked about expires.
_LOST = {"RegisterModel", "ApplyDecision", "CreateModel", "Sweep", "workflow"}


class ShuffledWorld(FaultyWorld):
    """Signoff, and whatever waits for one of its functions; each step of an execution waits for its turn, too.

    `announcing` counts how often each entry, by its hash, came out of the ledger's stream.
    """

    def __init__(self, **policy: Any) -> None:
        super().__init__(**policy)
        self.announcing: Counter[str] = Counter()
        self._running: dict[str, Iterator[None]] = {}

    def arrives(self, position: int, *, again: bool = False) -> None:
        """Deliver one of the messages that wait, and have it come `again` later if that is asked for."""
        message = self._chosen(position)
        if message is None:
            return
        self.mail.remove(message)
        if again and message.reader == "workflow":
            _, started = _execution(message)
            self.executions.start(started["detail"]["ModelPackageArn"])  # as each delivery of one event does
        elif again:
            self.mail.append(replace(message))
        self._handle(message)

    def is_lost(self, position: int) -> None:
        """Lose one of the messages that wait; of an execution that is under way, all that is still to come."""
        message = self._chosen(position)
        if message is not None and message.reader in _LOST:
            self.mail.remove(message)
            if message.reader == "workflow":
                execution, _ = _execution(message)
                self.executions.statuses[execution] = "ABORTED"

    def dies(self, position: int, calls: int) -> None:
        """Deliver one of the messages to a function that dies instead of making its call of that number."""
        self.interruptions.at, self.interruptions.fault = len(self.interruptions.noted) + calls, Fault.KILLED
        self.arrives(position)
        self.interruptions.fault = None

    def time_passes(self, minutes: float) -> None:
        """Let time pass. Before that, what is signed is looked at: its proof is valid for 15 minutes."""
        while waiting := [message for message in self._waiting() if message.reader == "KeepSignature"]:
            self.clock.now = max(self.clock.now, waiting[0].visible)
            self.mail.remove(waiting[0])
            self._handle(waiting[0])
        self.clock.now += timedelta(minutes=minutes)

    def sweep_is_due(self) -> None:
        """Have the schedule call for the sweep."""
        self.event("Sweep", self._sweep)

    def is_stated(self, statement: Mapping[str, Any], event: str) -> None:
        """Put a signed statement on its way."""
        self.event("ApplyDecision", partial(self.decision_handler.apply, statement, Sender(event)))

    def in_order(self) -> None:
        """Deliver all that waits and what comes of it, one after the other."""
        self._handle_all()

    def _waiting(self) -> list[Message]:
        self._collect()
        return self.mail

    def _chosen(self, position: int) -> Message | None:
        """Return one of the messages that are visible; a ledger's entries come out of its stream in their order."""
        shards: set[str] = set()
        found = []
        for message in self._waiting():
            shard = _entry(message).package if message.reader == "Announce" else ""
            if shard not in shards and message.visible <= self.clock():
                found.append(message)
            shards |= {shard} if shard else set()
        return found[position % len(found)] if found else None

    def _handle(self, message: Message) -> None:
        self.clock.now += timedelta(seconds=1)
        super()._handle(message)

    def _announce_entry(self, entry: Entry) -> None:
        self.announcing[entry.hash] += 1
        super()._announce_entry(entry)

    def _execute(self, execution: str, started: Mapping[str, Any]) -> None:
        steps = self._running.setdefault(execution, self.steps(execution, started))
        ended: list[None] = []
        if next(steps, ended) is not ended:
            self.event("workflow", partial(self._execute, execution, started))


def _execution(message: Message) -> tuple[str, Mapping[str, Any]]:
    """Return the execution that a message to the workflow is about, and what started it."""
    act: Any = message.act
    execution, started = act.args
    return execution, started


def _entry(message: Message) -> Entry:
    act: Any = message.act
    (entry,) = act.args
    return entry
