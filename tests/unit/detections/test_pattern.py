"""What becomes of conditions on EventBridge: exact where it can say them, else what they imply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.adapters.sigma.rule import read_rule
from opentrail.branches.detections import Pattern, pattern_of
from opentrail.branches.detections.pattern import CALLS, MAX_CHARACTERS
from opentrail.local.patterns import compile_pattern
from tests.unit.detections.rules import rule


def pattern(condition: str = "selection", /, **selections: Any) -> Pattern:
    """The pattern of a rule."""
    return pattern_of(read_rule(rule({**selections, "condition": condition})).condition)


def detail(condition: str = "selection", /, **selections: Any) -> Any:
    """What an exact pattern says of the record."""
    made = pattern(condition, **selections)
    assert made.exact
    return made.body["detail"]


def ignore(text: str) -> dict[str, str]:
    """Any case."""
    return {"equals-ignore-case": text}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({"eventName": ["A", "B"]}, {"eventName": [ignore("A"), ignore("B")]}),
        ({"eventName|cased": "A"}, {"eventName": ["A"]}),
        ({"eventName": "A*"}, {"eventName": [{"prefix": ignore("A")}]}),
        ({"userIdentity.arn|endswith": ":root"}, {"userIdentity": {"arn": [{"suffix": ignore(":root")}]}}),
        ({"sourceIPAddress|contains": "10."}, {"sourceIPAddress": [{"wildcard": "*10.*"}]}),
        ({"userAgent|contains|cased": r"a\*b\\c"}, {"userAgent": [{"wildcard": "*a\\*b\\\\c*"}]}),
        ({"sourceIPAddress|cidr": "10.0.0.0/8"}, {"sourceIPAddress": [{"cidr": "10.0.0.0/8"}]}),
        ({"errorCode|exists": True}, {"errorCode": [{"exists": True}]}),
        ({"errorCode": None}, {"errorCode": [{"exists": False}]}),
        ({"readOnly": "true"}, {"readOnly": [True]}),
        ({"requestParameters.on": "true"}, {"requestParameters": {"on": [ignore("true"), True]}}),
        ({"requestParameters.port": 22}, {"requestParameters": {"port": ["22", {"numeric": ["=", 22]}]}}),
        ({"requestParameters.port": "022"}, {"requestParameters": {"port": ["022"]}}),
    ],
)
def test_tests_of_one_field(items: dict[str, Any], expected: Any) -> None:
    assert detail(selection=items) == expected


def test_what_is_denied_may_be_absent() -> None:
    names = {"eventName": ["A", "B"], "readOnly": True}

    assert detail("not selection", selection={"eventName": ["A", "B"]}) == {
        "eventName": [{"anything-but": {"equals-ignore-case": ["A", "B"]}}, {"exists": False}]
    }
    assert detail("not selection", selection=names)["$or"] == [
        {"eventName": [{"anything-but": {"equals-ignore-case": ["A", "B"]}}, {"exists": False}]},
        {"readOnly": [False, {"exists": False}]},
    ]


def test_alternatives_have_in_common_what_they_can() -> None:
    a = {"eventSource": "s", "eventName": "A", "readOnly": True}
    b = {"eventSource": "s", "eventName": "B", "awsRegion": "r"}

    assert detail("a or b", a=a, b=b) == {
        "eventSource": [ignore("s")],
        "$or": [
            {"eventName": [ignore("A")], "readOnly": [True]},
            {"eventName": [ignore("B")], "awsRegion": [ignore("r")]},
        ],
    }


@pytest.mark.parametrize(
    "items",
    [
        {"userAgent|contains": "kali"},  # wildcards know one case only
        {"eventName|re": "^A"},
        {"requestParameters.list|exists": True},  # an object exists, and is no leaf
        {"requestParameters.bucketPolicy|contains": "*"},
        {"requestParameters.account": 123456789012},  # numbers end at five billion
        {"requestParameters.port|startswith": "2"},  # a number may begin so
        {"errorMessage": "é"},
        {"requestParameters.a|neq": "x"},  # in a list something else would do
        {"requestParameters.i.a": "x", "requestParameters.i.b": "y"},  # one element, or two
        {"userIdentity.userName|fieldref": "requestParameters.userName"},
        {"": "x"},
        {"requestParameters.port|gt": 1},
    ],
)
def test_what_it_cannot_say_the_function_decides_about_the_calls_it_can(items: dict[str, Any]) -> None:
    made = pattern(selection={"eventName": "Z", **items})

    assert not made.exact
    assert made.body["detail"]["eventName"] == [ignore("Z")]


def test_nothing_implied_is_every_call() -> None:
    made = pattern(selection={"userAgent|contains": "kali"})

    assert (made.is_every_call, made.body) == (True, CALLS)


def test_a_pattern_that_would_be_too_long_says_less() -> None:
    names = [f"DescribeSomethingWithAVeryLongName{number}" for number in range(60)]

    made = pattern(selection={"eventSource": "ec2.amazonaws.com", "eventName": names, "awsRegion": "x"})

    assert not made.exact
    assert made.body["detail"] == {"eventSource": [ignore("ec2.amazonaws.com")]}
    assert len(json.dumps(made.body)) <= MAX_CHARACTERS


def test_more_alternatives_than_it_takes_say_which_calls() -> None:
    selections = {
        f"s{number}": {"eventName": f"E{number % 3}", "awsRegion": f"r{number}"} for number in range(40)
    }

    made = pattern("1 of s*", **selections)

    assert not made.exact
    assert made.body["detail"] == {"eventName": [ignore("E0"), ignore("E1"), ignore("E2")]}


def test_our_own_events_never_match() -> None:
    matches = compile_pattern(json.dumps(pattern(selection={"eventSource": "*"}).body))
    event = {"detail-type": "AWS API Call via CloudTrail", "detail": {"eventSource": "opentrail"}}

    assert not matches({**event, "source": "opentrail"})
    assert matches({**event, "source": "aws.iam"})
