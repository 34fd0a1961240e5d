"""A compiled rule: what it says of itself, and its condition. The function carries them in one file."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from opentrail.branches.detections.predicate import Predicate
from opentrail.errors import FormatError


class Detection(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One rule. Made by ``opentrail.adapters.sigma``, taken by the detections function.

    Attributes:
        id: a UUID; names the rule on EventBridge, and with an event's id the finding.
        level: informational, low, medium, high or critical; empty when the rule says none.
        status: how mature its author says it is: stable, test, experimental, ...
        tags: ``attack.t1078`` and the like.
        falsepositives: what else may look so.
        condition: which records it is about.
    """

    id: str
    title: str
    level: str = ""
    status: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    condition: Predicate


def to_json(detections: Iterable[Detection]) -> bytes:
    """Write detections down; ``from_json`` reads them back. The same detections give the same bytes."""
    return msgspec.json.encode(list(detections))


def from_json(text: bytes) -> dict[str, Detection]:
    """Read detections, by id.

    Raises:
        FormatError: the text is not what ``to_json`` writes.
    """
    try:
        found = msgspec.json.decode(text, type=list[Detection])
    except msgspec.MsgspecError as error:
        raise FormatError(f"broken detections: {error}") from error
    return {detection.id: detection for detection in found}
