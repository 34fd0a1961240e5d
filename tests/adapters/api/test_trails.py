"""DynamoTrails against moto's DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.adapters.aws.trails import DynamoTrails, StoredTrail
from opentrail.errors import ConflictError, StorageError
from opentrail.model.trail import TrailStatus
from tests.adapters.api.conftest import ACCOUNT, ClientsFor, make_table, make_trail


@pytest.fixture
def client(clients_for: ClientsFor) -> Any:
    return clients_for(ACCOUNT, "us-east-1")("dynamodb")


@pytest.fixture
def trails(client: Any) -> DynamoTrails:
    make_table(client)
    return DynamoTrails(client, "trails")


def test_a_stored_trail_comes_back_equal(trails: DynamoTrails) -> None:
    trail = make_trail(
        multi_region=True,
        started_at=1768018831.123,
        tags={"team": "säkerhet"},
        advanced_event_selectors=[{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}],
    )

    trails.put(trail, new=True)

    assert trails.get(ACCOUNT, "us-east-1", "t1") == trail
    assert trails.read(ACCOUNT, "us-east-1", "t1") == StoredTrail(trail, 1)


def test_an_unknown_trail_is_none(trails: DynamoTrails) -> None:
    assert trails.get(ACCOUNT, "us-east-1", "t1") is None


def test_the_second_creation_of_a_name_conflicts_and_changes_nothing(trails: DynamoTrails) -> None:
    trails.put(make_trail(), new=True)

    with pytest.raises(ConflictError):
        trails.put(make_trail(bucket="other"), new=True)

    assert trails.trails_of(ACCOUNT) == [make_trail()]


def test_the_same_name_may_exist_in_two_regions_and_accounts(trails: DynamoTrails) -> None:
    places = [(ACCOUNT, "us-east-1"), (ACCOUNT, "eu-west-1"), ("999999999999", "us-east-1")]
    for account, region in places:
        trails.put(make_trail(account=account, home_region=region), new=True)

    assert [t.home_region for t in trails.trails_of(ACCOUNT)] == ["eu-west-1", "us-east-1"]
    assert {(t.account, t.home_region) for t in trails.all_trails()} == set(places)


def test_of_two_writers_that_read_the_same_version_one_loses(trails: DynamoTrails) -> None:
    trails.put(make_trail(), new=True)
    stored = trails.read(ACCOUNT, "us-east-1", "t1")
    assert stored is not None
    trails.replace(make_trail(bucket="first"), version=stored.version)

    with pytest.raises(ConflictError):
        trails.replace(make_trail(bucket="second"), version=stored.version)

    assert trails.read(ACCOUNT, "us-east-1", "t1") == StoredTrail(make_trail(bucket="first"), 2)


def test_a_deleted_trail_cannot_be_replaced_or_deleted_again(trails: DynamoTrails) -> None:
    trails.put(make_trail(), new=True)
    trails.delete(make_trail())

    with pytest.raises(ConflictError):
        trails.replace(make_trail(), version=1)
    with pytest.raises(ConflictError):
        trails.delete(make_trail())

    assert trails.all_trails() == []


def test_status_fields_are_updated_one_by_one_and_per_region(trails: DynamoTrails) -> None:
    arn = make_trail().arn
    trails.update_status(arn, "us-east-1", latest_delivery_time=1768018831.1239, latest_delivery_error="")
    trails.update_status(arn, "us-east-1", latest_digest_delivery_error="AccessDenied")
    trails.update_status(arn, "eu-west-1", latest_delivery_error="NoSuchBucket")

    assert trails.status(arn, "us-east-1") == TrailStatus(
        latest_delivery_time=1768018831.124, latest_digest_delivery_error="AccessDenied"
    )
    assert trails.status(arn, "eu-west-1") == TrailStatus(latest_delivery_error="NoSuchBucket")


def test_status_items_are_no_trails_and_are_deleted_together(trails: DynamoTrails) -> None:
    arn = make_trail().arn
    for region in ("us-east-1", "eu-west-1"):
        trails.update_status(arn, region, latest_delivery_time=1.0)
    assert trails.all_trails() == []

    trails.delete_status(arn)

    assert trails.status(arn, "us-east-1") == trails.status(arn, "eu-west-1") == TrailStatus()


@pytest.mark.parametrize("fields", [{}, {"latest_deliver_time": 1.0}])
def test_a_misspelt_status_field_is_refused(trails: DynamoTrails, fields: dict[str, float]) -> None:
    with pytest.raises(TypeError):
        trails.update_status("arn", "us-east-1", **fields)


def test_all_pages_are_read(trails: DynamoTrails, client: Any) -> None:
    body = [{"FieldSelectors": [{"Field": "resources.ARN", "StartsWith": ["x" * 2000] * 90}]}]
    for number in range(8):  # about 180 kB each: more than one page of 1 MB
        trails.put(make_trail(name=f"t{number}", advanced_event_selectors=body), new=True)
    first = client.scan(TableName="trails")
    assert "LastEvaluatedKey" in first

    assert len(trails.all_trails()) == len(trails.trails_of(ACCOUNT)) == 8


def test_a_missing_table_is_a_storage_error_with_its_code(client: Any) -> None:
    with pytest.raises(StorageError, match="nowhere") as caught:
        DynamoTrails(client, "nowhere").all_trails()

    assert caught.value.code == "ResourceNotFoundException"
