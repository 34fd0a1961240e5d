"""Records -> what LookupEvents finds them by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.history.attributes import Identity, has_value, read_records, user_name, values_of
from opentrail.format.event import parse_event
from tests.support.records import make_record, sample_lines, to_bytes
from tests.support.values import HOME

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def values(*records: dict[str, Any]) -> dict[str, set[str]]:
    return values_of(read_records(b"\n".join(to_bytes(record) for record in records)))


def test_a_record_is_found_by_each_of_its_values() -> None:
    record = make_record(eventID="e", eventName="CreateUser", readOnly=False)

    found = values(record)

    assert found["EventId"] == {"e"}
    assert found["EventName"] == {"CreateUser"}
    assert found["EventSource"] == {"iam.amazonaws.com"}
    assert found["ReadOnly"] == {"false"}
    assert found["Username"] == {"alice"}
    assert found["AccessKeyId"] == {"AKIAEXAMPLE"}
    assert (found["ResourceType"], found["ResourceName"]) == ({"AWS::IAM::User"}, {"bob"})


@pytest.mark.parametrize(
    ("details", "names"),
    [
        (
            {"resource": "arn:aws:s3:::data", "resourceName": "data", "resourceType": "AWS::S3::Bucket"},
            {"data", "arn:aws:s3:::data"},
        ),
        ({"resource": "arn:t", "resourceName": "arn:t", "resourceType": "AWS::SNS::Topic"}, {"arn:t"}),
        ({"reason": "the event names no resource"}, set()),
        ({"resourceName": 7}, set()),
        (None, set()),
    ],
)
def test_a_record_of_our_own_is_found_by_the_resource_in_its_details(details: Any, names: set[str]) -> None:
    record = make_record(eventSource="opentrail", requestParameters=None, serviceEventDetails=details)

    found = values(record)

    assert found["ResourceName"] == names
    assert found["ResourceType"] == ({details["resourceType"]} if names else set())


def test_the_details_of_a_service_of_aws_name_nothing() -> None:
    details = {"resourceName": "data", "resourceType": "AWS::S3::Bucket"}

    assert values(make_record(requestParameters=None, serviceEventDetails=details))["ResourceName"] == set()


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        (Identity(type="IAMUser", user_name="alice"), "alice"),
        (Identity(type="Root", user_name="alias"), "root"),
        (Identity(type="AssumedRole", arn="arn:aws:sts::1:assumed-role/deploy/release-42"), "release-42"),
        (Identity(type="AWSService"), ""),
        (Identity(), ""),
    ],
)
def test_a_user_is_known_by_the_name_lookups_use(identity: Identity, name: str) -> None:
    assert user_name(identity) == name


@given(odd=st.fixed_dictionaries({}, optional=dict.fromkeys([*make_record(), "insightDetails"], anything)))
def test_members_of_odd_shapes_hide_neither_their_record_nor_others(odd: dict[str, Any]) -> None:
    found = values({**odd, "eventID": "odd"}, make_record(eventID="plain", eventName="GetUser"))

    assert found["EventId"] == {"odd", "plain"}
    assert "GetUser" in found["EventName"]


@given(changed=st.fixed_dictionaries({}, optional=dict.fromkeys(make_record(), anything)))
def test_what_values_say_is_what_a_lookup_finds(changed: dict[str, Any]) -> None:
    (record,) = read_records(to_bytes({**make_record(), **changed}))

    for attribute, found in values_of([record]).items():
        assert all(has_value(record, attribute, value) for value in found)


def test_an_odd_member_beside_a_huge_number_does_not_stop_delivery() -> None:
    odd = b'{"eventID":"odd","userIdentity":{"userName":5,"accessKeyId":"AKIA"},"n":' + b"9" * 5000 + b"}"
    plain = to_bytes(make_record(eventID="plain"))

    found = values_of(read_records(odd + b"\n" + plain))

    assert found["EventId"] == {"odd", "plain"}
    assert "AKIA" in found["AccessKeyId"]


def test_a_record_nested_too_deeply_to_read_again_does_not_stop_delivery() -> None:
    deep = b'{"eventID":"deep","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    plain = to_bytes(make_record(eventID="plain"))

    found = values_of(read_records(deep + b"\n" + plain))

    assert found["EventId"] == {"plain"}


def test_every_real_record_is_found_by_its_id() -> None:
    lines = sample_lines()
    arrival = {"arrived": HOME, "arrived_at": 0.0, "arrived_time": "2026-01-10T04:20:31Z"}

    found = values_of(read_records(b"\n".join(lines)))

    assert found["EventId"] == {parse_event(line, **arrival).event_id for line in lines}  # type: ignore[arg-type]
