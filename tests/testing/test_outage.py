"""The record function stands still, as in an outage of its Region: calls wait, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentrail.testing.world import OpenTrail


@contextmanager
def outage(opentrail: OpenTrail) -> Iterator[None]:
    """Take the queue away from the record function, and give it back."""
    client: Any = opentrail.runtime.clients("lambda")
    name = opentrail.runtime.outputs["RecordFunctionName"]
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def test_calls_during_an_outage_wait_and_are_all_delivered_after_it(opentrail: OpenTrail) -> None:
    trail = opentrail.trail()
    iam = opentrail.client("iam")
    users = [f"user-{number}" for number in range(25)]

    with outage(opentrail):
        for user in users:
            iam.create_user(UserName=user)
        opentrail.flush()
        during = trail.events("CreateUser")
        waiting = opentrail.runtime.status()["waiting"]["IntakeQueue"]
    opentrail.flush()

    assert (during, waiting) == ([], len(users))
    delivered = [event["requestParameters"]["userName"] for event in trail.events("CreateUser")]
    assert sorted(delivered) == sorted(users)
