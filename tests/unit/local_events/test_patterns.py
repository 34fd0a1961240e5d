"""Event patterns: each operator as the EventBridge user guide defines it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.local.patterns import compile_pattern

CALL = {
    "source": "aws.iam",
    "detail-type": "AWS API Call via CloudTrail",
    "detail": {
        "eventName": "CreateUser",
        "sourceIPAddress": "10.0.1.7",
        "readOnly": False,
        "errorCode": None,
        "count": 7,
        "requestParameters": {"userName": "Bob", "tags": ["blue", "green"]},
        "resources": [
            {"type": "AWS::IAM::User", "accountId": "1"},
            {"type": "AWS::S3::Bucket", "accountId": "2"},
        ],
        "empty": [],
    },
}


def is_match(pattern: Any, event: Any = CALL) -> bool:
    return compile_pattern(json.dumps(pattern))(event)


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": fields}


MATCHES = [
    {"source": ["aws.iam"]},
    {"source": ["aws.s3", "aws.iam"]},
    {"source": [{"prefix": "aws."}]},
    {"source": [{"prefix": {"equals-ignore-case": "AWS."}}]},
    {"source": [{"suffix": ".iam"}]},
    {"source": [{"suffix": {"equals-ignore-case": ".IAM"}}]},
    {"source": [{"equals-ignore-case": "AWS.IAM"}]},
    {"source": [{"wildcard": "aws.*"}]},
    {"source": [{"wildcard": "*s.i*"}]},
    {"source": [{"anything-but": "aws.s3"}]},
    {"source": [{"anything-but": ["aws.s3", "aws.ec2"]}]},
    {"source": [{"anything-but": {"prefix": "com."}}]},
    {"source": [{"anything-but": {"suffix": ".s3"}}]},
    {"source": [{"anything-but": {"suffix": [".s3", ".ec2"]}}]},
    {"source": [{"anything-but": {"wildcard": "*s3*"}}]},
    {"source": [{"anything-but": {"equals-ignore-case": ["AWS.S3"]}}]},
    detail(sourceIPAddress=[{"cidr": "10.0.0.0/16"}]),
    detail(readOnly=[False]),
    detail(errorCode=[None]),
    detail(count=[7]),
    detail(count=[7.0]),
    detail(count=[{"numeric": [">", 5, "<=", 7]}]),
    detail(count=[{"numeric": ["=", 7]}]),
    detail(eventName=[{"exists": True}]),
    detail(missing=[{"exists": False}]),
    detail(empty=[{"exists": False}]),
    detail(missing=["x", {"exists": False}]),
    detail(missing={"deeper": [{"exists": False}]}),
    detail(requestParameters={"tags": ["green"]}),
    detail(requestParameters={"userName": ["Bob"], "tags": [{"prefix": "bl"}]}),
    detail(resources={"type": ["AWS::S3::Bucket"]}),
    detail(resources={"type": ["AWS::S3::Bucket"], "accountId": ["2"]}),
    {"$or": [{"source": ["aws.s3"]}, {"detail": {"count": [7]}}]},
    {
        "source": ["aws.iam"],
        "$or": [{"detail": {"count": [1]}}, {"detail": {"count": [{"numeric": [">", 1]}]}}],
    },
]

MISSES = [
    {"source": ["aws.s3"]},
    {"source": [{"prefix": "iam"}]},
    {"source": [{"prefix": "AWS."}]},
    {"source": [{"suffix": "aws"}]},
    {"source": [{"wildcard": "aws"}]},
    {"source": [{"wildcard": "*s3*"}]},
    {"source": [{"anything-but": "aws.iam"}]},
    {"source": [{"anything-but": {"prefix": "aws."}}]},
    {"source": [{"anything-but": {"suffix": [".s3", ".iam"]}}]},
    {"source": [{"anything-but": {"wildcard": "*iam"}}]},
    {"source": [{"anything-but": {"equals-ignore-case": "AWS.IAM"}}]},
    detail(sourceIPAddress=[{"cidr": "10.1.0.0/16"}]),
    detail(eventName=[{"cidr": "10.0.0.0/8"}]),
    detail(readOnly=[True]),
    detail(readOnly=["false"]),
    detail(readOnly=[0]),
    detail(count=["7"]),
    detail(count=[{"numeric": ["<", 7]}]),
    detail(eventName=[{"numeric": ["=", 0]}]),
    detail(eventName=[{"exists": False}]),
    detail(missing=[{"exists": True}]),
    detail(missing=[None]),
    detail(missing=[{"anything-but": "x"}]),
    detail(requestParameters=[{"exists": True}]),
    detail(requestParameters={"tags": ["red"]}),
    detail(resources={"type": ["AWS::S3::Bucket"], "accountId": ["1"]}),
    detail(eventName={"deeper": ["x"]}),
    {"$or": [{"source": ["aws.s3"]}, {"detail": {"count": [8]}}]},
    {"source": ["aws.s3"], "$or": [{"detail": {"count": [7]}}, {"detail": {"count": [8]}}]},
]

INVALID = [
    "[]",
    "{",
    '{"source": "aws.iam"}',
    '{"source": []}',
    '{"detail": {}}',
    '{"source": [["aws.iam"]]}',
    '{"source": [{"prefix": 1}]}',
    '{"source": [{"prefix": "a", "suffix": "b"}]}',
    '{"source": [{"regex": ".*"}]}',
    '{"source": [{"wildcard": "a**b"}]}',
    '{"source": [{"wildcard": "a\\\\b"}]}',
    '{"source": [{"numeric": [">"]}]}',
    '{"source": [{"numeric": ["!", 1]}]}',
    '{"source": [{"numeric": [">", "1"]}]}',
    '{"source": [{"cidr": "10.0.0.0/99"}]}',
    '{"source": [{"exists": "yes"}]}',
    '{"source": [{"anything-but": []}]}',
    '{"source": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}',
]


@pytest.mark.parametrize("pattern", MATCHES, ids=json.dumps)
def test_pattern_matches(pattern: Any) -> None:
    assert is_match(pattern)


@pytest.mark.parametrize("pattern", MISSES, ids=json.dumps)
def test_pattern_does_not_match(pattern: Any) -> None:
    assert not is_match(pattern)


@pytest.mark.parametrize("text", INVALID)
def test_invalid_pattern_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(FormatError, match="Event pattern is not valid"):
        compile_pattern(text)


def test_escaped_star_is_a_star() -> None:
    pattern = {"source": [{"wildcard": "a\\*b"}]}

    assert is_match(pattern, {"source": "a*b"})
    assert not is_match(pattern, {"source": "axb"})


def test_stars_around_an_escaped_character_are_not_consecutive() -> None:
    assert is_match({"source": [{"wildcard": "*\\\\*"}]}, {"source": "a\\b"})


def test_or_with_one_alternative_is_a_field_name() -> None:
    assert is_match({"$or": ["x"]}, {"$or": "x"})


leaves = st.one_of(st.text(max_size=5), st.integers(-5, 5), st.booleans(), st.none())


@given(leaves, leaves)
def test_exact_value_and_anything_but_are_opposites(wanted: Any, value: Any) -> None:
    event = {"field": value}

    assert is_match({"field": [wanted]}, event) != is_match({"field": [{"anything-but": wanted}]}, event)


@given(st.lists(leaves, min_size=1, max_size=4), st.lists(leaves, min_size=1, max_size=4))
def test_array_matches_when_one_element_does(wanted: list[Any], values: list[Any]) -> None:
    each = [is_match({"field": wanted}, {"field": value}) for value in values]

    assert is_match({"field": wanted}, {"field": values}) == any(each)


@given(st.text(alphabet="ab*", max_size=8).filter(lambda text: "**" not in text), st.text("ab", max_size=8))
def test_wildcard_agrees_with_a_search_over_all_splits(pattern: str, value: str) -> None:
    def matches(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return any(matches(rest[1:], left[cut:]) for cut in range(len(left) + 1))
        return left[:1] == rest[0] and matches(rest[1:], left[1:])

    assert is_match({"field": [{"wildcard": pattern}]}, {"field": value}) == matches(pattern, value)
