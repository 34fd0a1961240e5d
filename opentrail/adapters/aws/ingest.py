"""One log file of somebody's CloudTrail bucket -> its events on their way, each once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from opentrail.adapters.aws.dispatch import Dispatcher, DispatchSettings, Warn, make_dispatcher
from opentrail.adapters.aws.known import KnownEvents, make_known_events
from opentrail.adapters.aws.source_files import SourceFiles
from opentrail.errors import FormatError
from opentrail.format.object_notice import ObjectName
from opentrail.pipeline.record import Skipped, judge_key, take_log_file


class IngestSettings(DispatchSettings, Protocol):
    """What settings of something that ingests hold."""

    @property
    def history_table(self) -> str: ...
    @property
    def own_role_arns(self) -> Collection[str]: ...
    @property
    def own_buckets(self) -> Collection[str]: ...
    @property
    def max_file_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of one object. Every record is in one of the four counts."""

    skipped: Skipped | None = None  # by its key; it was not read
    events: int = 0  # sent
    known: int = 0  # came before, by EventBridge or in another file
    own: int = 0  # calls by OpenTrail's own functions
    unreadable: int = 0
    complaint: str = ""  # what is wrong with the unreadable ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingester:
    """Takes one object at a time, so that memory holds one file and no more."""

    settings: IngestSettings
    files: SourceFiles
    history: KnownEvents
    dispatcher: Dispatcher

    def ingest(self, name: ObjectName, now: float, *, arrived_at: float | None = None) -> Ingested:
        """Send the object's events on their way, those that history has not seen.

        The same object again sends nothing new: its management events are in history
        by then, and its chunks have the same ids, which the ledger takes once.

        Args:
            name: the object.
            now: epoch seconds.
            arrived_at: from when on a trail must have been logging; None is when S3 took the object.

        Raises:
            FormatError: it is no log file, gone, or in a bucket of our own.
            StorageError: AWS refused or did not answer; some chunks may be sent.
        """
        self.refuse_own(name.bucket, now)
        key = judge_key(name.key)
        if isinstance(key, Skipped):
            return Ingested(skipped=key)
        file = self.files.read(name.bucket, name.key)
        taken = take_log_file(
            file.body,
            key,
            arrived_at=file.written_at if arrived_at is None else arrived_at,
            own_roles=self.settings.own_role_arns,
            max_bytes=self.settings.max_file_bytes,
        )
        known = self.history.among(taken.events)
        self.dispatcher.send(taken.events, now, known=known, stream=arrived_at is None)
        return Ingested(
            events=sum(event.event_id not in known for event in taken.events),
            known=sum(event.event_id in known for event in taken.events),
            own=taken.own,
            unreadable=len(taken.unreadable),
            complaint=taken.complaint,
        )

    def refuse_own(self, bucket: str, now: float) -> None:
        """What we write must not become what we read: it would come round for ever."""
        if bucket in self.settings.own_buckets or self.dispatcher.delivers_to(bucket, now):
            raise FormatError(f"OpenTrail itself writes to s3://{bucket}: its own log files are not ingested")


def make_ingester(settings: IngestSettings, clients: Any, warn: Warn, *, history_since: str = "") -> Ingester:
    """Wire an ingester.

    Args:
        settings: see there.
        clients: answers a client for a service, of a Region if one is given.
        warn: hears of what went wrong beside the line.
        history_since: an eventTime; what is older goes to trails alone.
    """
    return Ingester(
        settings=settings,
        files=SourceFiles(clients("s3"), max_bytes=settings.max_file_bytes),
        history=make_known_events(clients, settings.history_table),
        dispatcher=make_dispatcher(settings, clients, warn, history_since=history_since),
    )
