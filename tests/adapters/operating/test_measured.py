"""What CloudWatch measured of a deployment's functions and tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.measured import measure
from opentrail.branches.cost import Measured

START = datetime(2026, 11, 2, tzinfo=UTC)
END = START + timedelta(days=3)
OUTPUTS = {
    "RecordFunctionName": "record-1A2B",
    "DigestFunctionName": "digest-3C4D",
    "ApiFunctionName": "api-5E6F",
    "LedgerTableName": "ledger-7G8H",
    "TrailsTableName": "trails-9I0J",
    "IntakeQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/intake",
}


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        client.cache_clear()
        yield
        client.cache_clear()


def put(namespace: str, metric: str, dimension: str, name: str, value: float, *, days: float = 0.5) -> None:
    """One point, so many days after the start."""
    point = {
        "MetricName": metric,
        "Dimensions": [{"Name": dimension, "Value": name}],
        "Timestamp": START + timedelta(days=days),
        "Value": value,
    }
    client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[point])


def run(name: str, milliseconds: float, *, days: float = 0.5) -> None:
    put("AWS/Lambda", "Invocations", "FunctionName", name, 1, days=days)
    put("AWS/Lambda", "Duration", "FunctionName", name, milliseconds, days=days)


def test_runs_and_their_time_at_the_memory_of_each_function() -> None:
    run("record-1A2B", 3000)
    run("record-1A2B", 1000, days=2.5)
    run("digest-3C4D", 4000)

    found = measure(client, OUTPUTS, START, END)

    assert (found.runs, found.gb_seconds) == (3, 4 * 1.0 + 4 * 0.5)


def test_units_of_all_tables() -> None:
    put("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "ledger-7G8H", 20)
    put("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "trails-9I0J", 5)
    put("AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", "trails-9I0J", 7)

    found = measure(client, OUTPUTS, START, END)

    assert (found.writes, found.reads) == (25, 7)


def test_what_was_before_and_after_is_left_out() -> None:
    run("record-1A2B", 1000, days=-0.5)
    run("record-1A2B", 1000, days=3.5)

    assert measure(client, OUTPUTS, START, END) == Measured()


def test_the_api_runs_for_requests_and_is_left_out() -> None:
    run("api-5E6F", 1000)

    assert measure(client, OUTPUTS, START, END) == Measured()


def test_a_deployment_without_functions_and_tables_is_not_asked_about() -> None:
    assert measure(client, {}, START, END) == Measured()
