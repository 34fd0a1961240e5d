"""Calls and configurations of one resource: names, differences, and which belongs to which."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.resource_history import Call, Item, Step, differences, join, read_arn
from opentrail.branches.resource_history.difference import ABSENT
from opentrail.errors import FormatError

T0 = datetime(2026, 1, 10, 4, 20, tzinfo=UTC)


def call(event_id: str, minute: float) -> Call:
    return Call(
        event_id=event_id,
        time=T0 + timedelta(minutes=minute),
        who="ada",
        source="s3.amazonaws.com",
        name="PutBucketPolicy",
    )


def item(minute: float, event_ids: frozenset[str] = frozenset(), **state: Any) -> Item:
    return Item(captured=T0 + timedelta(minutes=minute), status="OK", state=state, event_ids=event_ids)


def shown(steps: list[Step]) -> list[tuple[float | None, list[str]]]:
    """Each step's minute of capture and its calls."""
    return [
        (
            (step.item.captured - T0).total_seconds() / 60 if step.item else None,
            [c.event_id for c in step.calls],
        )
        for step in steps
    ]


# Names


@pytest.mark.parametrize(
    ("arn", "name", "type_", "region"),
    [
        ("arn:aws:s3:::my.bucket", "my.bucket", "AWS::S3::Bucket", ""),
        ("arn:aws:s3:::my-bucket/a/key", "my-bucket", "AWS::S3::Bucket", ""),
        ("arn:aws:iam::111122223333:role/a/path/Deploy", "Deploy", "AWS::IAM::Role", "us-east-1"),
        (
            "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1",
            "sg-1",
            "AWS::EC2::SecurityGroup",
            "eu-west-1",
        ),
        ("arn:aws:lambda:eu-west-1:111122223333:function:f:3", "f", "AWS::Lambda::Function", "eu-west-1"),
        ("arn:aws:sns:eu-west-1:111122223333:news", "news", "AWS::SNS::Topic", "eu-west-1"),
        ("arn:aws:logs:eu-west-1:111122223333:log-group:/a/b:*", "/a/b", "AWS::Logs::LogGroup", "eu-west-1"),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/t", "t", "AWS::DynamoDB::Table", "eu-west-1"),
        ("arn:aws-cn:sqs:cn-north-1:111122223333:q", "q", "AWS::SQS::Queue", "cn-north-1"),
        ("arn:aws:odd:eu-west-1:111122223333:thing/x/y", "x/y", "", "eu-west-1"),
    ],
)
def test_an_arn_gives_the_name_events_use_and_the_type_config_uses(
    arn: str, name: str, type_: str, region: str
) -> None:
    named = read_arn(arn)

    assert (named.id, named.type, named.region) == (name, type_, region)
    assert named.names == (arn, name)


@pytest.mark.parametrize(
    "text", ["", "my-bucket", "arn:aws:s3", "arn:aws:s3:::", "arn:aws::::x", "urn:aws:s3:::b"]
)
def test_what_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is not an ARN"):
        read_arn(text)


@given(st.text())
def test_any_text_is_an_arn_or_refused(text: str) -> None:
    try:
        named = read_arn(text)
    except FormatError:
        return
    assert named.arn == text


# Differences


def test_each_changed_value_is_named_by_its_path() -> None:
    before = {"a": {"b": 1, "same": True}, "gone": None}
    after = {"a": {"b": 2, "same": True}, "come": []}

    assert differences(before, after) == [
        ("a.b", 1, 2),
        ("come", ABSENT, []),
        ("gone", None, ABSENT),
    ]


def test_a_list_in_another_order_is_no_change() -> None:
    assert differences({"x": [1, 2, 2]}, {"x": [2, 1, 2]}) == []


def test_elements_come_and_go_and_one_that_was_replaced_is_compared() -> None:
    assert differences({"x": [1]}, {"x": [1, 2, 2]}) == [("x[]", ABSENT, 2), ("x[]", ABSENT, 2)]
    assert differences({"x": [{"p": 1, "q": 1}, 5]}, {"x": [5, {"p": 2, "q": 1}]}) == [("x[].p", 1, 2)]


def test_text_that_is_json_is_read() -> None:
    before, after = '{"Statement": [{"Effect": "Deny"}]}', '{"Statement":[{"Effect":"Allow"}]}'

    assert differences({"policy": before}, {"policy": after}) == [
        ("policy.Statement[].Effect", "Deny", "Allow")
    ]
    assert differences({"policy": "{broken"}, {"policy": "{"}) == [("policy", "{broken", "{")]


def test_text_that_was_encoded_twice_is_read_twice() -> None:
    before, after = (json.dumps(json.dumps({"grants": value})) for value in (["a"], ["a", "b"]))

    assert differences({"acl": before}, {"acl": after}) == [("acl.grants[]", ABSENT, "b")]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert differences(value, value) == []


@given(VALUES, VALUES)
def test_what_differs_one_way_differs_the_other_way(one: Any, other: Any) -> None:
    there, back = differences(one, other), differences(other, one)

    assert sorted(change.path for change in there) == sorted(change.path for change in back)


# Joining


def test_a_call_belongs_to_the_first_configuration_captured_after_it() -> None:
    steps = join([call("a", 1), call("b", 4), call("c", 5)], [item(2), item(5)])

    assert shown(steps) == [(5, ["c", "b"]), (2, ["a"])]


def test_calls_config_has_not_caught_up_with_stand_alone_at_the_top() -> None:
    assert shown(join([call("a", 1), call("b", 9)], [item(2)])) == [(None, ["b"]), (2, ["a"])]


def test_config_itself_may_name_a_call() -> None:
    late = item(2), item(8, event_ids=frozenset({"a"}))

    assert shown(join([call("a", 1)], late)) == [(8, ["a"]), (2, [])]


def test_without_config_there_are_still_the_calls() -> None:
    assert shown(join([call("a", 1), call("b", 2), call("a", 1)], [])) == [(None, ["b", "a"])]
    assert join([], []) == []


def test_a_configuration_tells_what_changed_since_the_one_before() -> None:
    newest, oldest = join([], [item(2, tags={"a": "1"}), item(5, tags={"a": "2"})])

    assert list(newest.changes) == [("tags.a", "1", "2")]
    assert (oldest.first, list(oldest.changes), newest.first) == (True, [], False)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=10),
    st.lists(
        st.tuples(st.integers(0, 30), st.frozensets(st.sampled_from("0123456789"), max_size=3)), max_size=5
    ),
)
def test_every_call_and_every_configuration_is_in_exactly_one_step(
    calls: list[tuple[int, int]], items: list[tuple[int, frozenset[str]]]
) -> None:
    steps = join([call(str(number), minute) for number, minute in calls], [item(m, ids) for m, ids in items])

    told = [c.event_id for step in steps for c in step.calls]
    assert sorted(told) == sorted({str(number) for number, _ in calls})
    captured = [step.item.captured for step in steps if step.item]
    assert captured == sorted((item(m).captured for m, _ in items), reverse=True)
