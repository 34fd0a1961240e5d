"""A log file that CloudTrail wrote into somebody's bucket -> events, as if they had come one by one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from opentrail.errors import FormatError
from opentrail.format.event import parse_event
from opentrail.format.keys import DIGESTS, INSIGHTS, LOGS, NETWORK, LogKey, parse_digest_key, parse_log_key
from opentrail.format.log_file import decompress, split_records
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Event

TAKEN = frozenset({LOGS, NETWORK})
MAX_NAMED = 3  # unreadable records whose place and fault are told


class Skipped(StrEnum):
    """Why an object is not ingested, by its key alone."""

    DIGEST = "a digest: OpenTrail signs its own"
    INSIGHT = "Insights events: OpenTrail finds its own, and twice the same would be two incidents"
    OTHER = "not a log file of CloudTrail"


def judge_key(key: str) -> LogKey | Skipped:
    """Tell log files with records of calls from all else that lies in such a bucket."""
    try:
        parsed = parse_log_key(key)
    except FormatError:
        return Skipped.DIGEST if _is_digest(key) else Skipped.OTHER
    if parsed.folder in TAKEN:
        return parsed
    return Skipped.INSIGHT if parsed.folder == INSIGHTS else Skipped.OTHER


def _is_digest(key: str) -> bool:
    try:
        parse_digest_key(key)
    except FormatError:
        return f"/{DIGESTS}/" in key
    return True


@dataclass(slots=True)
class Taken:
    """What was in a file. Every record is in exactly one of the three."""

    events: list[Event] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)  # which record, and why
    own: int = 0  # calls by OpenTrail's own functions

    @property
    def complaint(self) -> str:
        """What a person should hear; empty when every record was read."""
        if not self.unreadable:
            return ""
        total = len(self.events) + len(self.unreadable) + self.own
        named = "; ".join(self.unreadable[:MAX_NAMED])
        return f"{len(self.unreadable)} of {total} records unreadable, the others are taken: {named}"


def take_log_file(
    body: bytes, key: LogKey, *, arrived_at: float, own_roles: Collection[str], max_bytes: int
) -> Taken:
    """Read a log file's records, each byte for byte.

    They arrived by the account and Region that the key names: CloudTrail wrote it
    under there. Calls of OpenTrail's own functions are left out, as those that
    come by EventBridge are: with data events of the bucket itself, reading one
    file would make the record that makes the next.

    Args:
        body: the object, gzip or plain JSON.
        key: where it lay.
        arrived_at: epoch seconds; from then on, a trail must have been logging.
        own_roles: ARNs of the roles of OpenTrail's functions.
        max_bytes: of the document; a larger one is no log file, and might fill the memory.

    Raises:
        FormatError: not a log file.
    """
    arrived_time = to_iso(from_epoch(arrived_at))
    taken = Taken()
    for number, raw in enumerate(split_records(decompress(body, limit=max_bytes))):
        try:
            event = parse_event(raw, arrived=key.place, arrived_at=arrived_at, arrived_time=arrived_time)
        except FormatError as error:
            taken.unreadable.append(f"record {number}: {error}")
            continue
        if event.issuer_arn and event.issuer_arn in own_roles:
            taken.own += 1
        else:
            taken.events.append(event)
    return taken
