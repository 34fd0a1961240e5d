"""SQS batch of chunks -> gzip log files in S3, entered in the ledger."""

from __future__ import annotations

import os
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.adapters.aws.s3 import S3Objects
from opentrail.adapters.aws.sns import SnsTopics
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.branches.history import build_segment, count_data_events
from opentrail.errors import FormatError, StorageError
from opentrail.format.chunk import decode_chunk
from opentrail.format.keys import TOKEN_LENGTH
from opentrail.format.notification import encode_notification
from opentrail.model.event import Place
from opentrail.model.log_file import Chunk, Destination
from opentrail.pipeline.deliver import Delivery, deliver_chunks
from opentrail.settings import DeliverSettings

logger = Logger(service="deliver")
metrics = Metrics(namespace="OpenTrail", service="deliver")

_ALPHABET = string.ascii_letters + string.digits
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """The deliver function's parts."""

    settings: DeliverSettings
    ledger: DynamoLedger
    store: S3Objects
    trails: DynamoTrails
    topics: SnsTopics

    def deliver(self, chunks: list[Chunk], now: datetime) -> Delivery:
        """Store ``chunks`` and note each trail's outcome in its status."""
        delivery = deliver_chunks(
            chunks,
            ledger=self.ledger,
            store=self.store,
            describe=build_segment,
            count=count_data_events,
            now=now,
            new_token=new_token,
            max_file_bytes=self.settings.max_file_bytes,
            settle_seconds=self.settings.settle_seconds,
        )
        self._note_outcomes(delivery, now.timestamp())
        self._notify(delivery, now.timestamp())
        return delivery

    def _notify(self, delivery: Delivery, now: float) -> None:
        """Tell each trail's topic of its new files: one message per trail, account and Region."""
        files: dict[tuple[Destination, Place], list[str]] = {}
        for stored in delivery.stored:
            if stored.destination.sns_topic_arn:
                files.setdefault((stored.destination, stored.place), []).append(stored.file.key)
        for (trail, place), stored_keys in files.items():
            status: dict[str, float | str] = {"latest_notification_attempt_time": now}
            try:
                self.topics.publish(trail.sns_topic_arn, encode_notification(trail.bucket, stored_keys))
                status |= {"latest_notification_time": now, "latest_notification_error": ""}
            except StorageError as error:
                logger.warning("topic not notified", trail=trail.name, reason=str(error))
                status["latest_notification_error"] = error.code or "InternalFailure"
            note_outcome(self.trails, trail.name, place.region, status)

    def _note_outcomes(self, delivery: Delivery, now: float) -> None:
        outcomes: dict[tuple[str, str], dict[str, float | str]] = {}
        for stored in delivery.stored:
            outcomes[_status_key(stored.destination, stored.place.region)] = {
                "latest_delivery_time": now,
                "latest_delivery_attempt_time": now,
                "latest_delivery_error": "",
            }
        for failed in delivery.failed:
            if failed.code:
                key = _status_key(failed.destination, failed.chunk.place.region)
                outcomes[key] = {"latest_delivery_attempt_time": now, "latest_delivery_error": failed.code}
        for (trail_arn, region), fields in outcomes.items():
            if trail_arn:
                note_outcome(self.trails, trail_arn, region, fields)


def note_outcome(trails: DynamoTrails, trail_arn: str, region: str, fields: dict[str, float | str]) -> None:
    """Write a trail's status. The files are stored: a status that fails must not bring their chunks back."""
    try:
        trails.update_status(trail_arn, region, **fields)
    except StorageError as error:
        logger.warning("status not written", trail=trail_arn, reason=str(error))


def _status_key(destination: Destination, region: str) -> tuple[str, str]:
    return ("" if destination.is_history else destination.name, region)


def new_token() -> str:
    """Sixteen random characters for a file name."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


def build(settings: DeliverSettings, clients: Any = client) -> Deliverer:
    """Wire the function. ``clients`` answers a client for a service, of a Region if one is given."""
    ledger = DynamoLedger(
        clients("dynamodb"),
        settings.ledger_table,
        history_table=settings.history_table,
        history_seconds=settings.history_days * _DAY_SECONDS,
    )
    return Deliverer(
        settings=settings,
        ledger=ledger,
        store=S3Objects(clients("s3")),
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        topics=SnsTopics(partial(clients, "sns")),
    )


@cache
def wired() -> Deliverer:
    """Read settings and open clients, once per container."""
    return build(DeliverSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(batch: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Deliver one SQS batch; report malformed and undelivered messages as item failures."""
    chunks: list[Chunk] = []
    message_of: dict[str, list[str]] = {}
    failed: list[str] = []
    for message in batch["Records"]:
        try:
            chunk = decode_chunk(message["body"])
        except FormatError as error:
            logger.warning("malformed chunk", message_id=message["messageId"], reason=str(error))
            failed.append(message["messageId"])
            continue
        chunks.append(chunk)
        message_of.setdefault(chunk.id, []).append(message["messageId"])

    delivery = wired().deliver(chunks, datetime.now(UTC))

    for trouble in delivery.failed:
        logger.warning(
            "chunk not delivered", chunk=trouble.chunk.id, to=trouble.destination.name, reason=trouble.reason
        )
    for chunk_id in {trouble.chunk.id for trouble in delivery.failed}:
        failed += message_of[chunk_id]
    delivered = sum(stored.file.count for stored in delivery.stored)
    logger.info("delivered", keys=[s.file.key for s in delivery.stored], events=delivered)
    metrics.add_metric(name="EventsDelivered", unit=MetricUnit.Count, value=delivered)
    metrics.add_metric(name="ChunksRepeated", unit=MetricUnit.Count, value=len(delivery.repeats))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
