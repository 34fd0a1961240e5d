"""LookupEvents over a large history against the same over a small one: files read, money, processor time.

Both histories span 90 days of 15 account-Regions. Events come in working hours; every five minutes that
saw any become a segment, as delivery makes them, and the real roll-up puts those of an hour and of a day
together and binds days in blocks, as its runs until midnight do. The stores are in memory and count: DynamoDB
with its 1 MB pages and its rounding of units, S3 by requests.

For each attribute a value that has at least 50 events in both histories (a page of 50), then values that a
single event has. Money: on-demand list prices of us-east-1. Processor: of the whole of ``lookup_events``,
best of several, without what the stores themselves would take.

Asked for: at most 50 files a page, at most twice the cost, at most 16 bytes of index an event.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lambdas.rollup.handler import SETTLED
from opentrail.adapters.aws import items
from opentrail.adapters.aws.history import DynamoSegments, S3SegmentFiles
from opentrail.adapters.aws.history_blocks import DynamoBlocks
from opentrail.branches.history import Lookup, bind_segments, build_segment, find_events, roll_up
from opentrail.branches.history.blocks import MAX_SPAN_SECONDS
from opentrail.branches.history.rollup import DAY_SECONDS
from opentrail.format.keys import LOGS, log_key
from opentrail.format.log_file import build_log_file
from opentrail.format.times import to_iso
from opentrail.model.event import Place
from opentrail.model.log_file import LogFile
from tests.support.memory_table import MemoryTable, item_bytes

DAYS = 90
WINDOW_SECONDS = 300
NOW = datetime(2026, 4, 1, tzinfo=UTC)
LAST_RUN = NOW - timedelta(minutes=20)  # of the roll-up: ROLLUP_SCHEDULE
SETTLED_SECONDS = (LAST_RUN - SETTLED).hour * 3600  # of the last day
PLACES = [
    Place(f"{account}" * 12, region)
    for account in range(1, 6)
    for region in ("us-east-1", "eu-west-1", "us-west-2")
]
ASKED = PLACES[0]
HOURS = [1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 8, 9, 10, 10, 8, 6, 4, 3, 2, 2, 1, 1]  # weights

GET_DOLLARS = 0.4e-6  # S3 GET, per request
READ_UNIT_DOLLARS = 0.125e-6  # DynamoDB on demand
WRITE_UNIT_DOLLARS = 0.625e-6

USERS = [(f"user{n:02d}", f"AKIA{n:016d}", 1 / (n + 1)) for n in range(30)]
ACTIONS: list[tuple[str, str, bool, str, float]] = [  # source, name, read-only, parameter, weight
    ("iam", "GetUser", True, "userName", 10),
    ("iam", "CreateUser", False, "userName", 8),
    ("s3", "GetBucketAcl", True, "bucketName", 20),
    ("s3", "PutBucketPolicy", False, "bucketName", 8),
    ("kms", "Decrypt", True, "keyId", 20),
    ("sts", "GetCallerIdentity", True, "", 15),
    ("lambda", "UpdateFunctionCode20150331v2", False, "functionName", 9),
    ("logs", "DescribeLogStreams", True, "logGroupName", 10),
]


class Bucket:
    """S3's requests over one bucket."""

    def __init__(self) -> None:
        self.gets = 0
        self.objects: dict[str, bytes] = {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        self.gets += 1
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, **call: Any) -> None:
        self.objects[call["Key"]] = call["Body"]


@dataclass
class History:
    """One history and how it was made."""

    events: int
    table: MemoryTable = field(default_factory=MemoryTable)
    bucket: Bucket = field(default_factory=Bucket)
    unique: dict[str, str] = field(default_factory=dict)  # attribute -> a value that one event has

    def build(self) -> None:
        chance = random.Random(self.events)
        tokens = (f"{number:016d}" for number in itertools.count())
        for day in range(DAYS):
            start = NOW - timedelta(days=DAYS - day)
            for place in PLACES:
                self._deliver(place, start, chance, tokens)
                today = day == DAYS - 1
                self._roll_up(place, start, SETTLED_SECONDS if today else DAY_SECONDS, tokens, today)
                if not today:
                    self._bind(place, start + timedelta(days=1))

    def _deliver(self, place: Place, start: datetime, chance: random.Random, tokens: Iterator[str]) -> None:
        exact = self.events / DAYS / len(PLACES)
        count = math.floor(exact) + (chance.random() < exact % 1)
        hours = chance.choices(range(24), HOURS, k=count)
        moments = sorted(hour * 3600 + chance.randrange(3600) for hour in hours)
        for window, group in itertools.groupby(moments, key=lambda moment: moment // WINDOW_SECONDS):
            seconds = list(group)
            lines = [self._record(place, start + timedelta(seconds=s), chance) for s in seconds]
            created = start + timedelta(seconds=(window + 1) * WINDOW_SECONDS)
            self._store(place, lines, [start + timedelta(seconds=s) for s in seconds], created, next(tokens))

    def _store(
        self, place: Place, lines: list[bytes], times: list[datetime], created: datetime, token: str
    ) -> None:
        piece = b"\n".join(lines)
        sha256, body = build_log_file([piece], quick=True)
        key = log_key(
            prefix="history", organization="", place=place, folder=LOGS, delivered=created, token=token
        )
        file = LogFile(
            bucket="past",
            key=key,
            sha256=sha256,
            count=len(lines),
            oldest=to_iso(times[0]),
            newest=to_iso(times[-1]),
            created_at=created.timestamp(),
        )
        self.bucket.objects[key] = body
        segment = build_segment(place, file, [piece])
        for item in items.segment_items(segment, created_at=file.created_at, expires=0):
            self.table.put(item)

    def _roll_up(
        self, place: Place, start: datetime, seconds: int, tokens: Iterator[str], by_hour: bool
    ) -> None:
        old = [row["key"]["S"] for row in self._of_day(place, start)]
        roll_up(
            place,
            start=start.timestamp(),
            end=start.timestamp() + seconds,
            shelf=DynamoSegments(self.table, "history"),
            files=S3SegmentFiles(self.bucket),
            new_token=lambda: next(tokens),
            max_events=1000,
            period_seconds=3600 if by_hour else DAY_SECONDS,
        )
        kept = {row["key"]["S"] for row in self._of_day(place, start)}
        for key in old:
            if key not in kept:
                del self.bucket.objects[key]  # as the lifecycle does, later

    def _bind(self, place: Place, end: datetime) -> None:
        """As the run of the roll-up does that comes after midnight."""
        start = end.timestamp() - DAY_SECONDS - MAX_SPAN_SECONDS
        bind_segments(place, start=start, end=end.timestamp(), cabinet=DynamoBlocks(self.table, "history"))

    def _of_day(self, place: Place, start: datetime) -> list[dict[str, Any]]:
        answer = self.table.query(
            ExpressionAttributeValues={
                ":pk": {"S": items.segment_pk(place)},
                ":first": {"S": items.segment_sk(start.timestamp())},
                ":last": {"S": items.segment_sk((start + timedelta(days=1)).timestamp())},
            },
            ScanIndexForward=True,
            Limit=10_000,
        )
        found: list[dict[str, Any]] = answer["Items"]
        return found

    def _record(self, place: Place, moment: datetime, chance: random.Random) -> bytes:
        user, key, _ = chance.choices(USERS, [weight for *_, weight in USERS])[0]
        source, name, read_only, parameter, _ = chance.choices(ACTIONS, [a[4] for a in ACTIONS])[0]
        resource = f"thing{min(int(chance.expovariate(0.8)), 40)}"
        event_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        if place == ASKED and (NOW - moment) > timedelta(days=60) and "EventId" not in self.unique:
            key, user, resource = "ASIAONLYONCE", "once", "only-thing"
            source, name, read_only, parameter = "s3", "DeleteBucket", False, "bucketName"
            self.unique = {"EventId": event_id, "AccessKeyId": key, "Username": user}
            self.unique |= {"ResourceName": resource, "EventName": name}
        return _encode(place, moment, user, key, (source, name, read_only, parameter), resource, event_id)

    @property
    def index_bytes(self) -> int:
        """Everything the index holds but Insights' counts."""
        return sum(item_bytes(row, "counts") for row in self.table.rows())

    def size(self) -> str:
        """The index in words: its items and bytes, and what the roll-up paid for them."""
        rows = list(self.table.rows())
        drawers = sum("rows" in row for row in rows)
        counts = sum(map(item_bytes, rows)) - self.index_bytes
        written = self.table.write_units * WRITE_UNIT_DOLLARS * 1e6 / self.events
        return (
            f"index {self.index_bytes / self.events:.1f} bytes an event"
            f" and Insights' counts {counts / self.events:.1f}; {len(rows)} items, {drawers} of them drawers;"
            f"\n  the roll-up wrote it for ${written:.2f} a million events"
        )


def _encode(
    place: Place,
    moment: datetime,
    user: str,
    key: str,
    action: tuple[str, str, bool, str],
    resource: str,
    event_id: str,
) -> bytes:
    source, name, read_only, parameter = action
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": f"arn:aws:iam::{place.account}:user/{user}",
            "accountId": place.account,
            "accessKeyId": key,
            "userName": user,
        },
        "eventTime": to_iso(moment),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": place.region,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.31.2 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13",
        "requestParameters": {parameter: resource} if parameter else None,
        "responseElements": None,
        "requestID": event_id[::-1],
        "eventID": event_id,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": place.account,
        "eventCategory": "Management",
    }
    return json.dumps(record, separators=(",", ":")).encode()


FULL_PAGES = {
    "": "",
    "EventName": "GetBucketAcl",
    "EventSource": "kms.amazonaws.com",
    "ReadOnly": "false",
    "Username": "user00",
    "AccessKeyId": "AKIA0000000000000000",
    "ResourceName": "thing0",
    "ResourceType": "AWS::IAM::User",
}


@dataclass(frozen=True)
class Cost:
    """What one page took."""

    found: int
    gets: int
    queries: int
    dollars: float
    cpu_ms: float


def measure(history: History, attribute: str, value: str, rounds: int) -> Cost:
    """One first page."""
    lookup = Lookup(
        place=ASKED,
        start=to_iso(NOW - timedelta(days=DAYS)),
        end=to_iso(NOW),
        attribute=attribute,
        value=value,
    )
    table, bucket = history.table, history.bucket
    index, files = DynamoSegments(table, "history"), S3SegmentFiles(bucket)
    cpu = math.inf
    for _ in range(rounds):
        table.requests, table.read_units, bucket.gets = 0, 0.0, 0
        began = time.process_time()
        page = find_events(lookup, index=index, files=files)
        cpu = min(cpu, time.process_time() - began)
    dollars = bucket.gets * GET_DOLLARS + table.read_units * READ_UNIT_DOLLARS
    return Cost(len(page.events), bucket.gets, table.requests, dollars, cpu * 1000)


def main(arguments: list[str] | None = None, say: Callable[[str], None] = print) -> int:
    """Print the table; 1 when something asked for does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    large, small = History(options.events), History(options.small)
    for history in (small, large):
        began = time.monotonic()
        history.build()
        say(f"{history.events} events: {history.size()}")
        say(f"  (built in {time.monotonic() - began:.0f} s)")
    say(f"\n{'attribute':24} {'found':>5} {'files':>5} {'queries':>7} {'$/million':>9} {'ms':>6}   small:")
    bad = large.index_bytes > 16 * large.events
    cases = [(f"{name or 'none'}", name, value, value) for name, value in FULL_PAGES.items()]
    cases += [(f"{name} (one event)", name, large.unique[name], small.unique[name]) for name in large.unique]
    for title, name, value, small_value in cases:
        big = measure(large, name, value, options.rounds)
        little = measure(small, name, small_value, options.rounds)
        ratio = big.dollars / little.dollars
        bad = bad or big.gets > 50 or ratio > 2
        say(f"{title:24} {_row(big)}   {_row(little)}   {ratio:.2f}x $, {big.cpu_ms / little.cpu_ms:.2f}x ms")
    return int(bad)


def _row(cost: Cost) -> str:
    return f"{cost.found:5} {cost.gets:5} {cost.queries:7} {cost.dollars * 1e6:9.2f} {cost.cpu_ms:6.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
