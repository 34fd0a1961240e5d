"""SQS batch of EventBridge events -> chunks on the delivery queue."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.dispatch import Dispatcher, make_dispatcher
from opentrail.adapters.aws.known import KnownEvents, make_known_events
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Event
from opentrail.pipeline.record import Accepted, Message, accept_messages
from opentrail.settings import RecordSettings

logger = Logger(service="record")
metrics = Metrics(namespace="OpenTrail", service="record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """The record function's parts."""

    settings: RecordSettings
    dispatcher: Dispatcher
    history: KnownEvents | None  # None: nothing comes another way
    rejects: SqsQueue

    def record(self, messages: list[Message], now: float) -> tuple[Accepted, int]:
        """Send every event to its destinations and every unreadable message aside; answer the chunks sent."""
        accepted = accept_messages(messages, own_roles=self.settings.own_role_arns)
        sent = self.dispatcher.send(accepted.events, now, known=self._known(accepted.events, now))
        for rejected in accepted.rejected:
            self.rejects.send_rejected(
                rejected.message.body, reason=rejected.reason, message_id=rejected.message.id
            )
        return accepted, sent

    def _known(self, events: list[Event], now: float) -> set[str]:
        """Those events that a file of the source bucket brought before, while they waited to be recorded.

        Only events that come late can be among them: that file waits longer than they usually do.
        """
        if self.history is None or not self.settings.late_seconds:
            return set()
        on_time = to_iso(from_epoch(now - self.settings.late_seconds))
        return self.history.among(event for event in events if event.time < on_time)


def build(settings: RecordSettings, clients: Any = client) -> Recorder:
    """Wire the function. ``clients`` answers a client for a service, of a Region if one is given."""
    return Recorder(
        settings=settings,
        dispatcher=make_dispatcher(settings, clients, logger.warning),
        history=make_known_events(clients, settings.history_table) if settings.history_table else None,
        rejects=SqsQueue(clients("sqs"), settings.reject_queue_url),
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
