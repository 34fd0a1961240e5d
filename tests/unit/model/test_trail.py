"""Trails and destinations: since when their files go into digests."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opentrail.model.log_file import HISTORY, Destination
from opentrail.model.trail import Trail
from tests.support.values import make_destination, make_trail


def test_a_trail_is_named_by_partition_region_account_and_name() -> None:
    trail = make_trail(partition="aws-cn", home_region="cn-north-1", name="all")

    assert trail.arn == "arn:aws-cn:cloudtrail:cn-north-1:123456789012:trail/all"


@pytest.mark.parametrize(
    ("changes", "since"),
    [
        ({"started_at": 5.0, "validation_since": 3.0}, 5.0),
        ({"started_at": 3.0, "validation_since": 5.0}, 5.0),
        ({"logging": False}, 0.0),
        ({"log_file_validation": False}, 0.0),
    ],
)
def test_files_are_digested_since_both_logging_and_validation_are_on(
    changes: dict[str, Any], since: float
) -> None:
    assert make_trail(**changes).digested_since == since


def test_a_stored_trail_is_read_back_whole() -> None:
    trail = make_trail(tags={"team": "audit"}, event_selectors=[{"ReadWriteType": "All"}], prefix="p")

    assert msgspec.json.decode(msgspec.json.encode(trail), type=Trail) == trail


def test_a_trail_stored_by_a_later_version_can_still_be_read() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(make_trail()))

    assert msgspec.convert({**stored, "added_later": 1}, Trail) == make_trail()


def test_only_history_is_history() -> None:
    assert Destination(name=HISTORY, bucket="past").is_history
    assert not make_destination().is_history
