"""A call -> the resources it is about, as policies name them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from opentrail.local.call import Call, Caller
from opentrail.local.iam.arns import targets

ACCOUNT = "123456789012"
HERE = f"us-east-1:{ACCOUNT}"
TRAIL = f"arn:aws:cloudtrail:{HERE}:trail/main"
OTHER_TRAIL = f"arn:aws:cloudtrail:{HERE}:trail/other"


def call(service: str, operation: str, **parameters: Any) -> Call:
    return Call(
        service=service,
        operation=operation,
        parameters=parameters,
        region="us-east-1",
        caller=Caller(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/alice", access_key="", identity={}),
        method="POST",
        path="/",
        query="",
        headers={},
        body=b"",
        source_ip="127.0.0.1",
        arrived=datetime(2026, 1, 10, tzinfo=UTC),
        event_id="",
        request_id="",
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (call("s3", "GetBucketAcl", Bucket="audit-logs"), ["arn:aws:s3:::audit-logs"]),
        (call("cloudtrail", "GetTrail", Name="main"), [TRAIL]),
        (call("cloudtrail", "GetEventSelectors", TrailName="main"), [TRAIL]),
        (call("cloudtrail", "ListTags", ResourceIdList=[TRAIL, OTHER_TRAIL]), [TRAIL, OTHER_TRAIL]),
        (
            call("ec2", "RevokeSecurityGroupIngress", GroupId="sg-1"),
            [f"arn:aws:ec2:{HERE}:security-group/sg-1"],
        ),
        (
            call("rds", "ModifyDBSnapshotAttribute", DBSnapshotIdentifier="night"),
            [f"arn:aws:rds:{HERE}:snapshot:night"],
        ),
        (
            call("rds", "ModifyDBClusterSnapshotAttribute", DBClusterSnapshotIdentifier="night"),
            [f"arn:aws:rds:{HERE}:cluster-snapshot:night"],
        ),
        (
            call("logs", "DescribeLogGroups", logGroupNamePrefix="audit"),
            [f"arn:aws:logs:{HERE}:log-group::log-stream:"],
        ),
        (call("ec2", "DescribeImages", ImageIds=["ami-1"]), ["*"]),
    ],
    ids=lambda value: value.operation if isinstance(value, Call) else "",
)
def test_a_call_is_about(one: Call, expected: list[str]) -> None:
    assert [resource for _, resource in targets(one)] == expected
