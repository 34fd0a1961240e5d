"""Schedule -> Insight events, onto the intake queue and the default bus."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.insights import DynamoInsights, EventBus, intake_body
from opentrail.adapters.aws.regions import known_regions
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.branches.insights.baseline import Sensitivity
from opentrail.branches.insights.evaluate import Evaluator
from opentrail.branches.insights.series import Scope
from opentrail.branches.insights.wanted import wanted_insights
from opentrail.errors import FormatError, StorageError
from opentrail.format.insight import InsightEvent
from opentrail.format.times import from_iso
from opentrail.settings import InsightsSettings

logger = Logger(service="insights")
metrics = Metrics(namespace="OpenTrail", service="insights")

EMPTY_SECONDS = 600  # a Region without any history is looked at again after that


@dataclass(slots=True, kw_only=True)
class Watcher:
    """The insights function's parts."""

    settings: InsightsSettings
    trails: DynamoTrails
    table: DynamoInsights
    intake: SqsQueue
    bus: EventBus
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    _empty: dict[Scope, float] = field(default_factory=dict, init=False)

    def watch(self, now: datetime, *, settled: bool = False) -> tuple[list[InsightEvent], int]:
        """Judge what is new everywhere; answer what was found, and how many scopes could not be judged.

        With ``settled`` the counts are known to be complete up to ``now``.
        """
        moment = now.timestamp()
        evaluator = Evaluator(
            source=self.table,
            memory=self.table,
            send=self._send,
            lag_minutes=0 if settled else self.settings.lag_minutes,
            sensitivity=self.sensitivity,
        )
        found: list[InsightEvent] = []
        failed = 0
        for scope, types in wanted_insights(self.trails.all_trails(), known_regions()).items():
            if moment - self._empty.get(scope, 0.0) < EMPTY_SECONDS:
                continue
            try:
                if self.table.oldest(scope) is None:
                    self._empty[scope] = moment
                    continue
                found += evaluator.run(scope, types, moment)
            except StorageError as error:
                logger.error("not judged", scope=scope, reason=str(error))
                failed += 1
        return found, failed

    def _send(self, records: Sequence[bytes]) -> None:
        """To the line first: a bus that refuses must not cost the trails their files."""
        self.intake.send_all(intake_body(raw) for raw in records)
        try:
            self.bus.put(records)
        except StorageError as error:
            logger.warning("Insight events not on the bus", reason=str(error))


def moment_of(event: dict[str, Any]) -> datetime:
    """The event's own time, never one that is still to come; now when it has none."""
    now = datetime.now(UTC)
    try:
        return min(from_iso(event["time"]), now)
    except (KeyError, TypeError, FormatError):
        return now


def build(settings: InsightsSettings, clients: Any = client) -> Watcher:
    """Wire the function. ``clients`` answers a client for a service name."""
    return Watcher(
        settings=settings,
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        table=DynamoInsights(clients("dynamodb"), settings.history_table),
        intake=SqsQueue(clients("sqs"), settings.intake_queue_url),
        bus=EventBus(clients("events")),
    )


@cache
def wired() -> Watcher:
    """Read settings and open clients, once per container."""
    return build(InsightsSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge every minute that is settled since the last run.

    ``{"settled": true}`` says that whatever was called is counted. ``time``, which EventBridge sets,
    is the moment the run was due, and so the one it is made for.
    """
    found, failed = wired().watch(moment_of(event), settled=event.get("settled") is True)

    logger.info("judged", insights=[e.event_id for e in found], failed=failed)
    metrics.add_metric(name="InsightEvents", unit=MetricUnit.Count, value=len(found))
    metrics.add_metric(name="InsightsFailed", unit=MetricUnit.Count, value=failed)
    return {"insights": len(found), "failed": failed}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
