"""What a deployment costs by its load, service by service.

Numbers of calls and units are those of the code; a test counts them (``tests/flow/test_cost_calls.py``).
Times in Lambda are modelled: nobody has measured them there yet.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentrail.branches.cost import installation
from opentrail.branches.cost.charges import Line
from opentrail.branches.cost.load import NOTHING_MEASURED, POLLERS, Load, Measured
from opentrail.branches.cost.prices import PriceList
from opentrail.branches.cost.storage import GB, MONTH_DAYS, Keeping, storage_cost

DAY_SECONDS = 86_400
KB = 1024

# SQS: a receive brings ten messages at most, and so does a delete take.
MESSAGES_A_RECEIVE = 10
LONG_POLL_SECONDS = 20

# DynamoDB write units; in a transaction an item counts twice.
FILE_WRITES = 2 + 1  # its row in a transaction; the row is settled
CLAIM_WRITES = 2
CLOSE_WRITES = 1  # a digest takes the row off
DIGEST_WRITES = 14  # the chain with the pending digest, and without: 4; its anchor: 8; usage; status
STATUS_WRITES = 1
INDEX_BYTES_AN_EVENT = 14  # of a segment's entry: hashes and counts
INDEX_BYTES = 600  # of an entry without events
DIGEST_READS = 4
MINUTE_READS = 6  # of a place that Insights judge
MINUTE_WRITES = 2

# Every segment is put together with others twice: into its hour, into its day. The old ones stay.
ROLLUPS = 2

# Then it goes into a block with others: 17,000 events at most, 1,024 at least, in 64 items and some.
BLOCK_EVENTS = (1_024, 17_000)
BLOCK_ITEMS = 64
BLOCK_ITEM_BYTES = 100  # of one without hashes
BLOCK_GROWTH = 1.25  # beside a hash in a drawer stands whose it is

# Seconds in Lambda: a run, and what it does. UNCONFIRMED: assumed from round trips of 10 ms to DynamoDB
# and SQS and 60 ms to S3, and from the processor time that `make bench` measures, doubled.
RECORD_RUN, RECORD_EVENT = 0.04, 0.00004
DELIVER_RUN, DELIVER_FILE, DELIVER_EVENT = 0.04, 0.1, 0.00003
DIGEST_RUN, DIGEST_EACH, DIGEST_FILE = 0.2, 0.25, 0.03
INSIGHTS_RUN, INSIGHTS_PLACE = 0.05, 0.05
ROLLUP_PLACE, ROLLUP_FILE = 0.1, 0.02
VALIDATE_RUN, VALIDATE_FILE = 1.0, 0.01

# CloudWatch Logs: Lambda's own lines, one of ours, the metrics; and the key of each file.
LOG_BYTES_A_RUN = 1500
LOG_BYTES_A_FILE = 160

# KMS: SQS asks for a key once an hour and principal, DynamoDB every five minutes and table.
KMS_REQUESTS_A_DAY = 24 * 6 + 3 * 288
SIGNATURES = 2  # the digest, the tree head
FIRST_KEYS = installation.ENCRYPTION_KEYS + installation.SIGNING_KEYS


def own_cost(
    load: Load,
    keeping: Keeping,
    prices: PriceList,
    *,
    keys: int = FIRST_KEYS,
    measured: Measured = NOTHING_MEASURED,
) -> list[Line]:
    """The bill of the deployment for ``load``, largest driver first.

    Args:
        load: what went through it.
        keeping: how long log files stay.
        keys: how many KMS keys there are: each that once signed goes on costing until somebody deletes it.
        measured: what AWS counted goes before what follows from the load.
    """
    months = load.days / MONTH_DAYS
    counted = [
        Line(name, quantity, unit, prices[price].of(quantity))
        for name, quantity, unit, price in _counted(load, measured)
    ]
    standing = [
        Line("KMS keys", keys, "keys", prices["kms_key"].of(keys * months)),
        Line("CloudWatch alarms, metrics, dashboard", months, "months", _watching(prices) * months),
    ]
    lines = [*counted, *_stored(load, keeping, prices), *standing]
    return sorted(lines, key=lambda line: -line.dollars)


def _counted(load: Load, measured: Measured) -> list[tuple[str, float, str, str]]:
    """What is paid by the piece: its name, how many, of what, and the name of the price."""
    runs = sum(_runs(load).values())
    signed = load.digests * SIGNATURES + load.days * KMS_REQUESTS_A_DAY
    logs = runs * LOG_BYTES_A_RUN + load.trail_files * LOG_BYTES_A_FILE
    bought = "AWS's own trail, for data and network activity events"
    return [
        ("SQS requests", _requests(load), "requests", "sqs_request"),
        ("Lambda requests", *_either(measured.runs, runs, "runs"), "lambda_request"),
        ("Lambda time", *_either(measured.gb_seconds, _gb_seconds(load), "GB-s"), "lambda_gb_second"),
        ("DynamoDB writes", *_either(measured.writes, _writes(load), "units"), "dynamodb_write"),
        ("DynamoDB reads", *_either(measured.reads, _reads(load), "units"), "dynamodb_read"),
        ("S3 PUT requests", _puts(load), "requests", "s3_put"),
        ("S3 GET requests", _gets(load), "requests", "s3_get"),
        ("KMS requests", signed, "requests", "kms_request"),
        (bought, load.bought, "events", "cloudtrail_data"),
        ("EventBridge", load.forwarded, "events", "eventbridge_event"),
        ("CloudWatch Logs", logs / GB, "GB", "cloudwatch_logs"),
    ]


def _either(measured: float | None, modelled: float, unit: str) -> tuple[float, str]:
    return (modelled, unit) if measured is None else (measured, f"{unit}, measured")


def _stored(load: Load, keeping: Keeping, prices: PriceList) -> list[Line]:
    """Segments, and what they were put together into, stay as long as history does."""
    months = installation.HISTORY_DAYS / MONTH_DAYS
    index, history = _block_bytes(load), load.history_bytes * (1 + ROLLUPS)
    logs = storage_cost(load.trail_bytes, load.trail_files, keeping, prices)
    past = storage_cost(history, load.history_files, Keeping(months=months), prices)
    return [
        Line("DynamoDB storage", index, "bytes", prices["dynamodb_storage"].of(index / GB * months)),
        Line("S3 storage of log files", load.trail_bytes, "bytes", logs),
        Line("S3 storage of event history", history, "bytes", past),
    ]


def _watching(prices: PriceList) -> float:
    """What a month of it costs."""
    return (
        prices["cloudwatch_alarm"].of(installation.ALARMS)
        + prices["cloudwatch_metric"].of(installation.METRICS)
        + prices["cloudwatch_dashboard"].of(installation.DASHBOARDS)
    )


def largest(lines: Sequence[Line]) -> Line:
    """The line that costs most."""
    return max(lines, key=lambda line: line.dollars)


def _runs(load: Load) -> dict[str, float]:
    return {
        "record": load.record_runs,
        "deliver": load.deliver_runs,
        "digest": load.days * installation.DIGESTS_A_DAY,
        "insights": load.days * installation.INSIGHTS_RUNS_A_DAY,
        "rollup": load.days * installation.ROLLUPS_A_DAY,
        "validate": load.days,
        "rotate": load.days,
    }


def _gb_seconds(load: Load) -> float:
    runs = _runs(load)
    all_files = load.trail_files + load.history_files
    seconds = {
        "record": runs["record"] * RECORD_RUN + load.records * RECORD_EVENT,
        "deliver": runs["deliver"] * DELIVER_RUN + all_files * DELIVER_FILE + load.copies * DELIVER_EVENT,
        "digest": runs["digest"] * DIGEST_RUN + load.digests * DIGEST_EACH + load.trail_files * DIGEST_FILE,
        "insights": runs["insights"] * (INSIGHTS_RUN + load.insights_places * INSIGHTS_PLACE),
        "rollup": runs["rollup"] * load.places * ROLLUP_PLACE + load.history_files * ROLLUP_FILE,
        "validate": runs["validate"] * VALIDATE_RUN + (load.trail_files + load.digests) * VALIDATE_FILE,
        "rotate": runs["rotate"],
    }
    return sum(seconds[name] * installation.MEMORY_MIB[name] / 1024 for name in seconds)


def _requests(load: Load) -> float:
    """Of SQS: each message is sent, received and deleted; empty receives are paid like others."""
    messages = load.messages + load.chunks
    received = max(messages / MESSAGES_A_RECEIVE, load.record_runs + load.deliver_runs)
    sent = load.messages + max(load.chunks / MESSAGES_A_RECEIVE, load.record_runs)
    idle = installation.QUEUES * POLLERS * load.days * DAY_SECONDS / LONG_POLL_SECONDS
    return sent + 2 * received + idle


def _writes(load: Load) -> float:
    entries = _entry_units(load.history_events, load.history_files)
    rolled = _entry_units(load.history_events, _rolled(load))
    in_blocks = max(_blocks(load) * BLOCK_ITEMS, _block_bytes(load) / KB)
    # In and out of the index, but for blocks, which stay till they expire.
    history = 2 * (2 * entries + 2 * rolled + 2 * rolled + in_blocks)
    files = load.trail_files + load.history_files
    return (
        files * FILE_WRITES
        + load.claims * CLAIM_WRITES
        + load.trail_files * CLOSE_WRITES
        + load.digests * DIGEST_WRITES
        + load.deliver_runs * load.trails * STATUS_WRITES
        + history
        + load.insights_places * load.days * installation.INSIGHTS_RUNS_A_DAY * MINUTE_WRITES
    )


def _reads(load: Load) -> float:
    judged = load.insights_places * load.days * installation.INSIGHTS_RUNS_A_DAY * MINUTE_READS
    trails = load.days * installation.INSIGHTS_RUNS_A_DAY
    return load.digests * DIGEST_READS + judged + trails + load.trail_files


def _entry_units(events: float, entries: float) -> float:
    return max(entries, (events * INDEX_BYTES_AN_EVENT + entries * INDEX_BYTES) / KB)


def _rolled(load: Load) -> float:
    """Segments of an hour, as many as there are hours or files."""
    return min(load.history_files, load.places * load.days * installation.ROLLUPS_A_DAY)


def _blocks(load: Load) -> float:
    """One for each day of a place, or a quiet week's, or several of a busy day."""
    least, most = BLOCK_EVENTS
    return max(min(load.places * load.days, load.history_events / least), load.history_events / most)


def _block_bytes(load: Load) -> float:
    events = load.history_events * INDEX_BYTES_AN_EVENT * BLOCK_GROWTH
    return events + _blocks(load) * BLOCK_ITEMS * BLOCK_ITEM_BYTES


def _puts(load: Load) -> float:
    return load.trail_files + load.history_files + 2 * load.digests + ROLLUPS * _rolled(load)


def _gets(load: Load) -> float:
    """The digest reads each log file for its tree, as the daily proof does; a roll-up reads its segments."""
    return 2 * load.trail_files + load.history_files + _rolled(load) + 3 * load.digests
