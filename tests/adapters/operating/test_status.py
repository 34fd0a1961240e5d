"""``opentrail status`` of a deployment in AWS."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from opentrail.adapters.aws.clients import client
from opentrail.cli.status import command
from tests.adapters.operating.conftest import give_up


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def status(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_all_is_well(queues: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=queues["Intake"], MessageBody="on its way")

    shown = status()

    assert [line.split() for line in shown.output.splitlines()] == [
        ["ok", "stack", "OpenTrailPipeline", "CREATE_COMPLETE"],
        ["ok", "queue", "Intake", "1", "waiting,", "0", "in", "flight,", "0", "given", "up"],
        ["ok", "queue", "Delivery", "0", "waiting,", "0", "in", "flight,", "0", "given", "up"],
        ["ok", "alarms", "none"],
    ]
    assert shown.exit_code == 0


def test_what_was_given_up_is_not_well(queues: dict[str, str]) -> None:
    give_up(queues, "{", "record is not JSON")

    shown = status()

    assert "BAD queue Intake                      0 waiting, 0 in flight, 1 given up" in shown.output
    assert shown.exit_code == 1


def test_an_alarm_that_rings_is_named(queues: dict[str, str]) -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName="OpenTrailPipeline-DigestsFailed",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="DigestsFailed",
        Namespace="OpenTrail",
        Period=300,
        Statistic="Sum",
        Threshold=0,
    )
    client("cloudwatch").set_alarm_state(
        AlarmName="OpenTrailPipeline-DigestsFailed", StateValue="ALARM", StateReason="test"
    )

    shown = status()

    assert "OpenTrailPipeline-DigestsFailed" in shown.output
    assert shown.exit_code == 1


def test_no_deployment() -> None:
    with mock_aws():
        client.cache_clear()

        shown = status()

    assert shown.exit_code == 2
