"""Digests in each situation CloudTrail documents: what the functions write to S3, tables and status on moto.

How windows end is specified in ``tests/unit/pipeline``; the real validate-logs judges the same
situations in ``tests/conformance/integrity/test_situations.py``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from opentrail.format import log_file
from opentrail.format.keys import parse_digest_key
from opentrail.model.event import Place
from opentrail.pipeline.digest import Closing
from tests.support.crash import Crash, Fuse
from tests.support.line import SETTLE_SECONDS, Line
from tests.support.records import ACCOUNT, REGION, envelope, make_record, to_bytes

MEMBER = "222222222222"
ORGANIZATION = "o-abcdefghij"
ABROAD = "eu-west-1"


def record(line: Line, *records: dict[str, Any]) -> None:
    line.record(envelope(to_bytes(made)) for made in records)
    line.deliver(line.queued_chunks())


def by_chain(line: Line) -> dict[tuple[str, Place], list[dict[str, Any]]]:
    """Every digest by trail and place, oldest first."""
    found: dict[tuple[str, Place], list[dict[str, Any]]] = {}
    for said in line.digests():
        key = parse_digest_key(said["digestS3Object"])
        found.setdefault((key.trail, key.place), []).append(said)
    return {name: sorted(chain, key=lambda said: said["digestEndTime"]) for name, chain in found.items()}


def assert_whole(chain: list[dict[str, Any]]) -> None:
    """Windows touch; each digest but the first names the one before it."""
    assert chain[0]["previousDigestS3Object"] is None
    for older, newer in pairwise(chain):
        assert newer["digestStartTime"] == older["digestEndTime"]
        assert newer["previousDigestS3Object"] == older["digestS3Object"]


def test_trails_regions_and_accounts_have_a_chain_each(line: Line) -> None:
    line.start_trail("own")
    line.start_trail("whole", organization_id=ORGANIZATION)
    for _ in range(2):
        record(line, *(make_record(awsRegion=r, recipientAccountId=a) for r in (REGION, ABROAD) for a in
                       (ACCOUNT, MEMBER)))  # fmt: skip
        line.wait(hours=1)
        line.close()

    chains = by_chain(line)
    places = [Place(account, region) for account in (ACCOUNT, MEMBER) for region in (REGION, ABROAD)]
    assert set(chains) == {(trail, place) for trail in ("own", "whole") for place in places}
    for (_, place), chain in chains.items():
        assert_whole(chain)
        assert {said["awsAccountId"] for said in chain} == {place.account}
        assert [len(said["logFiles"]) for said in chain] == [1, 1]
    assert line.listed_files() == dict.fromkeys(line.logs(), 1)


def test_an_organizations_digests_lie_in_its_folder(line: Line) -> None:
    line.start_trail(organization_id=ORGANIZATION, prefix="p")
    record(line, make_record(recipientAccountId=MEMBER))
    line.wait(hours=1)

    line.close()

    keys = [said["digestS3Object"] for said in line.digests()]
    assert sorted(key.partition("/CloudTrail-Digest/")[0] for key in keys) == [
        f"p/AWSLogs/{ORGANIZATION}/{ACCOUNT}",
        f"p/AWSLogs/{ORGANIZATION}/{MEMBER}",
    ]


def test_files_of_insight_events_are_listed_too(line: Line) -> None:
    line.start_trail(insight_selectors=[{"InsightType": "ApiCallRateInsight"}])
    insight = make_record(
        eventType="AwsCloudTrailInsight",
        eventCategory="Insight",
        insightDetails={"insightType": "ApiCallRateInsight", "state": "Start"},
    )
    record(line, insight, make_record())
    line.wait(hours=1)

    line.close()

    assert {key.split("/")[2] for key in line.listed_files()} == {"CloudTrail", "CloudTrail-Insight"}


class Meanwhile(Fuse):
    """Lets somebody else do something at call number ``at``, and goes on."""

    def __init__(self, at: int, act: Callable[[], Any]) -> None:
        super().__init__(at)
        self._act = act

    def run(self, call: Callable[[], Any], name: str) -> Any:
        self.calls += 1
        if self.calls == self.at:
            self.blown = True
            self._act()
        return call()


def test_two_invocations_at_once_write_each_digest_once(clients: Callable[[str], Any]) -> None:
    """The second runs from begin to end within each call of the first."""
    at = 1
    while True:
        line, rivals = Line(clients), list[Closing]()
        line.start_trail()
        record(line, make_record())
        line.wait(hours=2)
        fuse = Meanwhile(at, lambda line=line, rivals=rivals: rivals.append(line.close()))  # type: ignore[misc]

        mine = line.close(fuse)

        written = Counter(closed.key for closing in (mine, *rivals) for closed in closing.closed)
        assert set(written) == {said["digestS3Object"] for said in line.digests()}
        assert len(written) == 2
        for chain in by_chain(line).values():
            assert_whole(chain)
        assert line.listed_files() == dict.fromkeys(line.logs(), 1)
        if not fuse.blown:
            return
        at += 1


def test_trouble_is_told_by_the_trails_status_until_it_is_over(line: Line) -> None:
    trail = line.start_trail(bucket=f"{line.name}-missing")
    line.wait(hours=1)
    line.close()
    during = line.trails.status(trail.arn, REGION)
    line.wait(minutes=10)
    line.client("s3").create_bucket(Bucket=trail.bucket)

    line.close()  # no window is due: what was decided is stored

    after = line.trails.status(trail.arn, REGION)
    assert (during.latest_digest_delivery_error, during.latest_digest_delivery_time) == ("NoSuchBucket", 0)
    assert after.latest_digest_delivery_error == ""
    assert after.latest_digest_delivery_time == line.now.timestamp()
    assert len([key for key in line.objects(trail.bucket) if "/CloudTrail-Digest/" in key]) == 1


def test_a_day_in_which_the_bucket_refused_is_made_good_window_by_window(line: Line) -> None:
    trail = line.start_trail(bucket=f"{line.name}-missing")
    for _ in range(24):
        line.wait(hours=1)
        line.close()
    line.client("s3").create_bucket(Bucket=trail.bucket)

    closing = line.close()

    objects = line.objects(trail.bucket).items()
    said = [json.loads(log_file.decompress(body)) for key, body in objects if "/CloudTrail-Digest/" in key]
    assert len(closing.closed) == 24
    assert_whole(sorted(said, key=lambda one: one["digestEndTime"]))


class DiesAfterPut(Fuse):
    """The process dies when its first object is stored, before the ledger hears of it."""

    def run(self, call: Callable[[], Any], name: str) -> Any:
        self.at, self.after = (self.calls + 1 if name == "put_object" else 0), True
        return super().run(call, name)


def late_file(line: Line) -> str:
    """A delivery that is still under way when its window's digest is made; its file."""
    before = set(line.logs())
    line.record([envelope(to_bytes(make_record()))])
    with pytest.raises(Crash):
        line.deliver(line.queued_chunks(), DiesAfterPut())
    (key,) = set(line.logs()) - before
    return key


def test_a_file_whose_delivery_died_half_way_is_backfilled(line: Line) -> None:
    trail = line.start_trail()
    line.wait(minutes=39, seconds=60 - SETTLE_SECONDS / 2)
    key = late_file(line)
    line.wait(seconds=SETTLE_SECONDS / 2)
    line.close()
    line.wait(hours=1)

    line.close()

    late = [said for said in line.digests() if said["digestS3Object"].endswith("_backfill.json.gz")]
    assert [[file["s3Object"] for file in said["logFiles"]] for said in late] == [[key]]
    stored = line.client("s3").head_object(Bucket=trail.bucket, Key=late[0]["digestS3Object"])
    assert stored["Metadata"]["backfill-generation-timestamp"] == "2026-01-10T06:00:00.000Z"
