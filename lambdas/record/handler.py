"""SQS batch of EventBridge events -> chunks on the delivery queue."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.logs import LogGroups
from opentrail.adapters.aws.organizations import OwnOrganization
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.branches.log_stream import make_streams
from opentrail.errors import StorageError
from opentrail.format.chunk import encode_chunk
from opentrail.model.log_file import Chunk
from opentrail.model.trail import Trail
from opentrail.pipeline.record import Accepted, Message, accept_messages
from opentrail.pipeline.select import Members, Selection, pack_events
from opentrail.settings import RecordSettings

logger = Logger(service="record")
metrics = Metrics(namespace="OpenTrail", service="record")


@dataclass(slots=True, kw_only=True)
class Recorder:
    """The record function's parts, with the container's copy of the trails and of the organization."""

    settings: RecordSettings
    trails: DynamoTrails
    delivery: SqsQueue
    rejects: SqsQueue
    log_groups: LogGroups
    organization: OwnOrganization
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
                self._trails, history_bucket=self.settings.history_bucket, members=self._members
            )
        return self._selection

    def _ask_organization(self) -> Members:
        """The members, or those of before while Organizations is silent; without any, the batch waits."""
        try:
            return self.organization.members()
        except StorageError as error:
            if not self._members:
                raise
            logger.warning("organization not read, the copy is used", reason=str(error))
            return self._members

    def record(self, messages: list[Message], now: float) -> tuple[Accepted, int]:
        """Send every event to its destinations and every unreadable message aside; answer the chunks sent."""
        accepted = accept_messages(messages, own_roles=self.settings.own_role_arns)
        selection = self.selection(now, {event.arrived.account for event in accepted.events})
        chunks = list(pack_events(accepted.events, selection, max_chunk_bytes=self.settings.max_chunk_bytes))
        sent = self.delivery.send_all(encode_chunk(chunk) for chunk in chunks)
        for rejected in accepted.rejected:
            self.rejects.send_rejected(
                rejected.message.body, reason=rejected.reason, message_id=rejected.message.id
            )
        self._stream(chunks, now)
        return accepted, sent

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
                logger.warning("records not streamed", trail=trail.name, reason=str(error))
                status = {"latest_log_stream_error": error.code or "InternalFailure"}
            for region in {trail.name.split(":")[3], *(chunk.place.region for chunk in wanted)}:
                self._note(trail.name, region, status)

    def _note(self, trail_arn: str, region: str, status: dict[str, float | str]) -> None:
        try:
            self.trails.update_status(trail_arn, region, **status)
        except StorageError as error:
            logger.warning("status not written", trail=trail_arn, reason=str(error))


def build(settings: RecordSettings, clients: Any = client) -> Recorder:
    """Wire the function. ``clients`` answers a client for a service, of a Region if one is given."""
    return Recorder(
        settings=settings,
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        delivery=SqsQueue(clients("sqs"), settings.delivery_queue_url),
        rejects=SqsQueue(clients("sqs"), settings.reject_queue_url),
        log_groups=LogGroups(partial(clients, "logs")),
        organization=OwnOrganization(partial(clients, "organizations")),
    )


@cache
def wired() -> Recorder:
    """Read settings and open clients, once per container."""
    return build(RecordSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(batch: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Record one SQS batch. It is taken whole or, when AWS fails us, comes again whole."""
    messages = [_message(record) for record in batch["Records"]]

    accepted, chunks = wired().record(messages, time.time())

    for rejected in accepted.rejected:
        logger.warning("message rejected", message_id=rejected.message.id, reason=rejected.reason)
    logger.info("recorded", events=len(accepted.events), chunks=chunks, own=accepted.own)
    metrics.add_metric(name="EventsRecorded", unit=MetricUnit.Count, value=len(accepted.events))
    metrics.add_metric(name="MessagesRejected", unit=MetricUnit.Count, value=len(accepted.rejected))
    return {"batchItemFailures": []}


def _message(record: dict[str, Any]) -> Message:
    sent = int(record["attributes"]["SentTimestamp"]) / 1000
    return Message(id=record["messageId"], body=record["body"], sent_at=sent)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
