"""Event of the default bus -> decision of one playbook; ``{"undo": ID}`` -> an earlier fix is put back."""

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
from opentrail.adapters.aws.cloud import AnyApi
from opentrail.adapters.aws.own_events import OwnEvents
from opentrail.adapters.aws.remediation import DecisionLine, DynamoRemediation
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.branches.remediation import Decision, Engine, Guard
from opentrail.branches.remediation.catalog import find
from opentrail.branches.remediation.decision import METRICS, describe
from opentrail.branches.remediation.guard import read_modes
from opentrail.errors import StorageError
from opentrail.model.event import Place
from opentrail.settings import RemediationSettings

logger = Logger(service="remediation")
metrics = Metrics(namespace="OpenTrail", service="remediation")

USER_PLAYBOOKS = Path(__file__).with_name("user_playbooks")  # put there at deployment


@dataclass(frozen=True, slots=True)
class Remediator:
    """The function's parts. Account and Region are those of the function itself."""

    settings: RemediationSettings
    clients: Any

    def engine(self, function_arn: str) -> Engine:
        """Arm the playbook where the function ``function_arn`` runs."""
        settings, clients = self.settings, self.clients
        region, account = function_arn.split(":")[3:5]
        state = DynamoRemediation(
            clients("dynamodb"),
            settings.state_table,
            lease_seconds=settings.lease_seconds,
            keep_days=settings.keep_days,
        )
        intake = SqsQueue(clients("sqs"), settings.intake_queue_url)
        return Engine(
            playbook=find(settings.playbook, USER_PLAYBOOKS),
            guard=Guard(
                mode=settings.mode,
                modes=read_modes(settings.remediation_modes),
                own_roles=settings.own_roles,
                break_glass=settings.break_glass,
                exempt=settings.exempt,
            ),
            cloud=AnyApi(clients),
            claims=state,
            limits=state,
            undo_log=state,
            reports=DecisionLine(OwnEvents(intake, clients("events"), Place(account, region))),
            account=account,
            region=region,
            acts_per_hour=settings.acts_per_hour,
            acts_per_resource=settings.acts_per_resource,
        )


def build(settings: RemediationSettings, clients: Any = client) -> Remediator:
    """Wire the function. ``clients`` answers a client for a service name."""
    return Remediator(settings, clients)


@cache
def wired() -> Remediator:
    """Read settings, once per container."""
    return build(RemediationSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Decide about one event, or undo one decision; answer the decision.

    Raises:
        StorageError: AWS did not answer; Lambda tries the event again.
    """
    engine = wired().engine(context.invoked_function_arn)
    now = datetime.now(UTC)

    if "undo" in event:
        decision = engine.undo(str(event["undo"]), str(event.get("by", "")), now)
    else:
        decision = engine.handle(event["detail"], now)

    _note(decision)
    if decision.transient:
        raise StorageError(f"{decision.playbook}: {decision.reason}")
    return describe(decision)


def _note(decision: Decision) -> None:
    logger.info("decided", **describe(decision))
    metrics.add_metric(name=METRICS[decision.outcome], unit=MetricUnit.Count, value=1)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # fail at the start when a setting is wrong
    wired()
