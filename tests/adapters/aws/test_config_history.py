"""AWS Config as far as moto has it: one item for some types, found by name; and what it answers in pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from opentrail.adapters.aws.config_history import ConfigHistory
from opentrail.errors import StorageError
from tests.support.line import session_clients

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with mock_aws():
        yield session_clients()


def test_a_bucket_is_found_by_its_name(client: Any) -> None:
    client("s3").create_bucket(Bucket="audited")

    (item,) = ConfigHistory(client("config")).items("AWS::S3::Bucket", "audited", None, None)

    assert item.status == "ResourceDiscovered"
    assert item.state["configuration"]["name"] == "audited"
    assert item.captured.tzinfo is UTC


@pytest.mark.parametrize("type_", ["AWS::S3::Bucket", "AWS::IAM::User"])
def test_what_config_does_not_know_has_no_items(client: Any, type_: str) -> None:
    assert ConfigHistory(client("config")).items(type_, "nobody", None, None) == []


class Pages:
    """A client of Config with a history of two pages, or one that refuses."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.asked: dict[str, Any] = {}

    def list_discovered_resources(self, **_: Any) -> dict[str, Any]:
        return {"resourceIdentifiers": [{"resourceId": "AROA1"}]}

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "get_resource_config_history"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "GetResourceConfigHistory")
        self.asked = asked
        for moment, configuration in ((UNTIL, '{"a": 2}'), (SINCE, "not JSON")):
            item = {"configurationItemCaptureTime": moment, "configuration": configuration}
            yield {"configurationItems": [{**item, "relatedEvents": ["e1"]}]}


def test_every_page_of_the_window_is_read() -> None:
    pages = Pages()

    newest, oldest = ConfigHistory(pages).items("AWS::IAM::Role", "Deploy", SINCE, UNTIL)

    wanted = {"resourceType": "AWS::IAM::Role", "resourceId": "AROA1"}
    assert pages.asked == {**wanted, "earlierTime": SINCE, "laterTime": UNTIL}
    assert (newest.captured, newest.state) == (UNTIL, {"configuration": {"a": 2}})
    assert newest.event_ids == {"e1"}
    assert oldest.state == {"configuration": "not JSON"}


@pytest.mark.parametrize(
    "code", ["ResourceNotDiscoveredException", "NoAvailableConfigurationRecorderException"]
)
def test_a_config_that_records_nothing_has_no_items(code: str) -> None:
    assert ConfigHistory(Pages(code)).items("AWS::IAM::Role", "Deploy", None, None) == []


def test_a_refusal_is_told() -> None:
    with pytest.raises(StorageError, match="ask AWS Config about AWS::IAM::Role Deploy: .*AccessDenied"):
        ConfigHistory(Pages("AccessDeniedException")).items("AWS::IAM::Role", "Deploy", None, None)
