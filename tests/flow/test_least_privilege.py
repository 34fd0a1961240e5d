"""Each deployed function under its own role: enough, nothing to spare, and nobody else in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.format.log_file import build_log_file
from opentrail.format.times import to_iso
from opentrail.local.functions import find_function
from opentrail.local.iam.policy import listed
from opentrail.local.runtime import Options
from opentrail.testing.world import OpenTrail, opened
from tests.flow.everyday import find_a_burst, roll_up_tomorrow, use_api, verify
from tests.support.judged import Judged, judging
from tests.support.records import envelope, make_record, to_bytes

STAGES = ("record", "deliver", "digest", "ingest", "insights", "rollup", "rotate", "validate", "api")

# What the platform does in a function's name; the laptop's stand-ins for it ask nobody.
PLATFORM = frozenset(
    {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
)
# What an ordinary day does not need: the function and a statement's actions -> when it is needed.
RARE = {
    ("deliver", "s3:ListBucket"): "a file that a crash left undecided",
    ("digest", "s3:ListBucket"): "a file that a crash left undecided",
    ("ingest", "s3:ListBucket"): "a file that is gone",
    ("record", "s3:ListBucket"): "a segment that is gone",
    ("api", "s3:ListBucket"): "a segment that is gone",
}


HOURS_OLD = make_record(eventID="late", eventTime=to_iso(datetime.now(UTC) - timedelta(hours=3)))


@dataclass(frozen=True)
class Day:
    """An ordinary day of an installation, and every request of it."""

    world: OpenTrail
    judged: list[Judged]
    counts: dict[str, int]

    def by(self, stage: str) -> list[Judged]:
        """Return the requests of one function."""
        return [one for one in self.judged if one.is_by(role(stage))]


def role(stage: str) -> str:
    return f"OpenTrail-{stage}-us-east-1"


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    """Return the day: calls, files, two digests with a rotation between them, a look-back."""
    with judging() as judged, opened(Options(iam=True, ingest=True)) as world:
        world.trail("main", S3BucketName=world.runtime.outputs["LogBucketName"])
        world.client("cloudtrail").put_insight_selectors(
            TrailName="main", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}]
        )
        world.client("iam").create_user(UserName="alice")
        world.flush(digest=True)
        put_source_files(world)
        world.flush()
        send_late_event(world)
        verify(world)
        use_api(world)
        put_source_files(world)  # now that there are trails of an organization
        invoke(world, "Rotate", {"rotate": True})
        world.client("iam").create_user(UserName="bob")
        counts = world.flush(digest=True)
        invoke(world, "Insights", {})
        invoke(world, "Rollup", {})
        roll_up_tomorrow(world)
        find_a_burst(world)
        yield Day(world, judged, counts)


def put_source_files(world: OpenTrail) -> None:
    """What CloudTrail wrote: one file of events that history has or that are old, and one that is none."""
    (known,) = world.events("CreateUser")
    folder = f"AWSLogs/{world.account}/CloudTrail/{world.region}/2026/01/10/{world.account}_CloudTrail"
    for number, records in enumerate(((known, HOURS_OLD), ({}, {}))):
        world.client("s3").put_object(
            Bucket=world.runtime.outputs["SourceBucketName"],
            Key=f"{folder}_{world.region}_20260110T0420Z_{number:016d}.json.gz",
            Body=build_log_file(map(to_bytes, records))[1],
        )


def send_late_event(world: OpenTrail) -> None:
    """What EventBridge brings late, after a file has brought it."""
    world.client("sqs").send_message(
        QueueUrl=world.runtime.outputs["IntakeQueueUrl"], MessageBody=envelope(to_bytes(HOURS_OLD))
    )


def invoke(world: OpenTrail, name: str, event: dict[str, Any]) -> None:
    """Run one function; it must not fail."""
    function = find_function(
        world.runtime.outputs[f"{name}FunctionName"], account=world.account, region=world.region
    )
    answer = world.runtime.functions.invoke(function, json.dumps(event).encode())
    assert not answer.error, answer.payload


def statements(day: Day, stage: str) -> list[dict[str, Any]]:
    """Return what the role of a function was given."""
    iam = day.world.client("iam")
    (name,) = iam.list_role_policies(RoleName=role(stage))["PolicyNames"]
    document = iam.get_role_policy(RoleName=role(stage), PolicyName=name)["PolicyDocument"]
    return list(document["Statement"])


def test_the_day_goes_well(day: Day) -> None:
    assert (day.counts["failed"], day.counts["digests"]) == (0, 1)


@pytest.mark.parametrize("stage", STAGES)
def test_the_role_is_enough(day: Day, stage: str) -> None:
    denied = [(one.request.action, one.request.resource) for one in day.by(stage) if one.verdict()]

    assert day.by(stage)
    assert denied == []


@pytest.mark.parametrize("stage", STAGES)
def test_no_statement_can_be_taken_away(day: Day, stage: str) -> None:
    spare = []
    for statement in statements(day, stage):
        actions = listed(statement["Action"])
        expected = set(actions) <= PLATFORM or (stage, " ".join(actions)) in RARE
        if not expected and not any(one.without(statement) for one in day.by(stage)):
            spare.append(statement)

    assert spare == []


def test_what_is_listed_as_rare_is_rare(day: Day) -> None:
    spare = {
        (stage, " ".join(listed(statement["Action"])))
        for stage in STAGES
        for statement in statements(day, stage)
        if not any(one.without(statement) for one in day.by(stage))
    }

    assert set(RARE) - spare == set()


@pytest.mark.parametrize("stage", STAGES)
def test_no_statement_is_about_all_actions(day: Day, stage: str) -> None:
    actions = [action for one in statements(day, stage) for action in listed(one["Action"])]

    assert [action for action in actions if "*" in action] == []


@pytest.mark.parametrize(
    ("stage", "action", "outcome"),
    [
        ("record", "sqs:SendMessage", "failed"),
        ("deliver", "s3:PutObject", "failed"),
        ("digest", "kms:Sign", "digests"),
        ("digest", "anchor", "digests"),
    ],
)
def test_the_line_stops_where_a_permission_is_missing(
    day: Day, stage: str, action: str, outcome: str
) -> None:
    world, iam = day.world, day.world.client("iam")
    kept = statements(day, stage)
    (name,) = iam.list_role_policies(RoleName=role(stage))["PolicyNames"]

    def give(held: list[dict[str, Any]]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": held})
        with world.runtime.unrecorded():
            iam.put_role_policy(RoleName=role(stage), PolicyName=name, PolicyDocument=document)

    anchor = world.runtime.outputs["AnchorTableName"]
    give(
        [
            one
            for one in kept
            if action not in listed(one["Action"])
            and not (action == "anchor" and str(one["Resource"]).endswith(anchor))
        ]
    )
    iam.create_group(GroupName=f"without-{action.replace(':', '-')}")
    broken = world.flush(digest=outcome == "digests")
    give(kept)
    repaired = world.flush(digest=True)

    assert broken[outcome] == 0 if outcome == "digests" else broken[outcome] > 0
    # What could not be anchored was decided, and is carried out before the next one.
    assert repaired["digests"] == (2 if action == "anchor" else 1)


@pytest.fixture
def administrator(day: Day) -> Iterator[Any]:
    """Return the clients of a user who may do everything that IAM gives."""
    iam = day.world.client("iam")
    iam.create_user(UserName="administrator")
    iam.attach_user_policy(UserName="administrator", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    credentials = iam.create_access_key(UserName="administrator")["AccessKey"]
    yield lambda service: day.world.client(service, credentials=credentials)
    iam.delete_access_key(UserName="administrator", AccessKeyId=credentials["AccessKeyId"])
    iam.detach_user_policy(UserName="administrator", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.delete_user(UserName="administrator")


@pytest.mark.parametrize("folder", ["CloudTrail", "CloudTrail-Digest", "OpenTrail-Tree"])
def test_not_even_an_administrator_writes_or_deletes_files(day: Day, administrator: Any, folder: str) -> None:
    bucket = day.world.runtime.outputs["LogBucketName"]
    s3 = administrator("s3")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"AWSLogs/{day.world.account}/{folder}/")["Contents"]
    key = found[0]["Key"]

    with pytest.raises(ClientError, match="s3:DeleteObject .* explicit deny in a resource-based policy"):
        s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(ClientError, match="s3:PutObject .* explicit deny in a resource-based policy"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")

    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_not_even_an_administrator_anchors_or_takes_an_anchor_away(day: Day, administrator: Any) -> None:
    table = day.world.runtime.outputs["AnchorTableName"]
    dynamodb = administrator("dynamodb")
    newest, *_ = dynamodb.scan(TableName=table)["Items"]
    key = {"pk": newest["pk"], "sk": newest["sk"]}

    attempts: dict[str, dict[str, Any]] = {
        "put_item": {"Item": {**newest, "sha256": {"S": "00"}}},
        "delete_item": {"Key": key},
        "update_item": {"Key": key, "UpdateExpression": "REMOVE sha256"},
    }
    for call, arguments in attempts.items():
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            getattr(dynamodb, call)(TableName=table, **arguments)

    assert dynamodb.get_item(TableName=table, Key=key)["Item"] == newest


def test_no_action_on_the_anchor_can_be_taken_away(day: Day) -> None:
    table = f":table/{day.world.runtime.outputs['AnchorTableName']}"
    (granted,) = (one for one in statements(day, "digest") if str(one["Resource"]).endswith(table))

    used = {one.request.action for one in day.by("digest") if one.request.resource.endswith(table)}

    assert used == set(listed(granted["Action"]))


def test_not_even_an_administrator_signs(day: Day, administrator: Any) -> None:
    with pytest.raises(ClientError, match="kms:Sign .* no resource-based policy allows"):
        administrator("kms").sign(
            KeyId=day.world.runtime.outputs["SigningKeyId"],
            Message=b"a digest of my own",
            SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
        )


ALLOW_ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
OWNERS = {
    ("kms:Sign", "digest"): "arn:aws:kms:us-east-1:123456789012:key/{SigningKeyId}",
    ("s3:PutObject", "deliver"): "arn:aws:s3:::{LogBucketName}/AWSLogs/123456789012/CloudTrail/f.json.gz",
}


@pytest.mark.parametrize(("action", "owner"), OWNERS)
def test_no_other_function_does_it_even_with_all_permissions(day: Day, action: str, owner: str) -> None:
    resource = OWNERS[action, owner].format(**day.world.runtime.outputs)
    template = next(one for one in day.by(owner) if one.request.action == action)

    allowed = []
    for stage in STAGES:
        caller = day.by(stage)[0]
        asks = replace(template.request, resource=resource, context=caller.request.context)
        judged = replace(template, request=asks, principal=caller.principal)
        if not judged.under(lambda _: [ALLOW_ALL]):
            allowed.append(stage)

    assert allowed == [owner]
