"""The frame around the actions: races, failing stores, what is not built."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.api.app import ACTIONS, MAX_ATTEMPTS
from opentrail.api.errors import COMMON_STATUS, ApiError
from opentrail.api.service import service_model
from opentrail.errors import ConflictError, StorageError
from opentrail.model.trail import Trail
from tests.unit.api.fakes import ACCOUNT, HOME, FakeTrails, World


class Contested(FakeTrails):
    """Before each of our first ``races`` writes, somebody else writes the trail."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races

    def replace(self, trail: Trail, *, version: int) -> None:
        if self.races:
            self.races -= 1
            key = (trail.account, trail.home_region, trail.name)
            rival = self.stored[key]
            self.stored[key] = rival._replace(
                trail=Trail(
                    **{f: getattr(rival.trail, f) for f in rival.trail.__struct_fields__ if f != "tags"},
                    tags={**rival.trail.tags, f"rival{self.races}": "x"},
                ),
                version=rival.version + 1,
            )
        super().replace(trail, version=version)


class Failing(FakeTrails):
    """A store that answers with an error."""

    def __init__(self, error: StorageError) -> None:
        super().__init__()
        self.error = error

    def trails_of(self, account: str) -> list[Trail]:
        raise self.error


def contested(races: int) -> World:
    world = World(trails=Contested(0))
    world.create()
    world.trails = Contested(races)
    world.trails.put(Trail(account=ACCOUNT, home_region=HOME, name="audit", bucket="logs"), new=True)
    return world


def test_a_lost_race_is_run_again_on_what_the_winner_left() -> None:
    world = contested(races=2)

    world.call("StartLogging", Name="audit")

    assert world.stored().logging is True
    assert world.stored().tags == {"rival0": "x", "rival1": "x"}


@pytest.mark.parametrize("operation", ["StartLogging", "UpdateTrail"])
def test_races_lost_again_and_again_are_a_conflict(operation: str) -> None:
    world = contested(races=MAX_ATTEMPTS)

    assert world.refusal(operation, Name="audit", RecursiveLogging=False)[0] == "ConflictException"


def test_of_two_creations_at_once_one_learns_that_the_trail_exists() -> None:
    class Late(FakeTrails):
        """Shows no trail until our own write of it lost."""

        def trails_of(self, account: str) -> list[Trail]:
            return super().trails_of(account) if self.lost else []

        def put(self, trail: Trail, *, new: bool) -> None:
            self.lost = True
            super().put(trail, new=new)

        lost = False

    world = World(trails=Late())
    world.trails.stored = {}
    FakeTrails.put(world.trails, Trail(account=ACCOUNT, home_region=HOME, name="audit", bucket="b"), new=True)

    code, _ = world.refusal("CreateTrail", Name="audit", S3BucketName="logs")

    assert code == "TrailAlreadyExistsException"
    assert world.stored().bucket == "b"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (
            StorageError("read dynamodb trails: secret detail", "AccessDeniedException"),
            500,
            "InternalFailure",
        ),
        (StorageError("read dynamodb trails: secret detail"), 503, "ServiceUnavailable"),
    ],
)
def test_a_failing_store_is_a_5xx_whose_reason_only_the_host_learns(
    error: StorageError, status: int, code: str
) -> None:
    reply = World(trails=Failing(error)).ask("ListTrails")

    assert (reply.status, json.loads(reply.body)["__type"]) == (status, code)
    assert b"secret" not in reply.body
    assert reply.failure == str(error)


def test_conflicts_on_reads_are_throttling() -> None:
    error = ConflictError("odd", "ConditionalCheckFailedException")

    assert World(trails=Failing(error)).refusal("ListTrails")[0] == "ThrottlingException"


def test_what_is_not_built_says_so_for_valid_input() -> None:
    inputs: dict[str, dict[str, Any]] = {
        "ListEventDataStores": {},
        "CreateChannel": {
            "Name": "abc",
            "Source": "Custom",
            "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": "x-1"}],
        },
    }
    for operation, members in inputs.items():
        assert World().refusal(operation, **members) == (
            "UnsupportedOperationException",
            f"OpenTrail does not support the operation {operation}.",
        )


def test_every_action_is_an_operation_of_the_model() -> None:
    assert set(ACTIONS) <= set(service_model().operation_names)


def test_only_common_errors_are_other_than_400() -> None:
    assert {ApiError(code, "").status for code in COMMON_STATUS} == {400, 403, 404, 413, 500, 503}
    assert ApiError("TrailNotFoundException", "").status == 400
