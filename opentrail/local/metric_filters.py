"""Log events -> metrics of the metric filters they match -> alarms -> topics, as CloudWatch does.

Instead of moto because it keeps filters, metrics and alarms, and connects none of them. Alarms
are judged when a log event counted, and only those of a filter's metric: a sum over one period
against a threshold. That is what alarms on trails are.

Source: CloudWatch Logs user guide, "Creating metrics from log events using filters"; CloudWatch
user guide, "Using Amazon CloudWatch alarms", "Amazon SNS notification" (the message).
"""

from __future__ import annotations

import json
import logging
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from opentrail.errors import FormatError
from opentrail.format.times import to_iso
from opentrail.local.backends import existing
from opentrail.local.filter_patterns import compile_filter

log = logging.getLogger(__name__)

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def count_matches(logs: Any, group: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Publish what the metric filters of ``group`` count in new events, and judge the alarms on it.

    Never raises: the events are stored, and that is what their sender asked for.

    Args:
        logs: moto's backend of CloudWatch Logs.
        group: the log group's name.
        events: as PutLogEvents took them.
    """
    texts = [str(event["message"]) for event in events]
    for one in logs.filters.get_matching_filters(log_group_name=group):
        try:
            number = sum(map(compile_filter(one["filterPattern"]), texts))
        except FormatError as error:
            log.warning("metric filter %s counts nothing: %s", one["filterName"], error)
            continue
        for transformation in one["metricTransformations"] if number else ():
            _publish(logs.account_id, logs.region_name, transformation, number)


def _publish(account: str, region: str, transformation: Mapping[str, Any], number: int) -> None:
    from moto.cloudwatch.models import cloudwatch_backends

    namespace, name = transformation["metricNamespace"], transformation["metricName"]
    try:
        value = float(transformation["metricValue"])
    except ValueError:  # "$.bytes": the value of a member of each event
        log.warning("metric %s is left out: only numbers are counted here", name)
        return
    cloudwatch = cloudwatch_backends[account][region]
    data = [{"MetricName": name, "Value": value * number}]
    cloudwatch.put_metric_data(namespace, data)
    for alarm in list(cloudwatch.alarms.values()):
        if (alarm.namespace, alarm.metric_name, alarm.dimensions) == (namespace, name, []):
            _judge(cloudwatch, alarm, account, region, datetime.now(UTC))


def _judge(cloudwatch: Any, alarm: Any, account: str, region: str, now: datetime) -> None:
    """Bring an alarm to its state; on the way to ALARM its topics hear of it."""
    compare = _COMPARISONS.get(alarm.comparison_operator)
    if alarm.statistic != "Sum" or int(alarm.evaluation_periods) != 1 or compare is None:
        log.warning("alarm %s is not judged: only sums over one period are", alarm.name)
        return
    since = now - timedelta(seconds=int(alarm.period))
    values = [
        datum.value
        for datum in list(cloudwatch.metric_data)
        if (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name)
        and _utc(datum.timestamp) > since
    ]
    # Alarms go back to OK unseen, for nothing asks before the next datum.
    if not compare(sum(values), float(alarm.threshold)):
        if alarm.state_value == "ALARM":
            alarm.update_state("Threshold not crossed", "{}", "OK")
        return
    quiet = len(values) == 1
    if alarm.state_value == "ALARM" and not quiet:
        return
    before = "OK" if quiet else alarm.state_value
    reason = (
        f"Threshold Crossed: 1 datapoint [{sum(values)} ({now:%d/%m/%y %H:%M:%S})] was "
        f"{_spelled(alarm.comparison_operator)} the threshold ({alarm.threshold})."
    )
    alarm.update_state(reason, "{}", "ALARM")
    if alarm.actions_enabled:
        message = _message(alarm, account, region, before, reason, now)
        for topic in alarm.alarm_actions:
            _tell(topic, f'ALARM: "{alarm.name}" in {region}', message)


def _message(alarm: Any, account: str, region: str, before: str, reason: str, now: datetime) -> str:
    return json.dumps(
        {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": account,
            "NewStateValue": "ALARM",
            "NewStateReason": reason,
            "StateChangeTime": to_iso(now),
            "Region": region,
            "AlarmArn": alarm.alarm_arn,
            "OldStateValue": before,
            "Trigger": {
                "MetricName": alarm.metric_name,
                "Namespace": alarm.namespace,
                "Statistic": alarm.statistic,
                "Period": int(alarm.period),
                "EvaluationPeriods": int(alarm.evaluation_periods),
                "ComparisonOperator": alarm.comparison_operator,
                "Threshold": float(alarm.threshold),
            },
        }
    )


def _tell(topic_arn: str, subject: str, message: str) -> None:
    from moto.sns.models import sns_backends

    if topic_arn.split(":")[2] != "sns":
        log.warning("alarm action %s is left out: only topics are told here", topic_arn)
        return
    _, _, _, region, account, _ = topic_arn.split(":", 5)
    sns = existing(sns_backends, account, region)
    topic = sns.topics.get(topic_arn) if sns else None
    if topic is None:
        log.warning("alarm action %s: no such topic", topic_arn)
        return
    topic.publish(message, subject=subject[:100])  # SNS API, Publish: at most 100 characters


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _spelled(comparison: str) -> str:
    """``greater than or equal to``, as the reason of a state says it."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in comparison)
    return words.strip().removesuffix(" threshold")
