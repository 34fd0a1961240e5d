"""allows: principals, actions, resources, conditions, Deny before Allow."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.api.policies import Access, allows

SERVICE = "cloudtrail.amazonaws.com"
PUT = Access(
    service=SERVICE,
    action="s3:PutObject",
    resource="arn:aws:s3:::logs/AWSLogs/1/a",
    context={"aws:sourcearn": "arn:aws:cloudtrail:us-east-1:1:trail/t", "aws:securetransport": "true"},
)


def statement(**changes: Any) -> dict[str, Any]:
    facts = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "s3:PutObject", "Resource": "*"}
    return {k: v for k, v in (facts | changes).items() if v is not None}


def allowed(*statements: Any) -> bool:
    return allows([{"Statement": list(statements)}], PUT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"Service": ["config.amazonaws.com", SERVICE]}}, True),
        ({"Principal": {"Service": "config.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, False),
        ({"Principal": None}, False),
        ({"Principal": None, "NotPrincipal": {"Service": "config.amazonaws.com"}}, True),
        ({"Principal": None, "NotPrincipal": {"Service": SERVICE}}, False),
        ({"Action": "s3:putobject"}, True),
        ({"Action": ["s3:Get*", "S3:Put*"]}, True),
        ({"Action": "s3:Put?bject"}, True),
        ({"Action": "s3:GetObject"}, False),
        ({"Action": "*"}, True),
        ({"Action": None}, False),
        ({"Action": None, "NotAction": "s3:GetObject"}, True),
        ({"Action": None, "NotAction": "s3:*"}, False),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/1/*"}, True),
        ({"Resource": "arn:aws:s3:::logs/awslogs/1/*"}, False),
        ({"Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::other/*"]}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::other/*"}, True),
        ({"Effect": "allow"}, False),
        ({"Action": 7, "Resource": {}}, False),
    ],
)
def test_one_statement(changes: dict[str, Any], expected: bool) -> None:
    assert allowed(statement(**changes)) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/t"}}, True),
        ({"StringEquals": {"AWS:sourcearn": ["x", "arn:aws:cloudtrail:us-east-1:1:trail/t"]}}, True),
        ({"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/T"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SourceArn": "ARN:aws:cloudtrail:us-east-1:1:trail/T"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:1:trail/?"}}, True),
        ({"StringNotLike": {"aws:SourceArn": "arn:aws:cloudtrail:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:1:trail/*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:*:trail/*"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:2:trail/*"}}, True),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Null": {"aws:SourceArn": "false"}}, True),
        ({"Null": {"aws:SourceVpc": "false"}}, False),
        ({"Null": {"aws:SourceVpc": True}}, True),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceArn": "x"}}, False),
        ({"SomethingNew": {"aws:SourceArn": "x"}}, False),
        ("nonsense", False),
    ],
)
def test_conditions(condition: Any, expected: bool) -> None:
    assert allowed(statement(Condition=condition)) is expected


@pytest.mark.parametrize(
    ("condition", "found", "expected"),
    [
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, "1.3", False),
        ({"NumericLessThan": {"s3:TlsVersion": "1.4"}}, "1.3", True),
        ({"NumericNotEquals": {"s3:TlsVersion": "1.3"}}, "1.3", False),
        ({"NumericEquals": {"s3:TlsVersion": "x"}}, "1.3", False),
        ({"DateGreaterThan": {"s3:TlsVersion": "2026-01-01T00:00:00Z"}}, "2026-01-10T04:20:31Z", True),
        ({"DateLessThanEquals": {"s3:TlsVersion": "2026-01-01T00:00:00Z"}}, "2026-01-10T04:20:31Z", False),
        ({"IpAddress": {"s3:TlsVersion": "10.0.0.0/8"}}, "10.1.2.3", True),
        ({"NotIpAddress": {"s3:TlsVersion": "10.0.0.0/8"}}, "10.1.2.3", False),
        ({"IpAddress": {"s3:TlsVersion": "nonsense"}}, "10.1.2.3", False),
    ],
)
def test_ordered_conditions(condition: dict[str, Any], found: str, expected: bool) -> None:
    access = Access(service=SERVICE, action="s3:PutObject", resource="x", context={"s3:tlsversion": found})

    assert allows([{"Statement": statement(Condition=condition)}], access) is expected


def test_deny_beats_allow_wherever_it_stands() -> None:
    deny = statement(Effect="Deny", Principal="*", Action="s3:*")

    assert not allowed(deny, statement())
    assert not allowed(statement(), deny)
    assert not allows([{"Statement": statement()}, {"Statement": deny}], PUT)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"SomethingNew": {"aws:SourceArn": "x"}}, False),
    ],
)
def test_a_deny_holds_only_with_its_condition_and_when_in_doubt(
    condition: dict[str, Any], expected: bool
) -> None:
    deny = statement(Effect="Deny", Condition=condition)

    assert allowed(statement(), deny) is expected


@pytest.mark.parametrize(
    "policy",
    [{}, {"Statement": None}, {"Statement": "x"}, {"Statement": [1, None, "x", {"Effect": "Allow"}]}],
)
def test_what_is_no_policy_allows_nothing(policy: dict[str, Any]) -> None:
    assert not allows([policy], PUT)


def test_a_policy_on_the_principal_itself_names_no_principal() -> None:
    access = Access(action="logs:PutLogEvents", resource="arn:aws:logs:us-east-1:1:log-group:g:log-stream:s")
    policy = {
        "Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:1:log-group:g:*"}
    }

    assert allows([policy], access)


@pytest.mark.parametrize("pattern", ["*" * 2000 + "x", "*s" * 500 + "x", "*?" * 30 + "x", "*a?" * 30 + "x"])
def test_many_stars_do_not_stall_the_matcher(pattern: str) -> None:
    hostile = Access(service=SERVICE, action="s3:PutObject", resource="as" * 500)

    assert not allows([{"Statement": [statement(Resource=pattern)]}], hostile)


@given(pattern=st.text("ab*?", max_size=8), value=st.text("ab", max_size=8))
def test_stars_and_question_marks_mean_what_the_shell_means_by_them(pattern: str, value: str) -> None:
    access = Access(service=SERVICE, action="s3:PutObject", resource=value)

    assert allows([{"Statement": [statement(Resource=pattern)]}], access) is fnmatchcase(value, pattern)
