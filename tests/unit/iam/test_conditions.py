"""Condition blocks, operator by operator."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.local.iam.conditions import fill, hold, matches_arn

CONTEXT = {
    "aws:username": ["alice"],
    "aws:sourceip": ["192.0.2.7"],
    "aws:principalarn": ["arn:aws:iam::123456789012:role/deliver"],
    "aws:securetransport": ["true"],
    "aws:currenttime": ["2026-01-10T04:20:00Z"],
    "aws:tagkeys": ["team", "cost"],
    "s3:max-keys": ["10"],
}


@pytest.mark.parametrize(
    ("block", "holds"),
    [
        ({"StringEquals": {"aws:username": "alice"}}, True),
        ({"StringEquals": {"AWS:UserName": ["bob", "alice"]}}, True),
        ({"StringEquals": {"aws:username": "Alice"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:username": "Alice"}}, True),
        ({"StringNotEquals": {"aws:username": ["bob", "alice"]}}, False),
        ({"StringNotEquals": {"absent": "x"}}, True),
        ({"StringEquals": {"absent": "x"}}, False),
        ({"StringEqualsIfExists": {"absent": "x"}}, True),
        ({"StringLike": {"aws:username": "al*"}}, True),
        ({"StringLike": {"aws:username": "a?"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, True),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/deliver"}}, False),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}, False),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"NumericLessThanEquals": {"s3:max-keys": 10}}, True),
        ({"NumericGreaterThan": {"s3:max-keys": "10"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-11T00:00:00Z"}}, True),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"aws:username": True}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost", "more"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAllValues:StringEquals": {"absent": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"absent": ["team"]}}, False),
        ({"StringEquals": {"aws:username": "alice"}, "Bool": {"aws:SecureTransport": "false"}}, False),
        ({}, True),
    ],
)
def test_a_block_holds_when_each_operator_does(block: dict[str, Any], holds: bool) -> None:
    assert hold(block, CONTEXT) is holds


def test_an_operator_iam_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="StringAlmost"):
        hold({"StringAlmost": {"aws:username": "x"}}, CONTEXT)


def test_variables_take_the_callers_values() -> None:
    assert fill("home/${aws:username}/${*}", CONTEXT) == "home/alice/*"
    assert fill("${aws:PrincipalTag/team, 'none'}", CONTEXT) == "none"
    assert fill("${absent}", CONTEXT) == "\0"


def test_a_star_stays_within_its_part_of_an_arn() -> None:
    assert matches_arn("arn:aws:s3:::logs/*", "arn:aws:s3:::logs/a/b")
    assert not matches_arn("arn:aws:sqs:us*:2:q", "arn:aws:sqs:us-east-1:1:2:q")
