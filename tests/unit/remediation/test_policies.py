"""Which policies let everybody in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.branches.remediation.policies import (
    allows_everything,
    name_statements,
    open_statements,
    without_open,
)

READ: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}},
        {"Condition": {"StringLike": {"aws:PrincipalArn": "*"}}},
        {"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Deploy"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}},
        {"Condition": {"StringLike": {"aws:PrincipalAccount": "????????????"}}},
        {"Condition": {"StringEquals": {"aws:userid": "${aws:userid}"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2000::/3"]}}},
    ],
)
def test_everybody_may_come_in(change: dict[str, Any]) -> None:
    assert open_statements(policy(READ | change)) == [READ | change]


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:us-east-1:123456789012:topic"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/*"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::our-bucket*"}}},
        {"Condition": {"StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": 123456789012}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "172.16.0.0/12", "2001:db8::/32"]}}},
    ],
)
def test_only_some_may_come_in(change: dict[str, Any]) -> None:
    assert open_statements(policy(READ | change)) == []


def test_all_but_somebody_is_everybody() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "arn:1"}, "Action": "*", "Resource": "*"}

    assert open_statements(policy(statement)) == [statement]


def test_one_statement_need_not_be_in_a_list() -> None:
    assert open_statements(json.dumps({"Statement": READ})) == [READ]


def test_only_open_statements_are_taken_out() -> None:
    closed = READ | {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}

    assert json.loads(without_open(policy(READ, closed))) == {"Version": "2012-10-17", "Statement": [closed]}


@pytest.mark.parametrize("text", ["", "[]", "{}", policy(READ)])
def test_nothing_is_left(text: str) -> None:
    assert without_open(text) == ""


@pytest.mark.parametrize(
    ("change", "everything"),
    [
        ({"Action": "*"}, True),
        ({"Action": ["s3:*", "*:*"], "Resource": ["*"]}, True),
        ({"Action": "s3:*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:::b"}, False),
        ({"Action": "*", "Effect": "Deny"}, False),
        ({"Action": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, False),
    ],
)
def test_a_policy_for_everything(change: dict[str, Any], everything: bool) -> None:
    assert allows_everything(policy({"Effect": "Allow", "Resource": "*"} | change)) is everything


def test_statements_are_named_as_people_do() -> None:
    assert name_statements([{"Sid": "Public"}, {}]) == "Public, statement 2"
