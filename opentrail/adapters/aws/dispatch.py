"""Events -> their destinations: chunks on the delivery queue, lines in log groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from opentrail.adapters.aws.logs import LogGroups
from opentrail.adapters.aws.organizations import OwnOrganization
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.branches.log_stream import make_streams
from opentrail.errors import StorageError
from opentrail.format.chunk import encode_chunk
from opentrail.model.event import Event
from opentrail.model.log_file import Chunk
from opentrail.model.trail import Trail
from opentrail.pipeline.select import Members, Selection, pack_events

Warn = Callable[..., None]  # a logger's ``warning``: a message, then facts by name


class DispatchSettings(Protocol):
    """What settings of a function that dispatches hold."""

    @property
    def trails_table(self) -> str: ...
    @property
    def delivery_queue_url(self) -> str: ...
    @property
    def history_bucket(self) -> str: ...
    @property
    def max_chunk_bytes(self) -> int: ...
    @property
    def trail_cache_seconds(self) -> int: ...


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Selects and sends, with the process's copy of the trails and of the organization."""

    settings: DispatchSettings
    trails: DynamoTrails
    delivery: SqsQueue
    log_groups: LogGroups
    organization: OwnOrganization
    warn: Warn
    history_since: str = ""  # eventTime; older events are not kept in history
    _selection: Selection | None = field(default=None, init=False)
    _trails: list[Trail] = field(default_factory=list, init=False)
    _members: Members = field(default_factory=dict, init=False)
    _read_at: float = field(default=0.0, init=False)

    def selection(self, now: float, accounts: Collection[str]) -> Selection:
        """The trails and the organization, read again once the copy is older than ``trail_cache_seconds``.

        The organization is asked of only where a trail of one is to be served, and then sooner
        when one of ``accounts`` is new: an account that just joined loses no event.
        """
        aged = self._selection is None or now - self._read_at >= self.settings.trail_cache_seconds
        if aged:
            self._trails = self.trails.all_trails()
            self._read_at = now
        strangers = set(accounts).difference(*self._members.values())
        if any(trail.organization_id for trail in self._trails) and (aged or strangers):
            self._members = self._ask_organization()
            aged = True
        if self._selection is None or aged:
            self._selection = Selection(
                self._trails,
                history_bucket=self.settings.history_bucket,
                members=self._members,
                history_since=self.history_since,
            )
        return self._selection

    def delivers_to(self, bucket: str, now: float) -> bool:
        """True when one of our own trails writes its files into ``bucket``."""
        self.selection(now, ())
        return any(trail.bucket == bucket for trail in self._trails)

    def _ask_organization(self) -> Members:
        """The members, or those of before while Organizations is silent; without any, the batch waits."""
        try:
            return self.organization.members()
        except StorageError as error:
            if not self._members:
                raise
            self.warn("organization not read, the copy is used", reason=str(error))
            return self._members

    def send(
        self, events: Sequence[Event], now: float, *, known: Collection[str] = (), stream: bool = True
    ) -> int:
        """Send every event to its destinations; answer the number of chunks.

        An event's destinations are in one message: who finds it in one of them may
        rely on its being on its way to all.

        Args:
            events: one batch, or one file.
            now: epoch seconds.
            known: eventIDs that are left out, since they were sent before.
            stream: also to the log groups, which take no event that is older than two weeks.

        Raises:
            StorageError: a table, queue or directory refused; some chunks may be sent.
        """
        selection = self.selection(now, {event.arrived.account for event in events})
        limit = self.settings.max_chunk_bytes
        chunks = list(pack_events(events, selection, max_chunk_bytes=limit, known=known))
        sent = self.delivery.send_all(encode_chunk(chunk) for chunk in chunks)
        if stream:
            self._stream(chunks, now)
        return sent

    def _stream(self, chunks: list[Chunk], now: float) -> None:
        """Send each trail's records to its log group. Trouble there must not hold up delivery."""
        trails = {d.name: d for chunk in chunks for d in chunk.destinations if d.log_group_arn}
        for trail in trails.values():
            wanted = [chunk for chunk in chunks if trail in chunk.destinations]
            status: dict[str, float | str] = {"latest_log_stream_time": now, "latest_log_stream_error": ""}
            try:
                for stream, batch in make_streams(trail, wanted, now_ms=int(now * 1000)):
                    self.log_groups.put(trail.log_group_arn, stream, batch)
            except StorageError as error:
                self.warn("records not streamed", trail=trail.name, reason=str(error))
                status = {"latest_log_stream_error": error.code or "InternalFailure"}
            for region in {trail.name.split(":")[3], *(chunk.place.region for chunk in wanted)}:
                self._note(trail.name, region, status)

    def _note(self, trail_arn: str, region: str, status: dict[str, float | str]) -> None:
        try:
            self.trails.update_status(trail_arn, region, **status)
        except StorageError as error:
            self.warn("status not written", trail=trail_arn, reason=str(error))


def make_dispatcher(
    settings: DispatchSettings, clients: Any, warn: Warn, *, history_since: str = ""
) -> Dispatcher:
    """Wire a dispatcher. ``clients`` answers a client for a service, of a Region if one is given."""
    return Dispatcher(
        settings=settings,
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        delivery=SqsQueue(clients("sqs"), settings.delivery_queue_url),
        log_groups=LogGroups(partial(clients, "logs")),
        organization=OwnOrganization(partial(clients, "organizations")),
        warn=warn,
        history_since=history_since,
    )
