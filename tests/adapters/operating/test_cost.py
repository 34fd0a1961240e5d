"""``opentrail cost`` of a deployment: what its ledger metered, priced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.usage import DynamoUsage
from opentrail.cli.cost import command
from opentrail.model.log_file import HISTORY
from opentrail.model.usage import Reading, Usage
from tests.support.values import HOME, make_trail

TODAY = datetime.now(UTC).date().isoformat()
FIRST, SECOND = make_trail(name="first").arn, make_trail(name="second").arn
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    },
}


@pytest.fixture
def meter() -> Iterator[DynamoUsage]:
    """The ledger of a deployment whose storage stack is in moto."""
    with mock_aws():
        client.cache_clear()
        template = {
            "Resources": {"Ledger": TABLE},
            "Outputs": {
                "LedgerTableName": {"Value": {"Ref": "Ledger"}},
                "EncryptionKeyArn": {"Value": "arn:aws:kms:us-east-1:123456789012:key/k"},
            },
        }
        formation = client("cloudformation")
        formation.create_stack(StackName="OpenTrailStorage", TemplateBody=json.dumps(template))
        outputs = formation.describe_stacks(StackName="OpenTrailStorage")["Stacks"][0]["Outputs"]
        (table,) = (o["OutputValue"] for o in outputs if o["OutputKey"] == "LedgerTableName")
        yield DynamoUsage(client("dynamodb"), table)
        client.cache_clear()


def deliver(meter: DynamoUsage, **usages: Usage) -> None:
    """Let today be summed with these."""
    names = {"first": FIRST, "second": SECOND, "history": HISTORY}
    meter.put_day(
        TODAY,
        [Reading(day=TODAY, destination=names[n], place=HOME, usage=usage) for n, usage in usages.items()],
    )


def cost(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def as_json(*words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(cost("--json", *words).output)
    return answer


def test_both_bills_and_the_largest_driver(meter: DynamoUsage) -> None:
    deliver(
        meter,
        first=Usage(first=100_000, data=50_000, arrived=150_000, events=150_000, files=10, bytes=1000),
        second=Usage(copies=100_000, events=100_000, files=10, bytes=1000),
        history=Usage(events=100_000, files=10, bytes=1000),
    )

    shown = cost()

    assert shown.exit_code == 0
    words = " ".join(shown.output.split())
    assert "│ first │ 100,000 │ 0 │ 50,000 │ 10 │ 1,000 │" in words
    assert "│ second │ 0 │ 100,000 │ 0 │ 10 │ 1,000 │" in words
    assert "│ management events, more copies │ 100,000 │ events │ $2.00 │" in words
    assert "│ data events │ 50,000 │ events │ $0.050000 │" in words
    assert "CloudTrail would charge $2.05; this deployment costs $0." in words
    assert "Largest driver: SQS requests, $0.07" in words  # 1.2 requests for each of 150,000 events


def test_units_that_cloudwatch_measured_go_before_the_models(meter: DynamoUsage) -> None:
    deliver(meter, first=Usage(first=5, events=5))
    point = {
        "MetricName": "ConsumedWriteCapacityUnits",
        "Dimensions": [{"Name": "TableName", "Value": client("dynamodb").list_tables()["TableNames"][0]}],
        "Value": 8_000_000,
    }
    client("cloudwatch").put_metric_data(Namespace="AWS/DynamoDB", MetricData=[point])

    words = " ".join(cost().output.split())

    assert "│ DynamoDB writes │ 8,000,000 │ units, measured │ $5.00 │" in words
    assert "Largest driver: DynamoDB writes, $5.00" in words


def test_one_trail_alone(meter: DynamoUsage) -> None:
    deliver(meter, first=Usage(first=5, events=5), second=Usage(copies=3, events=3))

    bill = as_json("--trail", "second")

    assert [(r["destination"], r["copies"]) for r in bill["readings"]] == [(SECOND, 3)]
    assert bill["deployment"] == {"dollars": 0, "largest": None, "lines": []}


def test_readings_name_day_account_and_region(meter: DynamoUsage) -> None:
    deliver(meter, first=Usage(first=5, events=5))

    (reading,) = as_json()["readings"]

    assert reading == {
        "day": TODAY,
        "destination": FIRST,
        "account": HOME.account,
        "region": HOME.region,
        **dict.fromkeys(Usage.__struct_fields__, 0),
        "first": 5,
        "events": 5,
    }


def test_days_out_of_range_are_left_out(meter: DynamoUsage) -> None:
    deliver(meter, first=Usage(first=5, events=5))

    assert as_json("--from", "2020-01-01", "--to", "2020-12-31")["readings"] == []


@pytest.mark.usefixtures("meter")
def test_a_trail_that_delivered_nothing_is_not_priced_at_nothing() -> None:
    shown = cost("--trail", "mian")

    assert shown.exit_code == 1
    assert "trail mian delivered nothing in that time; no trail did" in shown.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-13-01"), "does not match the format"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from 2026-02-01 is after --to 2026-01-01"),
        (("--from", "2999-01-01", "--to", "2999-01-02"), "2999-01-01 is still to come"),
        (("--places", "3"), "--places goes with --estimate"),
        (("--estimate", "--trail", "main"), "--trail does not go with --estimate"),
        (("--estimate", "--data-share", "2"), "2.0 is not in the range 0<=x<=1"),
        (("--estimate", "--events-per-month", "many"), "'many' is not a valid float"),
        (("--glacier-days", "30", "--deep-archive-days", "100"), "at least 90 days after --glacier-days"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], said: str) -> None:
    shown = cost(*words)

    assert (shown.exit_code, said in shown.output) == (2, True)


def test_without_a_deployment_there_is_nothing_to_price() -> None:
    with mock_aws():
        client.cache_clear()

        shown = cost()

        client.cache_clear()
    assert (shown.exit_code, shown.output) == (
        2,
        "Error: no stack OpenTrailStorage in this account and Region\n",
    )


def test_an_estimate_asks_nobody() -> None:
    """AWS's example: two copies of 150,000 management events, and 2,000,000 data events."""
    options = ["--events-per-month", "2150000", "--data-share", str(2_000_000 / 2_150_000), "--trails", "2"]

    bill = as_json("--estimate", *options)

    lines = {line["name"]: line["dollars"] for line in bill["cloudtrail"]["lines"]}
    assert lines["management events, more copies"] == pytest.approx(3.0)
    assert lines["data events"] == pytest.approx(2.0)
