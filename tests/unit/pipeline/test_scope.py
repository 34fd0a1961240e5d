"""Which destinations see an event: place, logging window, global services, recursion, history."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Event, Place
from opentrail.model.log_file import HISTORY
from opentrail.model.trail import Trail
from opentrail.pipeline.select import Selection
from opentrail.pipeline.select.scope import happened_at
from tests.support.values import ABROAD, HOME, START, make_event, make_trail

T0 = START.timestamp()


def chosen(event: Event, *trails: Trail) -> list[str]:
    """Names of the trails that take ``event``; asked twice, for the second answer is a remembered one."""
    selection = Selection(trails, history_bucket="past")
    answers = [selection.destinations(event) for _ in range(2)]
    assert answers[0] is answers[1]
    return [d.name.rpartition("/")[2] for d in answers[0] if not d.is_history]


@pytest.mark.parametrize(
    ("place", "multi_region", "taken"),
    [
        (HOME, False, ["main"]),
        (ABROAD, False, []),
        (ABROAD, True, ["main"]),
        (Place("999988887777", HOME.region), True, []),
    ],
)
def test_a_trail_sees_its_own_account_and_its_home_region_or_all(
    place: Place, multi_region: bool, taken: list[str]
) -> None:
    assert chosen(make_event(place=place), make_trail(multi_region=multi_region)) == taken


MEMBER = Place("222222222222", "eu-west-1")


@pytest.mark.parametrize(
    ("place", "trail", "taken"),
    [
        (MEMBER, {"organization_id": "o-1"}, ["main"]),
        (MEMBER, {"organization_id": "o-1", "multi_region": False}, []),
        (Place(MEMBER.account, HOME.region), {"organization_id": "o-1", "multi_region": False}, ["main"]),
        (MEMBER, {"organization_id": "o-2"}, []),
        (MEMBER, {}, []),
        (Place("999988887777", "eu-west-1"), {"organization_id": "o-1"}, []),
    ],
    ids=["member", "other Region", "home Region", "other organization", "no organization", "stranger"],
)
def test_an_organizations_trail_sees_its_members(
    place: Place, trail: dict[str, Any], taken: list[str]
) -> None:
    members = {"o-1": {HOME.account, MEMBER.account}}
    selection = Selection([make_trail(**trail)], history_bucket="past", members=members)

    found = selection.destinations(make_event(place=place))

    assert [d.name.rpartition("/")[2] for d in found if not d.is_history] == taken


def test_a_trail_sees_what_arrived_on_its_bus_wherever_the_record_says_it_is_of() -> None:
    replayed = make_event(place=Place("999988887777", "eu-west-1"), arrived=HOME)

    assert chosen(replayed, make_trail(multi_region=False)) == ["main"]


@pytest.mark.parametrize(("seconds", "taken"), [(-0.001, []), (0.0, ["main"]), (3600.0, ["main"])])
def test_a_running_trail_takes_what_arrives_from_its_start_on(seconds: float, taken: list[str]) -> None:
    old = make_event(arrived_at=T0 + seconds, time="2020-01-01T00:00:00Z")

    assert chosen(old, make_trail(started_at=T0)) == taken


def stopped(**changes: Any) -> Trail:
    return make_trail(**{"logging": False, "started_at": T0, "stopped_at": T0 + 60, **changes})


@pytest.mark.parametrize(("seconds", "taken"), [(-1, []), (0, ["main"]), (60, ["main"]), (61, [])])
def test_a_stopped_trail_still_takes_what_happened_while_it_ran(seconds: int, taken: list[str]) -> None:
    late = make_event(arrived_at=T0 + 900, time=to_iso(from_epoch(T0 + seconds)))

    assert chosen(late, stopped()) == taken


def test_a_trail_that_never_started_takes_nothing() -> None:
    assert chosen(make_event(), make_trail(logging=False, started_at=0.0, stopped_at=0.0)) == []


def minted(milliseconds: int) -> str:
    """An eventID that carries its time, as those do that OpenTrail makes (RFC 9562, version 7)."""
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-7abc-8abc-0123456789ab"


@pytest.mark.parametrize(("milliseconds", "taken"), [(0, ["main"]), (500, ["main"]), (501, []), (999, [])])
def test_a_stop_within_a_second_parts_events_by_the_milliseconds_of_their_ids(
    milliseconds: int, taken: list[str]
) -> None:
    moment = int(T0) + 60
    event = make_event(
        minted(moment * 1000 + milliseconds), time=to_iso(from_epoch(moment)), arrived_at=T0 + 900
    )

    assert chosen(event, stopped(stopped_at=moment + 0.5)) == taken


@pytest.mark.parametrize(
    ("event_id", "happened"),
    [
        (minted(int(T0) * 1000 + 250), T0 + 0.25),
        (minted(int(T0 + 3600) * 1000), T0),  # only looks like one of ours: an hour off its eventTime
        ("0" * 14 + "7" + "0" * 21, T0),
        ("zzzzzzzz-zzzz-7zzz-zzzz-zzzzzzzzzzzz", T0),
        ("0f7b8c1e-0000-4000-8000-000000000000", T0),
        ("e", T0),
    ],
)
def test_an_event_happened_at_its_eventtime_or_at_the_time_minted_into_its_id(
    event_id: str, happened: float
) -> None:
    assert happened_at(make_event(event_id)) == happened


def test_an_event_whose_time_is_none_happened_when_it_arrived() -> None:
    assert happened_at(make_event(time="2026-99-99T99:99:99Z", arrived_at=T0 + 7.5)) == T0 + 7.5


@pytest.mark.parametrize("source", ["iam.amazonaws.com", "sts.amazonaws.com", "cloudfront.amazonaws.com"])
def test_a_trail_may_leave_out_the_events_of_global_services(source: str) -> None:
    without = make_trail(include_global_service_events=False)

    assert chosen(make_event(source=source), without) == []
    assert chosen(make_event(source=source), make_trail()) == ["main"]


def test_regional_calls_are_no_global_service_events() -> None:
    without = make_trail(include_global_service_events=False)

    assert chosen(make_event(source="ec2.amazonaws.com"), without) == ["main"]
    assert chosen(make_event(source="sts.amazonaws.com", place=ABROAD), without) == ["main"]


@pytest.mark.parametrize(
    ("source", "name", "invoked_by", "taken"),
    [
        ("s3.amazonaws.com", "PutObject", "cloudtrail.amazonaws.com", []),
        ("logs.amazonaws.com", "PutLogEvents", "cloudtrail.amazonaws.com", []),
        ("s3.amazonaws.com", "PutObject", "", ["main"]),
        ("s3.amazonaws.com", "GetObject", "cloudtrail.amazonaws.com", ["main"]),
    ],
)
def test_without_recursive_logging_cloudtrails_own_writes_are_left_out(
    source: str, name: str, invoked_by: str, taken: list[str]
) -> None:
    event = make_event(source=source, name=name, invoked_by=invoked_by)

    assert chosen(event, make_trail(recursive_logging=False)) == taken
    assert chosen(event, make_trail(recursive_logging=True)) == ["main"]


@pytest.mark.parametrize(
    ("category", "kept"),
    [("Management", True), ("Insight", True), ("Data", False), ("NetworkActivity", False)],
)
@pytest.mark.parametrize("trails", [(), (make_trail(logging=False),)])
def test_history_takes_management_events_and_insights_whatever_the_trails_say(
    trails: tuple[Trail, ...], category: str, kept: bool
) -> None:
    selection = Selection(trails, history_bucket="past")

    names = [destination.name for destination in selection.destinations(make_event(category=category))]

    assert names == [HISTORY] * kept


def test_history_takes_nothing_that_nobody_could_look_up_any_more() -> None:
    selection = Selection([make_trail()], history_bucket="past", history_since="2025-10-12T00:00:00Z")

    found = [
        [d.is_history for d in selection.destinations(make_event(time=time))]
        for time in ("2025-10-11T23:59:59Z", "2025-10-12T00:00:00Z")
    ]

    assert found == [[False], [False, True]]


def test_every_trail_that_wants_an_event_gets_it_and_history_comes_last() -> None:
    selection = Selection([make_trail(name="a"), make_trail(name="b")], history_bucket="past")

    found = selection.destinations(make_event())

    assert [destination.name.rpartition("/")[2] for destination in found] == ["a", "b", HISTORY]


def test_a_destination_carries_what_delivery_must_know_of_its_trail() -> None:
    trail = make_trail(
        prefix="p",
        organization_id="o-abcdefghij",
        kms_key_arn="k",
        sns_topic_arn="t",
        log_group_arn="g",
        validation_since=T0 + 5,
    )

    found = Selection([trail], history_bucket="past").destinations(make_event())[0]

    assert (found.name, found.bucket, found.prefix, found.organization_id) == (
        trail.arn,
        "audit-logs",
        "p",
        "o-abcdefghij",
    )
    assert (found.kms_key_arn, found.sns_topic_arn, found.log_group_arn) == ("k", "t", "g")
    assert found.digested_since == T0 + 5


def test_files_of_a_trail_without_validation_are_in_no_digest() -> None:
    trail = make_trail(log_file_validation=False)

    found = Selection([trail], history_bucket="past").destinations(make_event())[0]

    assert not found.digested
