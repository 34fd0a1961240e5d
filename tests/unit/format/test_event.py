"""Records -> the facts that route them; the bytes stay as they came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format.event import parse_event
from opentrail.model.event import Event, Place, Resource
from tests.support.records import ACCOUNT, REGION, make_record, sample_lines, to_bytes

BUS = Place("999988887777", "eu-west-1")
CAME_AT = 1768018899.25
CARRIED = "2026-01-10T04:21:39Z"


def parse(raw: bytes) -> Event:
    return parse_event(raw, arrived=BUS, arrived_at=CAME_AT, arrived_time=CARRIED)


def facts(event: Event) -> dict[str, Any]:
    """Everything but the bytes; resources as pairs, since a subclass is never equal to its base."""
    found = {name: getattr(event, name) for name in Event.__struct_fields__ if name != "raw"}
    return {**found, "resources": [(resource.type, resource.arn) for resource in event.resources]}


def test_every_fact_is_taken_from_its_member() -> None:
    record = make_record(
        eventTime="2026-01-10T04:20:31Z",
        errorCode="AccessDenied",
        readOnly=True,
        sessionCredentialFromConsole="true",
        vpcEndpointId="vpce-1",
        userIdentity={
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/deploy/me",
            "invokedBy": "cloudformation.amazonaws.com",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/deploy"}},
        },
        resources=[{"ARN": "arn:aws:s3:::b/k", "type": "AWS::S3::Object", "accountId": "123456789012"}],
    )

    event = parse(to_bytes(record))

    assert facts(event) == {
        "place": Place(ACCOUNT, REGION),
        "arrived": BUS,
        "arrived_at": CAME_AT,
        "event_id": record["eventID"],
        "time": "2026-01-10T04:20:31Z",
        "source": "iam.amazonaws.com",
        "name": "CreateUser",
        "category": "Management",
        "event_type": "AwsApiCall",
        "read_only": True,
        "error_code": "AccessDenied",
        "principal_arn": "arn:aws:sts::123456789012:assumed-role/deploy/me",
        "issuer_arn": "arn:aws:iam::123456789012:role/deploy",
        "invoked_by": "cloudformation.amazonaws.com",
        "from_console": True,
        "vpc_endpoint_id": "vpce-1",
        "insight_type": "",
        "insight_source": "",
        "resources": [("AWS::S3::Object", "arn:aws:s3:::b/k")],
    }


def test_an_eventid_is_all_that_is_asked_for() -> None:
    event = parse(b'{"eventID":"e"}')

    assert (event.event_id, event.place, event.time, event.category) == ("e", BUS, CARRIED, "Management")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
resources = st.lists(st.fixed_dictionaries({}, optional={"ARN": texts, "ARNPrefix": texts, "type": texts}))
issuers = st.fixed_dictionaries({}, optional={"arn": texts, "userName": texts})
sessions = st.fixed_dictionaries({}, optional={"sessionIssuer": issuers, "attributes": st.just({})})
identities = st.fixed_dictionaries(
    {}, optional={"type": texts, "arn": texts, "invokedBy": texts, "sessionContext": sessions}
)
insights = st.fixed_dictionaries(
    {}, optional={"insightType": texts, "eventSource": texts, "eventName": texts, "state": texts}
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
records = st.fixed_dictionaries(
    {"eventID": texts.filter(bool), "readOnly": st.booleans()},
    optional={
        "eventTime": texts | st.just("2026-01-10T04:20:31Z"),
        "eventSource": texts,
        "eventName": texts,
        "awsRegion": texts | st.just("us-west-2"),
        "recipientAccountId": texts | st.just("111122223333"),
        "eventCategory": texts | st.sampled_from(["Management", "Data", "Insight"]),
        "eventType": texts,
        "errorCode": texts,
        "managementEvent": st.booleans(),
        "sessionCredentialFromConsole": texts | st.just("true"),
        "vpcEndpointId": texts,
        "userIdentity": identities,
        "insightDetails": insights,
        "resources": resources,
        "requestParameters": anything,
    },
)


@given(record=records)
def test_the_quick_reader_and_the_loose_one_take_the_same_facts(record: dict[str, Any]) -> None:
    loosely = {**record, "readOnly": str(record["readOnly"]).lower()}

    assert facts(parse(to_bytes(record))) == facts(parse(to_bytes(loosely)))


@given(record=st.dictionaries(st.sampled_from([*make_record(), "resources", "insightDetails"]), anything))
def test_members_of_any_shape_let_only_format_errors_out(record: dict[str, Any]) -> None:
    raw = to_bytes(record)

    if isinstance(record.get("eventID"), str) and record["eventID"]:
        assert (parse(raw).raw, parse(raw).event_id) == (raw, record["eventID"])
    else:
        with pytest.raises(FormatError, match="record has no eventID"):
            parse(raw)


@given(raw=st.binary())
def test_any_bytes_let_only_format_errors_out(raw: bytes) -> None:
    with pytest.raises(FormatError):
        parse(raw)


@given(record=records)
def test_the_bytes_are_kept_as_they_came(record: dict[str, Any]) -> None:
    raw = json.dumps(record, ensure_ascii=False).encode()

    assert parse(raw).raw == raw


def test_every_real_record_is_read_and_kept_as_it_came() -> None:
    lines = sample_lines()

    assert [parse(line).raw for line in lines] == lines


def test_line_ends_between_tokens_become_spaces_so_that_a_record_is_one_line() -> None:
    event = parse(b'{"eventID":"e",\r\n "x":\n"a\\nb"}')

    assert event.raw == b'{"eventID":"e",   "x": "a\\nb"}'


HOSTILE = ["raw", "place", "arrived", "arrived_at", "principal_arn", "issuer_arn", "invoked_by"]
HOSTILE += ["insight_type", "insight_source", "from_console", "event_id", "category"]


@pytest.mark.parametrize("sign", ["", " "])
@pytest.mark.parametrize("value", ['"forged"', '["1","2"]', "1.5", "true"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_record_cannot_set_a_routing_fact_by_our_own_name_for_it(name: str, value: str, sign: str) -> None:
    honest = to_bytes(make_record())
    forged = honest[:-1] + f',"{sign}{name}":{value}}}'.encode()

    assert facts(parse(forged)) == facts(parse(honest))


def test_numbers_of_any_size_neither_hurt_nor_change() -> None:
    huge = b"9" * 5000

    for read_only in (b"true", b'"true"'):  # the second is read loosely
        raw = b'{"eventID":"e","readOnly":' + read_only + b',"n":' + huge + b',"f":1e999,"z":-0}'
        assert (parse(raw).raw, parse(raw).read_only) == (raw, True)


def test_a_number_too_large_to_read_does_not_hide_who_called() -> None:
    raw = b'{"eventID":"e","readOnly":"true","userIdentity":{"arn":"a","n":' + b"9" * 5000 + b"}}"

    assert parse(raw).principal_arn == "a"


def test_of_two_members_of_one_name_the_last_counts_either_way_of_reading() -> None:
    quick = parse(b'{"eventID":"a","eventName":"x","eventName":"y","eventID":"b"}')
    loosely = parse(b'{"eventID":"a","eventName":"x","eventName":"y","eventID":"b","readOnly":"no"}')

    assert (quick.event_id, quick.name) == (loosely.event_id, loosely.name) == ("b", "y")


MALFORMED = {
    "nothing": b"",
    "an array": b"[]",
    "a string": b'"text"',
    "no eventID": b"{}",
    "an empty eventID": b'{"eventID":""}',
    "an eventID that is a number": b'{"eventID":1}',
    "not UTF-8, in a member nobody reads": b'{"eventID":"e","x":"\xff"}',
    "a surrogate in UTF-8": b'{"eventID":"e","x":"\xed\xa0\x80"}',
    "a lone surrogate": b'{"eventID":"e","x":"\\ud800"}',
    "a lone surrogate, read loosely": b'{"eventID":"e","readOnly":"true","x":"\\udc00"}',
    "nested too deeply": b'{"eventID":"e","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested too deeply, read loosely": b'{"readOnly":"x","eventID":"e","x":' + b"[" * 100_000,
    "a control character": b'{"eventID":"e","x":"a\x01b"}',
    "something behind it": b'{"eventID":"e"} {}',
    "a byte order mark": b'\xef\xbb\xbf{"eventID":"e"}',
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_record_is_a_format_error(raw: bytes) -> None:
    with pytest.raises(FormatError):
        parse(raw)


@pytest.mark.parametrize("account", ["", "12345678901", "***", "１２３４５６７８９０１２", "../../etc"])
def test_an_account_that_is_none_gives_way_to_the_carriers(account: str) -> None:
    event = parse(to_bytes(make_record(recipientAccountId=account)))

    assert event.place == Place(BUS.account, REGION)


@pytest.mark.parametrize("region", ["", "us", "US-EAST-1", "us-east-1/..", "us-east-１"])
def test_a_region_that_is_none_gives_way_to_the_carriers(region: str) -> None:
    event = parse(to_bytes(make_record(awsRegion=region)))

    assert event.place == Place(ACCOUNT, BUS.region)


@pytest.mark.parametrize(
    "time", [None, "", "yesterday", "2026-01-10T04:20:31.5Z", "２０２６-01-10T04:20:31Z"]
)
def test_a_time_that_is_none_gives_way_to_the_carriers(time: str | None) -> None:
    assert parse(to_bytes(make_record(eventTime=time))).time == CARRIED


@pytest.mark.parametrize(
    ("category", "management", "taken"),
    [
        (None, None, "Management"),
        (None, True, "Management"),
        (None, False, "Data"),
        ("Data", True, "Data"),
        ("Insight", None, "Insight"),
    ],
)
def test_a_record_without_category_is_a_management_event_unless_it_denies_it(
    category: str | None, management: bool | None, taken: str
) -> None:
    record = make_record(eventCategory=category, managementEvent=management)

    assert parse(to_bytes(record)).category == taken


def test_an_insight_names_its_call_one_level_down() -> None:
    record = make_record(
        eventSource=None,
        eventName=None,
        eventCategory="Insight",
        insightDetails={
            "insightType": "ApiCallRateInsight",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "RunInstances",
        },
    )

    event = parse(to_bytes(record))

    assert (event.insight_type, event.source, event.name) == (
        "ApiCallRateInsight",
        "ec2.amazonaws.com",
        "RunInstances",
    )


def test_a_resource_known_by_its_prefix_is_matched_by_it() -> None:
    raw = to_bytes(make_record(resources=[{"ARNPrefix": "arn:aws:s3:::b/", "type": "AWS::S3::Object"}]))

    assert parse(raw).resources == (Resource("AWS::S3::Object", "arn:aws:s3:::b/"),)
