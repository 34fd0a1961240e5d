"""Messages that tell of new objects, by each of their senders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format.notification import VALIDATION_MESSAGE, encode_notification
from opentrail.format.object_notice import ObjectName, read_notice

KEY = "my prefix/AWSLogs/123456789012/CloudTrail/us-east-1/2026/01/10/a+b.json.gz"
ENCODED = "my+prefix/AWSLogs/123456789012/CloudTrail/us-east-1/2026/01/10/a%2Bb.json.gz"
NAME = ObjectName("central-logs", KEY)

# S3 user guide, "Using EventBridge": keys are as they are.
EVENT_BRIDGE = json.dumps(
    {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "detail": {
            "bucket": {"name": "central-logs"},
            "object": {"key": KEY, "size": 5},
            "reason": "PutObject",
        },
    }
)


def s3_event(*keys: str) -> str:
    """S3 user guide, "Event message structure": keys are URL-encoded."""
    records = [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "central-logs"}, "object": {"key": key}},
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


def by_sns(message: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:...", "Message": message})


SENT = {
    "EventBridge": EVENT_BRIDGE,
    "S3": s3_event(ENCODED),
    "CloudTrail": encode_notification("central-logs", [KEY]),
}


@pytest.mark.parametrize("body", SENT.values(), ids=SENT.keys())
def test_every_sender_is_understood_directly_and_through_a_topic(body: str) -> None:
    assert read_notice(body) == read_notice(by_sns(body)) == [NAME]


def test_one_message_may_tell_of_many() -> None:
    assert read_notice(encode_notification("b", ["k1", "k2"])) == [
        ObjectName("b", "k1"),
        ObjectName("b", "k2"),
    ]
    assert [name.key for name in read_notice(s3_event("k1", "k2"))] == ["k1", "k2"]


@pytest.mark.parametrize(
    "body", [VALIDATION_MESSAGE, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})]
)
def test_what_tries_out_a_subscription_names_nothing(body: str) -> None:
    assert read_notice(body) == read_notice(by_sns(body)) == []


OTHER: dict[str, Any] = {
    "no JSON": "{",
    "no object": "[]",
    "something else": "{}",
    "a record": '{"detail":{"eventID":"e"}}',
    "no key": '{"detail":{"bucket":{"name":"b"},"object":{}}}',
    "no bucket": '{"s3ObjectKey":["k"]}',
    "keys that are none": '{"s3Bucket":"b","s3ObjectKey":[7]}',
    "a topic without a message": '{"Message":7}',
    "nested too deeply": '{"detail":' + "[" * 100_000,
    "topics in topics without end": '{"Message":"' + "x" * 10 + '"}',
    "half a character": '{"s3Bucket":"\ud800"}',
}


@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER.keys())
def test_all_else_is_a_format_error(body: str) -> None:
    with pytest.raises(FormatError, match="names no objects"):
        read_notice(body)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["Message", "detail", "Records", "s3ObjectKey", "s3Bucket", "bucket", "object", "key"]
                ),
                inner,
            )
        ),
    )
)
def test_whatever_json_comes_only_format_errors_leave(value: Any) -> None:
    try:
        read_notice(json.dumps(value))
    except FormatError:
        return
