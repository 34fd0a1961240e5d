"""The model of cost counts the calls the functions make, and the units DynamoDB takes for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import ceil
from typing import Any

import pytest

from lambdas.deliver import handler as deliver
from lambdas.digest import handler as digest
from lambdas.record import handler as record
from opentrail.branches.cost import drivers
from opentrail.pipeline.record import Message
from tests.support.line import Line
from tests.support.records import envelope, make_record, to_bytes

KB = 1024


class Meter:
    """Clients that count their calls by name, and DynamoDB's write units as ``units``."""

    def __init__(self, line: Line) -> None:
        self.calls: Counter[str] = Counter()
        self._line = line

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return _Metered(self._line.client(service), self.calls)


class _Metered:
    def __init__(self, client: Any, calls: Counter[str]) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not callable(method):
            return method

        def call(**arguments: Any) -> Any:
            self._calls[name] += 1
            self._calls["units"] += units(name, arguments)
            return method(**arguments)

        return call


def units(name: str, arguments: dict[str, Any]) -> int:
    """DynamoDB developer guide, "Read and write operations": a unit a kilobyte, two in a transaction."""
    if name == "put_item":
        return ceil(size(arguments["Item"]) / KB)
    if name == "update_item":
        return 1  # what is updated is small: a row's state, a trail's status
    if name == "transact_write_items":
        puts = [write["Put"]["Item"] for write in arguments["TransactItems"]]
        return sum(2 * ceil(size(item) / KB) for item in puts)
    if name == "batch_write_item":
        return sum(len(requests) for requests in arguments["RequestItems"].values())
    return 0


def size(item: dict[str, dict[str, Any]]) -> int:
    """Bytes of an item: names and values, numbers as text."""
    return sum(
        len(name) + len(value) for name, typed in item.items() for value in map(as_bytes, typed.values())
    )


def as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def chunks_of(line: Line, batches: int) -> list[Any]:
    """One chunk of a full event from each of so many batches."""
    for _ in range(batches):
        line.record([envelope(to_bytes(make_record()))])
    return line.queued_chunks()


@pytest.fixture
def started(line: Line) -> Line:
    """A line with one trail, whose digest chain has begun."""
    line.start_trail()
    line.deliver(chunks_of(line, 1))
    line.wait(hours=1)
    line.close()
    return line


@pytest.fixture
def delivered(started: Line) -> Callable[[int], Counter[str]]:
    """What delivering so many chunks takes, for one trail and history, where the chain is known."""

    def run(count: int) -> Counter[str]:
        meter = Meter(started)
        function = deliver.build(started.deliver_settings(), meter.client)
        function.deliver(chunks_of(started, 1), started.now)
        meter.calls.clear()
        function.deliver(chunks_of(started, count), started.now)
        return meter.calls

    return run


def test_a_file_is_one_object_for_the_trail_and_one_for_history(
    delivered: Callable[[int], Counter[str]],
) -> None:
    calls = delivered(3)

    assert (calls["put_object"], calls["get_object"]) == (2, 0)
    assert (calls["transact_write_items"], calls["update_item"]) == (2, 3)


@pytest.mark.parametrize("count", [1, 5])
def test_write_units_of_files(delivered: Callable[[int], Counter[str]], count: int) -> None:
    entry = 2  # of history's index: a small one, in a transaction

    files, claims = 2, 2 * count

    assert delivered(count)["units"] == (
        files * drivers.FILE_WRITES + claims * drivers.CLAIM_WRITES + entry + drivers.STATUS_WRITES
    )


def test_a_digest_writes_two_objects_and_two_signatures_and_reads_its_files(started: Line) -> None:
    for _ in range(3):
        started.deliver(chunks_of(started, 1))
    started.wait(hours=1)
    meter = Meter(started)

    digest.build(started.digest_settings(), meter.client).close(started.now, close_now=False)

    assert meter.calls["put_object"] == 2
    assert meter.calls["sign"] == drivers.SIGNATURES
    assert meter.calls["get_object"] == 3
    assert meter.calls["units"] == drivers.DIGEST_WRITES + 3 * drivers.CLOSE_WRITES


def test_chunks_are_sent_by_tens(started: Line) -> None:
    regions = [f"us-east-{number}" for number in range(12)]
    bodies = [envelope(to_bytes(make_record(awsRegion=region))) for region in regions]
    messages = [Message(f"m{i}", body, started.now.timestamp()) for i, body in enumerate(bodies)]
    meter = Meter(started)

    record.build(started.record_settings(), meter.client).record(messages, started.now.timestamp())

    assert len(started.queued_chunks()) == 12
    assert meter.calls["send_message_batch"] == ceil(12 / drivers.MESSAGES_A_RECEIVE)
