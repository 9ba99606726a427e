"""Sending statements over the bus, each signed by the caller, so that Signoff knows whose they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from signoff.notification.announcements import Event
from signoff_cli.statements.request import SentStatement
from signoff_cli.statements.signature import id_of, sign_as_caller

if TYPE_CHECKING:
    from signoff_cli.statements.request import EventSender

Sign = Callable[[dict[str, Any], str], dict[str, Any]]


class StatementBus:
    """A bus to put statements on, and the audience (the ARN of the registry's bus) that each of them is made to."""

    def __init__(self, bus: EventSender, audience: str, sign: Sign = sign_as_caller) -> None:
        """Take the bus, the audience, and what signs a statement for the STS of a region."""
        self._bus = bus
        self._audience = audience
        self._sign = sign

    def send(self, type_: str, statement: Mapping[str, Any]) -> SentStatement:
        """Sign a statement, put it on the bus as an event of that detail-type, and return how its answer names it.

        Raises `CommandFailed` when there are no credentials, and `ProofRefused`, before anything is sent, when they are
        such as AWS does not issue.
        """
        signed = self._sign({"audience": self._audience, **statement}, self._audience.split(":")[3])
        identity = id_of(signed)

        def put() -> str:
            (event,) = self._bus.put([Event(type_, signed)])
            return event

        return SentStatement(identity, put(), put)
