"""What the API relies on in a trail store: the double of the unit tests and DynamoDB must agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.api.ports import TrailStore
from opentrail.errors import ConflictError
from opentrail.model.trail import TrailStatus
from tests.adapters.api.conftest import ACCOUNT, ClientsFor, make_table, make_trail
from tests.unit.api.fakes import FakeTrails


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest, clients_for: ClientsFor) -> Iterator[TrailStore]:
    if request.param == "fake":
        yield FakeTrails()
        return
    client = clients_for(ACCOUNT, "us-east-1")("dynamodb")
    make_table(client)
    yield DynamoTrails(client, "trails")


def test_creation_is_once_and_reads_see_it(store: TrailStore) -> None:
    store.put(make_trail(), new=True)

    with pytest.raises(ConflictError):
        store.put(make_trail(bucket="other"), new=True)

    stored = store.read(ACCOUNT, "us-east-1", "t1")
    assert stored is not None
    assert (stored.trail, stored.version) == (make_trail(), 1)
    assert store.trails_of(ACCOUNT) == [make_trail()]
    assert store.trails_of("999999999999") == []


def test_replacing_needs_the_version_that_is_there(store: TrailStore) -> None:
    store.put(make_trail(), new=True)
    store.replace(make_trail(bucket="b2"), version=1)

    with pytest.raises(ConflictError):
        store.replace(make_trail(bucket="b3"), version=1)

    store.replace(make_trail(bucket="b4"), version=2)
    assert store.trails_of(ACCOUNT) == [make_trail(bucket="b4")]


def test_deleting_is_once_and_ends_all_replacing(store: TrailStore) -> None:
    store.put(make_trail(), new=True)
    store.delete(make_trail())

    with pytest.raises(ConflictError):
        store.delete(make_trail())
    with pytest.raises(ConflictError):
        store.replace(make_trail(), version=1)

    assert store.read(ACCOUNT, "us-east-1", "t1") is None


def test_trails_come_in_order_of_region_and_name(store: TrailStore) -> None:
    for region, name in [("us-east-1", "b"), ("us-east-1", "a"), ("eu-west-1", "c")]:
        store.put(make_trail(home_region=region, name=name), new=True)

    assert [trail.name for trail in store.trails_of(ACCOUNT)] == ["c", "a", "b"]


def test_no_status_is_an_empty_status(store: TrailStore) -> None:
    store.delete_status("arn:none")

    assert store.status("arn:none", "us-east-1") == TrailStatus()


def test_a_status_keeps_what_is_not_written_again(store: TrailStore) -> None:
    arn = make_trail().arn
    store.update_status(arn, "us-east-1", latest_notification_time=5.0)
    store.update_status(arn, "us-east-1", latest_notification_error="NotFound")

    assert store.status(arn, "us-east-1") == TrailStatus(
        latest_notification_time=5.0, latest_notification_error="NotFound"
    )
    assert store.status(arn, "eu-west-1") == TrailStatus()
