"""Schedule -> event history in few, full segments: hours that are over, then days; days bound in blocks."""

from __future__ import annotations

import os
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.history import DynamoSegments, S3Places, S3SegmentFiles
from opentrail.adapters.aws.history_blocks import DynamoBlocks
from opentrail.branches.history import RolledUp, bind_segments, roll_up
from opentrail.branches.history.blocks import MAX_SPAN_SECONDS
from opentrail.branches.history.rollup import DAY_SECONDS
from opentrail.format.keys import TOKEN_LENGTH
from opentrail.model.event import Place
from opentrail.settings import RollupSettings

logger = Logger(service="rollup")
metrics = Metrics(namespace="OpenTrail", service="rollup")

DAYS_BACK = 3  # a run that failed or ran out of time is made up for by the next
# Insights looks an hour back from minutes that are InsightsLagMinutes old (9), and must not meet counts on
# their way from one segment to another. A run at twenty to (ROLLUP_SCHEDULE) so leaves exactly two hours.
SETTLED = timedelta(minutes=100)
HOUR_SECONDS = 3600
LONGEST_DAYS_BACK = 90
SPARE_MILLISECONDS = 60_000  # no place is begun with less time left
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Roller:
    """The rollup function's parts."""

    settings: RollupSettings
    segments: DynamoSegments
    blocks: DynamoBlocks
    files: S3SegmentFiles
    places: S3Places

    def roll(self, place: Place, now: datetime, *, days: int) -> RolledUp:
        """Roll up the hours of one place that are over and settled, and the last ``days`` days."""
        hour = (now - SETTLED).replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        of_days = self._roll(place, day - timedelta(days=days), day, DAY_SECONDS)
        return of_days + self._roll(place, day, hour, HOUR_SECONDS)

    def bind(self, place: Place, now: datetime, *, days: int) -> int:
        """Make blocks of the days that are over and settled, as far back as those of a quiet week reach."""
        day = (now - SETTLED).replace(hour=0, minute=0, second=0, microsecond=0)
        start = day.timestamp() - days * DAY_SECONDS - MAX_SPAN_SECONDS
        return bind_segments(place, start=start, end=day.timestamp(), cabinet=self.blocks)

    def _roll(self, place: Place, start: datetime, end: datetime, period_seconds: int) -> RolledUp:
        return roll_up(
            place,
            start=start.timestamp(),
            end=end.timestamp(),
            shelf=self.segments,
            files=self.files,
            new_token=new_token,
            max_events=self.settings.max_events,
            period_seconds=period_seconds,
        )


def new_token() -> str:
    """Sixteen random characters for a file name."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


def build(settings: RollupSettings, clients: Any = client) -> Roller:
    """Wire the function. ``clients`` answers a client for a service name."""
    return Roller(
        settings=settings,
        segments=DynamoSegments(clients("dynamodb"), settings.history_table),
        blocks=DynamoBlocks(clients("dynamodb"), settings.history_table),
        files=S3SegmentFiles(clients("s3")),
        places=S3Places(clients("s3"), settings.history_bucket),
    )


@cache
def wired() -> Roller:
    """Read settings and open clients, once per container."""
    return build(RollupSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Roll up every place. ``{"days": 90}`` goes back further than the usual three days."""
    roller, now = wired(), datetime.now(UTC)
    asked = event.get("days")
    days = min(asked, LONGEST_DAYS_BACK) if isinstance(asked, int) and asked > 0 else DAYS_BACK
    total, bound, left = RolledUp(), 0, 0
    for place in roller.places.places():
        if context.get_remaining_time_in_millis() < SPARE_MILLISECONDS:
            left += 1
        else:
            total += roller.roll(place, now, days=days)
            bound += roller.bind(place, now, days=days)

    logger.info(
        "rolled up", segments=total.before, into=total.after, in_blocks=bound, places_left_to_next_run=left
    )
    metrics.add_metric(name="SegmentsRolledUp", unit=MetricUnit.Count, value=total.before)
    metrics.add_metric(name="PlacesLeft", unit=MetricUnit.Count, value=left)
    return {"segments": total.before, "into": total.after, "in_blocks": bound, "places_left": left}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
