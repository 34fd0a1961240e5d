"""Schedule -> signed digest files for every window that is over, and sums of the files no digest lists."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.anchor import DynamoAnchor
from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.adapters.aws.s3 import S3Objects
from opentrail.adapters.aws.signing_keys import KmsKeyring, SigningKeys, signing_keys
from opentrail.adapters.aws.sns import SnsTopics
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.adapters.aws.usage import DynamoUsage
from opentrail.branches.usage import roll_up_days
from opentrail.errors import StorageError
from opentrail.pipeline.digest import Closing, close_windows
from opentrail.settings import DigestSettings

logger = Logger(service="digest")
# A window takes a second or two; no new one is begun when less than this is left.
SPARE_MILLISECONDS = 20_000

metrics = Metrics(namespace="OpenTrail", service="digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digester:
    """The digest function's parts."""

    settings: DigestSettings
    ledger: DynamoLedger
    store: S3Objects
    anchor: DynamoAnchor
    kms: Any
    signing_keys: SigningKeys
    trails: DynamoTrails
    usage: DynamoUsage

    def close(
        self, now: datetime, *, close_now: bool, has_time: Callable[[], bool] = lambda: True
    ) -> Closing:
        """Close the windows that are over and note each trail's outcome in its status."""
        closing = close_windows(
            self.trails.all_trails(),
            ledger=self.ledger,
            store=self.store,
            anchor=self.anchor,
            keyring=KmsKeyring(self.kms, self.signing_keys),
            now=now,
            period_seconds=self.settings.period_seconds,
            settle_seconds=self.settings.settle_seconds,
            close_now=close_now,
            has_time=has_time,
        )
        for closed in closing.closed:
            self._note(
                closed.trail_arn,
                closed.place.region,
                latest_digest_delivery_time=now.timestamp(),
                latest_digest_delivery_error="",
            )
        for trouble in closing.troubles:
            self._note(
                trouble.trail_arn,
                trouble.place.region,
                latest_digest_delivery_error=trouble.code or "InternalFailure",
            )
        return closing

    def sum_days(self, now: datetime) -> list[str]:
        """Sum the days that are over; digests are written, so trouble here waits for the next run."""
        try:
            return roll_up_days(self.usage, now)
        except StorageError as error:
            logger.warning("days not summed", reason=str(error))
            return []

    def _note(self, trail_arn: str, region: str, **fields: float | str) -> None:
        try:
            self.trails.update_status(trail_arn, region, **fields)
        except StorageError as error:  # the digest itself is safe
            logger.warning("status not written", trail=trail_arn, reason=str(error))


def build(settings: DigestSettings, clients: Any = client) -> Digester:
    """Wire the function. ``clients`` answers a client for a service, of a Region if one is given."""
    return Digester(
        settings=settings,
        ledger=DynamoLedger(clients("dynamodb"), settings.ledger_table),
        store=S3Objects(clients("s3")),
        anchor=DynamoAnchor(
            clients("dynamodb"),
            settings.anchor_table,
            topics=SnsTopics(partial(clients, "sns")),
            topic_arn=settings.anchor_topic_arn,
        ),
        kms=clients("kms"),
        signing_keys=signing_keys(
            clients("dynamodb"),
            clients("kms"),
            table=settings.ledger_table,
            first_key_id=settings.signing_key_id,
        ),
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        usage=DynamoUsage(clients("dynamodb"), settings.ledger_table),
    )


@cache
def wired() -> Digester:
    """Read settings and open clients, once per container."""
    return build(DigestSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close windows. ``{"close": true}`` also ends the running ones, now."""
    now = datetime.now(UTC)

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() >= SPARE_MILLISECONDS)

    closing = wired().close(now, close_now=event.get("close") is True, has_time=has_time)
    summed = wired().sum_days(now) if has_time() else []

    for trouble in closing.troubles:
        logger.error(
            "digest not written", trail=trouble.trail_arn, place=trouble.place, reason=trouble.reason
        )
    logger.info(
        "digests written",
        keys=[c.key for c in closing.closed],
        left_to_another_run=closing.contended,
        left_for_want_of_time=closing.unfinished,
        days_summed=summed,
    )
    metrics.add_metric(name="DigestsDelivered", unit=MetricUnit.Count, value=len(closing.closed))
    metrics.add_metric(name="DigestsFailed", unit=MetricUnit.Count, value=len(closing.troubles))
    return {"digests": len(closing.closed), "failed": len(closing.troubles)}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
