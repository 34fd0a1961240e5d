"""Queue messages -> log files: the whole pipeline against the cheapest thing that could be right.

Three ways over the same 100,000 records, turn about in slices of 10,000, CPU time, median of slices:

* floor: standard library gzip (level 6) and SHA-256 of the very bytes the pipeline wrote, nothing else;
* pipeline: parse, select for two trails and history, pack, unpack, join, hash, compress, ledger and index;
* sketch: the same two functions with ``json.loads``, dictionaries and ``json.dumps``, a queue message
  per destination in between, and the floor's gzip and SHA-256.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from benchmarks.records import PLACES, envelope, generate
from opentrail.branches.history import build_segment, count_data_events
from opentrail.format.chunk import decode_chunk, encode_chunk
from opentrail.format.log_file import decompress
from opentrail.model.log_file import FileRow, FileState
from opentrail.model.trail import Trail
from opentrail.pipeline.deliver import Intent, deliver_chunks
from opentrail.pipeline.record import Message, accept_messages
from opentrail.pipeline.select import Selection, pack_events

SLICE = 10_000  # records measured at a time
BATCH = 1000  # messages a record function takes at once
PAYLOAD_BYTES = 6_000_000  # of an invocation; AWS Lambda quotas
NOW = datetime(2026, 1, 10, 5, 0, tzinfo=UTC)
TRAILS = [
    Trail(
        account=PLACES[0][0],
        home_region=PLACES[0][1],
        name=name,
        bucket="audit-logs",
        multi_region=True,
        log_file_validation=True,
        logging=True,
        started_at=1.0,
        event_selectors=selectors,
    )
    for name, selectors in (
        ("all", None),
        ("writes", [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]),
    )
]


class MemoryLedger:
    """A ledger that takes every intent: the benchmark measures our work, not DynamoDB's."""

    def intend(self, intent: Intent) -> None:
        """Take it."""

    def owners(self, chunk_ids: Sequence[str]) -> Mapping[str, FileRow | None]:
        """Nothing was claimed."""
        return {}

    def settle(self, file_id: str, state: FileState) -> None:
        """Take it."""


class MemoryStore:
    """Keeps the objects."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def put(self, bucket: str, key: str, body: bytes, **headers: Any) -> None:
        """Keep one."""
        self.objects[bucket, key] = body

    def read(self, bucket: str, key: str) -> bytes | None:
        """Find one."""
        return self.objects.get((bucket, key))


def run_pipeline(bodies: list[str]) -> MemoryStore:
    """Record and deliver ``bodies`` as the two functions do."""
    return run_deliver(run_record(bodies))


def run_record(bodies: list[str]) -> list[str]:
    """What the record function puts on the delivery queue."""
    selection = Selection(TRAILS, history_bucket="history")
    queue = []
    for start in range(0, len(bodies), BATCH):
        messages = [Message(str(i), body, 2.0) for i, body in enumerate(bodies[start : start + BATCH])]
        accepted = accept_messages(messages, own_roles=())
        assert not accepted.rejected
        queue += [
            encode_chunk(chunk)
            for chunk in pack_events(accepted.events, selection, max_chunk_bytes=1_000_000)
        ]
    return queue


def run_deliver(queue: list[str]) -> MemoryStore:
    """What the deliver function makes of that."""
    store = MemoryStore()
    numbers = iter(range(10**9))
    for batch in _batches(queue):
        delivery = deliver_chunks(
            [decode_chunk(body) for body in batch],
            ledger=MemoryLedger(),
            store=store,
            describe=build_segment,
            count=count_data_events,
            now=NOW,
            new_token=lambda: f"{next(numbers):016d}",
            max_file_bytes=50_000_000,
            settle_seconds=60,
        )
        assert not delivery.failed
    return store


def _batches(queue: list[str]) -> Iterator[list[str]]:
    """What one invocation of the deliver function gets."""
    batch: list[str] = []
    for body in queue:
        if batch and sum(map(len, batch)) + len(body) > PAYLOAD_BYTES:
            yield batch
            batch = []
        batch.append(body)
    yield batch


def run_sketch(bodies: list[str]) -> int:
    """The obvious way to do the same two functions' work: dictionaries all along."""
    queue = [
        chunk
        for start in range(0, len(bodies), BATCH)
        for chunk in _sketch_record(bodies[start : start + BATCH])
    ]
    files: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for body in queue:
        chunk = json.loads(body)
        files[(chunk["destination"], chunk["account"], chunk["region"])] += chunk["records"]
    size = 0
    for (destination, _, _), records in files.items():
        document = json.dumps({"Records": records}, separators=(",", ":")).encode()
        hashlib.sha256(document).hexdigest()
        size += len(gzip.compress(document, 6))
        if destination == "history":
            size += len(
                {r["eventID"] for r in records} | {r["eventName"] for r in records if "eventName" in r}
            )
    return size


def _sketch_record(bodies: list[str]) -> list[str]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for body in bodies:
        record = json.loads(body)["detail"]
        place = (record["recipientAccountId"], record["awsRegion"])
        management = record.get("eventCategory", "Management") == "Management"
        if management:
            groups[("all", *place)].append(record)
            groups[("history", *place)].append(record)
        if management and not record.get("readOnly"):
            groups[("writes", *place)].append(record)
    return [
        json.dumps({"destination": name, "account": account, "region": region, "records": records})
        for (name, account, region), records in groups.items()
    ]


def run_floor(documents: list[bytes]) -> int:
    """Hash and compress what the pipeline wrote."""
    size = 0
    for document in documents:
        hashlib.sha256(document).hexdigest()
        size += len(gzip.compress(document, 6))
    return size


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    bodies = [envelope(raw, number) for number, raw in enumerate(generate(options.records))]
    times: dict[str, list[float]] = defaultdict(list)
    written = stored = files = 0
    for start in range(0, len(bodies), SLICE):
        part = bodies[start : start + SLICE]
        store = run_pipeline(part)
        documents = [decompress(body) for body in store.objects.values()]
        written += sum(map(len, documents))
        stored += sum(map(len, store.objects.values()))
        files += len(documents)
        times["floor"].append(cpu_seconds(partial(run_floor, documents)))
        times["pipeline"].append(cpu_seconds(partial(run_pipeline, part)))
        times["sketch"].append(cpu_seconds(partial(run_sketch, part)))
    to_floor = median_ratio(times["pipeline"], times["floor"])
    to_sketch = median_ratio(times["sketch"], times["pipeline"])
    size = f"{written / 1e6:.0f} MB in {files} files, stored as {stored / 1e6:.1f} MB"
    print(f"{options.records} records to two trails and history: {size}")
    print(f"pipeline / (gzip-6 + sha256 of the same bytes): {to_floor:.2f}x   aim <= 0.90x")
    print(f"json sketch / pipeline:                         {to_sketch:.1f}x    aim >= 3x")


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over slices: a neighbour's burst on the same cores spoils a slice, not the answer."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
