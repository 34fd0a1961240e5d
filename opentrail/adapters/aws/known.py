"""Which events history has already: those that came by another way before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opentrail.adapters.aws.history import DynamoSegments, S3SegmentFiles
from opentrail.branches.history import known_events
from opentrail.errors import FormatError
from opentrail.format.times import from_iso
from opentrail.model.event import Event, Place
from opentrail.pipeline.select.scope import HISTORY_CATEGORIES


@dataclass(frozen=True, slots=True)
class KnownEvents:
    """Event history, asked for many events at once."""

    segments: DynamoSegments
    files: S3SegmentFiles

    def among(self, events: Iterable[Event]) -> set[str]:
        """The eventIDs that history has, of those events that history keeps.

        Raises:
            StorageError: history did not answer.
        """
        by_place: dict[Place, dict[str, str]] = {}
        for event in events:
            if event.category in HISTORY_CATEGORIES and _is_time(event.time):
                by_place.setdefault(event.place, {})[event.event_id] = event.time
        return {
            event_id
            for place, times in by_place.items()
            for event_id in known_events(place, times, index=self.segments, files=self.files)
        }


def _is_time(text: str) -> bool:
    try:
        from_iso(text)
    except FormatError:
        return False  # a 31st of February cannot be looked for
    return True


def make_known_events(clients: Any, history_table: str) -> KnownEvents:
    """Wire it. ``clients`` answers a client for a service."""
    return KnownEvents(DynamoSegments(clients("dynamodb"), history_table), S3SegmentFiles(clients("s3")))
