"""Schedule -> the last day's digests and log files of every trail, proven, and a report of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.anchor import DynamoAnchor
from opentrail.adapters.aws.audit_ledger import LedgerKeys, S3Retention
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.adapters.aws.reports import Reports
from opentrail.adapters.aws.signing_keys import SigningKeys, signing_keys
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.errors import StorageError
from opentrail.model.report import Finding
from opentrail.pipeline.validate import Evidence, Span, prove
from opentrail.pipeline.validate.retention import check_retention
from opentrail.pipeline.validate.rounds import (
    Outcome,
    Verdict,
    behind_findings,
    due_chains,
    judge,
    unchecked,
)
from opentrail.settings import ValidateSettings

logger = Logger(service="validate")
metrics = Metrics(namespace="OpenTrail", service="validate")

# The largest chain may take minutes; one that is begun with less left might not end.
SPARE_MILLISECONDS = 120_000
LONGEST_HOURS = 90 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """The validate function's parts. It reads, and publishes what it found."""

    settings: ValidateSettings
    ledger: DynamoLedger
    anchor: DynamoAnchor
    trails: DynamoTrails
    signing_keys: SigningKeys
    archive: AuditSource
    retention: S3Retention
    reports: Reports

    def run(self, now: datetime, *, hours: int, has_time: Callable[[], bool]) -> list[Verdict]:
        """A verdict on every chain, published."""
        anchored = self.anchor.newest()  # before the ledger, which is never behind what was read here
        chains = self.ledger.chains()
        due = due_chains(chains, self.trails.all_trails(), anchored=anchored, now=now, hours=hours)
        keys = LedgerKeys(self.signing_keys, now)
        verdicts = [
            self._judge(span, evidence, keys, behind_findings(chains, anchored, span.chain_id))
            if has_time()
            else unchecked(span, "there was no time left")
            for span, evidence in due
        ]
        self.reports.publish(verdicts)
        return verdicts

    def _judge(self, span: Span, evidence: Evidence, keys: LedgerKeys, behind: list[Finding]) -> Verdict:
        mode, days = self.settings.lock_mode, self.settings.lock_days
        try:
            heads = tuple(self.anchor.heads(span.chain_id, span.start, span.end))
            report = prove(self.archive, keys, span, evidence=replace(evidence, anchored=heads))
            unlocked = check_retention(self.retention, span, mode=mode, days=days) if mode else ()
            return judge(span, report, [*behind, *unlocked])
        except StorageError as error:
            return unchecked(span, str(error))


def build(settings: ValidateSettings, clients: Any = client) -> Validator:
    """Wire the function. ``clients`` answers a client for a service name."""
    return Validator(
        settings=settings,
        ledger=DynamoLedger(clients("dynamodb"), settings.ledger_table),
        anchor=DynamoAnchor(clients("dynamodb"), settings.anchor_table),
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        signing_keys=signing_keys(
            clients("dynamodb"),
            clients("kms"),
            table=settings.ledger_table,
            first_key_id=settings.signing_key_id,
        ),
        archive=AuditSource(clients("s3"), None),
        retention=S3Retention(clients("s3")),
        reports=Reports(clients("events"), clients("sns"), settings.report_topic_arn),
    )


@cache
def wired() -> Validator:
    """Read settings and open clients, once per container."""
    return build(ValidateSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Prove what the last hours brought. ``{"hours": 168}`` goes back further."""
    asked, validator = event.get("hours"), wired()
    hours = min(asked, LONGEST_HOURS) if isinstance(asked, int) and asked > 0 else validator.settings.hours
    verdicts = validator.run(
        datetime.now(UTC),
        hours=hours,
        has_time=lambda: context.get_remaining_time_in_millis() >= SPARE_MILLISECONDS,
    )

    counts = {outcome: sum(v.outcome is outcome for v in verdicts) for outcome in Outcome}
    findings = sum(verdict.finding_count for verdict in verdicts)
    for verdict in verdicts:
        if verdict.outcome is not Outcome.PROVEN:
            logger.error(
                "not proven",
                trail=verdict.trail_arn,
                place=f"{verdict.account} {verdict.region}",
                findings=[str(finding) for finding in verdict.findings],
                reason=verdict.reason,
            )
    logger.info("validated", chains={str(outcome): count for outcome, count in counts.items()})
    metrics.add_metric(name="ValidationFindings", unit=MetricUnit.Count, value=findings)
    metrics.add_metric(name="ValidationUnchecked", unit=MetricUnit.Count, value=counts[Outcome.UNCHECKED])
    return {
        "proven": counts[Outcome.PROVEN],
        "with_findings": counts[Outcome.FINDINGS],
        "unchecked": counts[Outcome.UNCHECKED],
        "findings": findings,
    }


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
