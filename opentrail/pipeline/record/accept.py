"""Messages -> events; what cannot be read is set aside with its reason, what is our own is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from opentrail.errors import FormatError
from opentrail.format.envelope import parse_envelope
from opentrail.model.event import Event


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the intake queue."""

    id: str
    body: str
    sent_at: float  # epoch seconds with milliseconds: when the queue took it


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is no event, and why. It belongs in the dead-letter queue."""

    message: Message
    reason: str


@dataclass(slots=True)
class Accepted:
    """What became of a batch. Every message is in exactly one of the three."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    own: int = 0  # calls by OpenTrail's own functions


def accept_messages(messages: Iterable[Message], *, own_roles: Collection[str]) -> Accepted:
    """Read each message as an EventBridge event that carries a record.

    Calls made by OpenTrail's own functions are left out: recording them would
    cause the calls that record them, for ever (CloudTrail's RecursiveLogging
    rule, applied to our own roles).

    Args:
        messages: in any order.
        own_roles: ARNs of the roles of OpenTrail's functions.
    """
    accepted = Accepted()
    for message in messages:
        try:
            event = parse_envelope(message.body, arrived_at=message.sent_at)
        except FormatError as error:
            accepted.rejected.append(Rejected(message, str(error)))
            continue
        if event.issuer_arn and event.issuer_arn in own_roles:
            accepted.own += 1
        else:
            accepted.events.append(event)
    return accepted
