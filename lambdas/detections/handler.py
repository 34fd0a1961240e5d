"""Event that a detection's rule let through -> finding, in the trails, on the default bus and to a topic."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.findings import DynamoTold, FindingOutlet
from opentrail.adapters.aws.own_events import OwnEvents
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.branches.detections.detection import Detection, from_json
from opentrail.branches.detections.matcher import Matcher
from opentrail.branches.detections.watch import Verdict, Watch, armed
from opentrail.model.event import Place
from opentrail.settings import DetectionsSettings

logger = Logger(service="detections")
metrics = Metrics(namespace="OpenTrail", service="detections")

COMPILED = Path(__file__).with_name("compiled.json")  # put there at deployment


@dataclass(frozen=True, slots=True)
class Detector:
    """The function's parts. Account and Region are those of the function itself."""

    settings: DetectionsSettings
    rules: dict[str, tuple[Detection, Matcher]]
    clients: Any

    def watch(self, function_arn: str) -> Watch:
        """Arm the rules where the function ``function_arn`` runs."""
        settings, clients = self.settings, self.clients
        region, account = function_arn.split(":")[3:5]
        home = Place(account, region)
        own_events = OwnEvents(SqsQueue(clients("sqs"), settings.intake_queue_url), clients("events"), home)
        return Watch(
            rules=self.rules,
            own_roles=settings.own_role_arns,
            home=home,
            told=DynamoTold(clients("dynamodb"), settings.state_table),
            outlet=FindingOutlet(own_events, clients("sns"), settings.topic_arn),
        )


def build(settings: DetectionsSettings, clients: Any = client, compiled: Path = COMPILED) -> Detector:
    """Wire the function. ``clients`` answers a client for a service name."""
    return Detector(settings, armed(from_json(compiled.read_bytes())), clients)


@cache
def wired() -> Detector:
    """Read settings and rules, once per container."""
    return build(DetectionsSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(message: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge one event by one rule: ``{"detection": ID, "event": {...}}``; answer what became of it.

    Raises:
        StorageError: AWS did not answer; Lambda tries the event again.
    """
    rule, record = message["detection"], message["event"]["detail"]
    verdict, finding = wired().watch(context.invoked_function_arn).handle(rule, record, datetime.now(UTC))

    id_ = finding.id if finding else ""
    logger.info("judged", rule=rule, event_id=record.get("eventID"), verdict=verdict.value, finding_id=id_)
    metrics.add_metric(name="DetectionFindings", unit=MetricUnit.Count, value=verdict is Verdict.FOUND)
    return {"verdict": verdict.value, "findingId": id_}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # fail at the start when a setting or a rule is wrong
    wired()
