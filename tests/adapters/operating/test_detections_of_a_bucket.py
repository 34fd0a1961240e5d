"""``opentrail detections test RULES s3://...``: rules over what was delivered before."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from opentrail.adapters.aws.clients import client
from opentrail.cli.detections import command
from tests.support.records import make_record
from tests.unit.detections.rules import rule

FOLDER = "central/AWSLogs/o-abcdefghij/{account}/CloudTrail/{region}/2026/01/{day:02}/"
NAME = "{account}_CloudTrail_{region}_202601{day:02}T1200Z_abcdefABCDEF{number:04}.json.gz"


@pytest.fixture
def bucket() -> Iterator[str]:
    """A bucket in the layout of an organization's trail: stops on three days, in two accounts."""
    with mock_aws():
        client.cache_clear()
        client("s3").create_bucket(Bucket="trail-logs")
        put(1, "111111111111", "us-east-1", ["StopLogging", "ListUsers"])
        put(2, "222222222222", "eu-west-1", ["StopLogging"])
        put(3, "222222222222", "eu-west-1", ["StopLogging"])
        client("s3").put_object(Bucket="trail-logs", Key="central/notes.json", Body=b"[]")
        yield "trail-logs"
        client.cache_clear()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """One rule, for StopLogging."""
    items = {"selection": {"eventName": "StopLogging"}, "condition": "selection"}
    (tmp_path / "stop.yml").write_text(json.dumps(rule(items, level="high")))
    return tmp_path / "stop.yml"


def put(day: int, account: str, region: str, names: list[str]) -> None:
    records: list[Any] = [make_record(eventName=n, eventID=f"{day}-{n}") for n in names]
    key = (FOLDER + NAME).format(account=account, region=region, day=day, number=day)
    body = gzip.compress(json.dumps({"Records": records}).encode())
    client("s3").put_object(Bucket="trail-logs", Key=key, Body=body)


def run(*words: object) -> Result:
    return CliRunner().invoke(command, ["test", *map(str, words)])


def test_every_account_and_region_below_the_prefix_is_read(bucket: str, rules: Path) -> None:
    result = run(rules, f"s3://{bucket}")

    assert result.output.splitlines()[-1] == "3 findings in 4 records"
    assert result.exit_code == 0


def test_a_prefix_and_times_narrow_it(bucket: str, rules: Path) -> None:
    found = run(
        *(rules, f"s3://{bucket}/central/AWSLogs/o-abcdefghij/222222222222/"),
        *("--from", "2026-01-02", "--to", "2026-01-02T23:00Z", "--json"),
    )

    assert [json.loads(line)["record"]["eventID"] for line in found.output.splitlines()] == ["2-StopLogging"]


def test_a_file_that_is_no_log_file_is_named(bucket: str, rules: Path) -> None:
    key = (FOLDER + NAME).format(account="111111111111", region="us-east-1", day=9, number=9)
    client("s3").put_object(Bucket=bucket, Key=key, Body=b"\x1f\x8bnot gzip")

    result = run(rules, f"s3://{bucket}")

    assert result.exit_code == 2
    assert f"s3://{bucket}/{key}" in result.output


def test_a_bucket_that_is_not_there(bucket: str, rules: Path) -> None:
    result = run(rules, "s3://elsewhere-logs")

    assert result.exit_code == 2
    assert "NoSuchBucket" in result.output


def test_what_is_no_place_is_refused(rules: Path) -> None:
    assert "is not s3://BUCKET" in run(rules, "s3://").output
    assert "does not exist" in run(rules, "nowhere.json").output
