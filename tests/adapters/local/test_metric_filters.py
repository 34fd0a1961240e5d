"""Metric filters: what moto leaves undone, and with our correction, from a record to a topic."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from opentrail.local.transport import Clients
from tests.adapters.local.conftest import ACCOUNT, Notes, bodies, make_queue


def watch_failures(clients: Clients, **changes: Any) -> str:
    """A metric filter on a log group, an alarm on its metric, and a queue that hears of the alarm."""
    logs, sns = clients("logs"), clients("sns")
    logs.create_log_group(logGroupName="trail")
    logs.create_log_stream(logGroupName="trail", logStreamName="s")
    metric = {"metricName": "Failures", "metricNamespace": "Audit", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="trail",
        filterName="failures",
        filterPattern='{ $.errorCode = "*Denied*" }',
        metricTransformations=[{**metric, **changes}],
    )
    topic = sns.create_topic(Name="on-call")["TopicArn"]
    url, arn = make_queue(clients, "pager")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    clients("cloudwatch").put_metric_alarm(
        AlarmName="failures",
        Namespace="Audit",
        MetricName="Failures",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=2,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )
    return url


def log_records(clients: Clients, *codes: str) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": now, "message": json.dumps({"errorCode": code})} for code in codes]
    clients("logs").put_log_events(logGroupName="trail", logStreamName="s", logEvents=events)


def alarm_state(clients: Clients) -> str:
    (alarm,) = clients("cloudwatch").describe_alarms()["MetricAlarms"]
    return str(alarm["StateValue"])


def test_moto_counts_nothing_that_metric_filters_match(clients: Clients) -> None:
    url = watch_failures(clients)

    log_records(clients, "AccessDenied", "AccessDenied")

    assert (alarm_state(clients), bodies(clients, url)) == ("OK", [])


def test_metric_filters_count_and_alarms_tell_once(notes: Notes, clients: Clients) -> None:
    url = watch_failures(clients)

    log_records(clients, "AccessDenied", "NoSuchKey")
    before = alarm_state(clients)
    for _ in range(2):
        log_records(clients, "AccessDenied")

    (message,) = map(json.loads, bodies(clients, url))
    assert (before, alarm_state(clients)) == ("OK", "ALARM")
    told = {name: message[name] for name in ("AlarmName", "OldStateValue", "NewStateValue", "AWSAccountId")}
    assert told == {
        "AlarmName": "failures",
        "OldStateValue": "OK",
        "NewStateValue": "ALARM",
        "AWSAccountId": ACCOUNT,
    }
    assert "greater than or equal to the threshold (2" in message["NewStateReason"]


def test_a_metric_of_a_members_value_is_left_out_and_the_events_are_kept(
    notes: Notes, clients: Clients
) -> None:
    watch_failures(clients, metricValue="$.bytes")

    log_records(clients, "AccessDenied")

    assert clients("cloudwatch").list_metrics()["Metrics"] == []
    assert len(clients("logs").get_log_events(logGroupName="trail", logStreamName="s")["events"]) == 1
