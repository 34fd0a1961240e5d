"""The real aws-cli, ``opentrail lookup`` and ``opentrail tail`` against a real ``opentrail up``."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conformance.laptop.conftest import BIN, CALLER, Laptop, environment
from tests.support.records import REGION

pytestmark = pytest.mark.usefixtures("laptop")


def test_a_call_is_found_right_after_it(laptop: Laptop) -> None:
    assert laptop.run("aws", "iam create-user --user-name ada").returncode == 0

    done = laptop.run(
        "aws", "cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=ada"
    )

    (event,) = json.loads(done.stdout)["Events"]
    assert (event["EventName"], event["Username"], event["ReadOnly"]) == ("CreateUser", "root", "false")
    assert event["Resources"][0] == {"ResourceType": "AWS::IAM::User", "ResourceName": "ada"}
    assert json.loads(event["CloudTrailEvent"])["requestParameters"] == {"userName": "ada"}


def test_the_clis_own_paging(laptop: Laptop) -> None:
    for number in range(5):
        laptop.client("iam").create_group(GroupName=f"group{number}")
    find = "cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateGroup"

    first = json.loads(laptop.run("aws", f"{find} --max-items 3 --page-size 2").stdout)
    rest = json.loads(laptop.run("aws", f"{find} --starting-token {first['NextToken']}").stdout)

    names = [event["Resources"][0]["ResourceName"] for event in first["Events"] + rest["Events"]]
    assert names == [f"group{number}" for number in (4, 3, 2, 1, 0)]


def test_each_region_has_its_own(laptop: Laptop) -> None:
    assert laptop.run("aws", "sns create-topic --name news --region eu-west-1").returncode == 0
    find = "cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateTopic"

    found = [json.loads(laptop.run("aws", f"{find} --region {r}").stdout) for r in ("eu-west-1", REGION)]

    assert [len(answer["Events"]) for answer in found] == [1, 0]


def test_filters_combine(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    iam.create_role(RoleName="one", AssumeRolePolicyDocument="{}")
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="one", AssumeRolePolicyDocument="{}")

    done = laptop.run(
        "opentrail", "lookup --source iam --name 'Create*' --resource one --errors --output csv --since 1h"
    )

    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["eventName"], row["errorCode"]) == ("CreateRole", "EntityAlreadyExistsException")


def test_the_table_and_the_json(laptop: Laptop) -> None:
    laptop.client("s3").create_bucket(Bucket="shown-here")

    table = laptop.run("opentrail", "lookup --name CreateBucket --resource shown-*").stdout
    (event,) = json.loads(
        laptop.run("opentrail", "lookup --name CreateBucket --resource shown-here --output json").stdout
    )

    head, row = table.splitlines()
    assert head.split() == ["TIME", "WHO", "SOURCE", "NAME", "REGION", "RESOURCE", "ERROR"]
    assert row.split()[1:] == ["root", "s3", "CreateBucket", REGION, "shown-here"]
    assert event["CloudTrailEvent"]["requestParameters"]["bucketName"] == "shown-here"


def test_tail_shows_each_call_as_it_comes_and_ends_cleanly(laptop: Laptop) -> None:
    # --since, because the first call may be made before the process has started.
    with tailing(laptop, "--since", "5m", "--resource", "grace") as lines:
        iam = laptop.client("iam")
        iam.create_user(UserName="grace")
        shown = [next(lines)]
        iam.get_user(UserName="grace")
        shown.append(next(lines))
        with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
            iam.create_user(UserName="grace")
        shown.append(next(lines))

    assert [re.sub(r"^\S+  ", "", line.rstrip()) for line in shown] == [
        f"root  iam CreateUser  {REGION}  grace",
        f"root  iam GetUser  {REGION}  grace",
        f"root  iam CreateUser  {REGION}  grace  EntityAlreadyExistsException: User grace already exists",
    ]


def test_nothing_there_is_an_exit_code_of_its_own() -> None:
    nowhere = Laptop("http://127.0.0.1:9")

    for command in ("lookup", "tail"):
        done = nowhere.run("opentrail", command)
        assert done.returncode == 2
        assert "opentrail up" in done.stderr


def test_a_refusal_says_why(laptop: Laptop) -> None:
    done = laptop.run("opentrail", "lookup --insights --since 2026-01-02 --until 2026-01-01")

    assert (done.returncode, done.stderr) == (
        1,
        "Error: LookupEvents: The start time must not be after the end time.\n",
    )


@contextmanager
def tailing(laptop: Laptop, *options: str) -> Iterator[Iterator[str]]:
    """``opentrail tail`` from now on, until the block ends; it must then end at Ctrl-C, with 0."""
    ours = {"AWS_ENDPOINT_URL": laptop.endpoint, "AWS_DEFAULT_REGION": REGION, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [BIN / "opentrail", "tail", "--interval", "0.2", *options],
        env=environment(**ours, **CALLER),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield iter(process.stdout.readline, "")
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


def test_the_history_of_a_resource_joins_calls_and_config(laptop: Laptop) -> None:
    laptop.client("s3").create_bucket(Bucket="looked-after")

    table = laptop.run("opentrail", "resource-history arn:aws:s3:::looked-after").stdout
    (step,) = json.loads(laptop.run("opentrail", "resource-history arn:aws:s3:::looked-after --json").stdout)[
        "steps"
    ]

    config, call, note = table.splitlines()
    assert config.split()[1:] == ["AWS", "Config:", "ResourceDiscovered,", "the", "oldest", "known"]
    assert call.split()[1:] == ["root", "s3", "CreateBucket"]
    assert note == "AWS Config has one configuration: nothing to compare it with."
    assert [call["eventName"] for call in step["calls"]] == ["CreateBucket"]
    assert step["state"]["configuration"]["name"] == "looked-after"


def test_the_history_of_a_resource_says_so_where_config_has_nothing(laptop: Laptop) -> None:
    laptop.client("iam").create_user(UserName="eve")

    done = laptop.run("opentrail", "resource-history arn:aws:iam::123456789012:user/eve")

    call, note = done.stdout.splitlines()
    assert call.split()[1:] == ["root", "iam", "CreateUser"]
    assert note == "AWS Config has no configuration of this AWS::IAM::User: not recorded here, or not yet."
