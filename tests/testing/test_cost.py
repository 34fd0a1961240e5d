"""``opentrail cost`` beside the files it prices, on the line as it is deployed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from click.testing import CliRunner

from opentrail.adapters.aws.clients import client
from opentrail.cli.cost import command
from opentrail.testing.trail import LoggingTrail
from opentrail.testing.world import OpenTrail

DATA = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::things/"]}],
    }
]


def cost(*words: str) -> dict[str, Any]:
    client.cache_clear()
    answer: dict[str, Any] = json.loads(CliRunner().invoke(command, ["--json", *words]).output)
    client.cache_clear()
    return answer


def in_files(trail: LoggingTrail) -> Counter[str]:
    return Counter(event["eventCategory"] for event in trail.events())


def test_the_bill_is_of_what_lies_in_the_files(opentrail: OpenTrail) -> None:
    old = opentrail.trail("old", EventSelectors=DATA)
    new = opentrail.trail("new", EnableLogFileValidation=True)
    opentrail.client("s3").create_bucket(Bucket="things")
    for number in range(3):
        opentrail.client("iam").create_user(UserName=f"user-{number}")
        opentrail.client("s3").put_object(Bucket="things", Key=f"{number}", Body=b"")
    opentrail.flush(digest=True)

    readings = {reading["destination"]: reading for reading in cost()["readings"]}

    assert readings[old.arn]["first"] == in_files(old)["Management"] >= 4
    assert readings[old.arn]["data"] == in_files(old)["Data"] == 3
    assert readings[new.arn]["copies"] == in_files(new)["Management"] >= 4
    assert readings[new.arn]["data"] == in_files(new)["Data"] == 0
    for trail in (old, new):
        assert readings[trail.arn]["files"] == len(trail.log_files())
