"""What digest relies on in an anchor; the tests' own double and DynamoDB keep it alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from opentrail.adapters.aws.anchor import DynamoAnchor
from opentrail.errors import StorageError
from opentrail.format.times import to_iso
from opentrail.model.digest import Head
from tests.support.aws import Clients, make_table
from tests.support.fakes import FakeAnchor
from tests.support.values import BUCKET, HOME, START, make_trail

CHAIN = f"{make_trail().arn}#{HOME.account}#{HOME.region}"
NOON, LATER = "2026-01-10T12:00:00Z", "2026-01-10T13:00:00Z"

AnyAnchor = FakeAnchor | DynamoAnchor


@pytest.fixture(params=["fake", "dynamodb"])
def anchor(request: pytest.FixtureRequest, clients: Clients) -> AnyAnchor:
    return FakeAnchor() if request.param == "fake" else in_dynamodb(clients)


def in_dynamodb(clients: Clients) -> DynamoAnchor:
    return DynamoAnchor(clients("dynamodb"), make_table(clients))


def make_head(end: str = NOON, sha256: str = "aa", **changes: Any) -> Head:
    made = Head(bucket=BUCKET, key=f"digest {end}", sha256=sha256, signature="ff", chain_id=CHAIN, end=end)
    return msgspec.structs.replace(made, **changes)


def test_a_head_is_written_down_again_and_again(anchor: AnyAnchor) -> None:
    for _ in range(2):
        anchor.check(make_head())
        anchor.write(make_head())


def test_an_older_head_that_is_there_already_is_no_trouble(anchor: AnyAnchor) -> None:
    for end in (NOON, LATER):
        anchor.write(make_head(end))

    anchor.check(make_head(NOON))
    anchor.write(make_head(NOON))


@pytest.mark.parametrize(
    "rewritten",
    [
        pytest.param(make_head(LATER, "bb"), id="the newest"),
        pytest.param(make_head(NOON, "bb"), id="an older one"),
        pytest.param(make_head("2026-01-10T12:30:00Z"), id="one in between"),
        pytest.param(make_head("2026-01-10T04:00:00Z"), id="one before all"),
    ],
)
def test_the_anchor_does_not_go_back(anchor: AnyAnchor, rewritten: Head) -> None:
    for end in (NOON, LATER):
        anchor.write(make_head(end))

    for step in (anchor.check, anchor.write):
        with pytest.raises(StorageError) as refused:
            step(rewritten)
        assert refused.value.code == "AnchorRefused"


def test_late_files_and_other_chains_have_lines_of_their_own(anchor: AnyAnchor) -> None:
    anchor.write(make_head(LATER))

    anchor.write(make_head(NOON, "bb", backfill=True))
    anchor.write(make_head(NOON, "cc", chain_id=CHAIN.replace("us-east-1", "eu-west-1")))


def test_every_head_of_a_span_is_told_and_the_newest_of_each_line(clients: Clients) -> None:
    anchor = in_dynamodb(clients)
    ends = [to_iso(START + timedelta(hours=number)) for number in range(4)]
    late, abroad = make_head(ends[2], backfill=True), make_head(chain_id=CHAIN.replace("us", "eu"))
    for head in (*map(make_head, ends), late, abroad):
        anchor.write(head)

    told = anchor.heads(CHAIN, START + timedelta(hours=1), START + timedelta(hours=2))

    assert told == [make_head(ends[1]), make_head(ends[2]), late]
    assert sorted(head.line for head in anchor.newest()) == sorted([CHAIN, late.line, abroad.line])
    assert make_head(ends[3]) in anchor.newest()
