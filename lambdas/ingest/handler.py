"""SQS batch of notices of new log files of CloudTrail's own -> chunks on the delivery queue."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.ingest import Ingested, Ingester, make_ingester
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.errors import FormatError, StorageError
from opentrail.format.object_notice import ObjectName, read_notice
from opentrail.settings import IngestSettings

logger = Logger(service="ingest")
metrics = Metrics(namespace="OpenTrail", service="ingest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """The ingest function's parts."""

    settings: IngestSettings
    ingester: Ingester
    rejects: SqsQueue

    def take(self, message: dict[str, Any], now: float) -> Iterator[Ingested]:
        """Ingest every object a message names; a message with anything unreadable is also set aside.

        Raises:
            StorageError: AWS refused or did not answer; the message must come again.
        """
        complaints = []
        try:
            names = read_notice(message["body"])
        except FormatError as error:
            names, complaints = [], [str(error)]
        for name in names:
            try:
                done = self._ingest(name, now)
            except FormatError as error:
                complaints.append(f"{name.key}: {error}")
                continue
            if done is not None:
                yield done
                complaints += [f"{name.key}: {done.complaint}"] if done.complaint else []
        if complaints:
            reason = "; ".join(complaints)
            logger.warning("message rejected", message_id=message["messageId"], reason=reason)
            self.rejects.send_rejected(message["body"], reason=reason, message_id=message["messageId"])

    def _ingest(self, name: ObjectName, now: float) -> Ingested | None:
        if name.bucket != self.settings.source_bucket:
            raise FormatError(f"s3://{name.bucket} is not the source bucket")
        if not name.key.startswith(self.settings.source_prefix):
            return None
        done = self.ingester.ingest(name, now)
        if done.skipped:
            logger.info("object skipped", key=name.key, reason=done.skipped)
        else:
            logger.info("file ingested", key=name.key, events=done.events, known=done.known, own=done.own)
        return done


def build(settings: IngestSettings, clients: Any = client) -> Function:
    """Wire the function. ``clients`` answers a client for a service, of a Region if one is given."""
    return Function(
        settings=settings,
        ingester=make_ingester(settings, clients, logger.warning),
        rejects=SqsQueue(clients("sqs"), settings.reject_queue_url),
    )


@cache
def wired() -> Function:
    """Read settings and open clients, once per container."""
    return build(IngestSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(batch: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ingest one SQS batch; messages whose files AWS did not let us read or send come again."""
    done: list[Ingested] = []
    failed: list[str] = []
    for message in batch["Records"]:
        try:
            done += wired().take(message, time.time())
        except StorageError as error:
            logger.warning("file not ingested", message_id=message["messageId"], reason=str(error))
            failed.append(message["messageId"])
    counts = {
        "FilesIngested": sum(not one.skipped for one in done),
        "ObjectsSkipped": sum(bool(one.skipped) for one in done),
        "EventsIngested": sum(one.events for one in done),
        "EventsKnown": sum(one.known for one in done),
        "RecordsUnreadable": sum(one.unreadable for one in done),
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
