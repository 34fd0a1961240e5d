"""Chunks -> log files. Intent before object, each chunk in one file only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opentrail.errors import ConflictError, StorageError
from opentrail.format import keys, log_file
from opentrail.format.times import to_iso
from opentrail.model.event import Place
from opentrail.model.history import DataCounts, Segment
from opentrail.model.log_file import Chunk, Destination, FileRow, FileState, LogFile
from opentrail.pipeline.deliver.meter import meter_file
from opentrail.pipeline.deliver.ports import Intent, Ledger, LogStore

# One DynamoDB transaction takes 100 items; three are kept for the file and its segment.
MAX_CHUNKS_PER_FILE = 97

DescribeSegment = Callable[[Place, LogFile, Sequence[bytes]], Segment]
CountDataEvents = Callable[[Place, str, LogFile, Sequence[bytes]], DataCounts | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """One file that was stored now."""

    destination: Destination
    place: Place
    file: LogFile


@dataclass(frozen=True, slots=True)
class Failed:
    """A chunk that must come again for one destination, with the reason and the store's error code."""

    chunk: Chunk
    destination: Destination
    reason: str
    code: str


@dataclass(slots=True)
class Delivery:
    """What became of a batch. Every chunk is, for each destination, stored, a repeat, or failed."""

    stored: list[Stored] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)  # claims of chunks that are in a file already
    failed: list[Failed] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    ledger: Ledger
    store: LogStore
    describe: DescribeSegment
    count: CountDataEvents
    now: datetime
    new_token: Callable[[], str]
    max_file_bytes: int
    settle_seconds: int
    delivery: Delivery


def deliver_chunks(
    chunks: Iterable[Chunk],
    *,
    ledger: Ledger,
    store: LogStore,
    describe: DescribeSegment,
    count: CountDataEvents,
    now: datetime,
    new_token: Callable[[], str],
    max_file_bytes: int,
    settle_seconds: int,
) -> Delivery:
    """Store ``chunks`` as log files, as few as fit, each chunk in exactly one.

    A chunk that is already in a file is a repeat and needs nothing. A chunk
    whose file was begun and never finished is looked for once no run can still
    be at it (``settle_seconds``), and stored anew when it is not there. When
    one file fails, the others are still stored.

    Args:
        chunks: one batch, any mix of destinations.
        ledger: takes each file's row before the file is stored.
        store: takes the gzip bytes.
        describe: builds the index item for a file of event history.
        count: counts the data events in a file of a trail whose Insights watch them.
        now: UTC; the delivery time in keys and rows.
        new_token: returns 16 fresh characters of ``[A-Za-z0-9]`` per call.
        max_file_bytes: uncompressed bytes; a file closes before it grows past this.
        settle_seconds: longer than any delivery can run.

    Returns:
        Delivery: chunks in ``failed`` must be delivered again.
    """
    delivery = Delivery()
    run = _Run(
        ledger=ledger,
        store=store,
        describe=describe,
        count=count,
        now=now,
        new_token=new_token,
        max_file_bytes=max_file_bytes,
        settle_seconds=settle_seconds,
        delivery=delivery,
    )
    for destination, group in _group(chunks):
        for part in _fill(group, max_file_bytes):
            _deliver_file(run, destination, part)
    return delivery


def claim_of(chunk: Chunk, destination: Destination) -> str:
    """The ledger's name for a chunk's part in one destination."""
    return f"{chunk.id}#{destination.name}"


def _group(chunks: Iterable[Chunk]) -> Iterable[tuple[Destination, list[Chunk]]]:
    groups: dict[tuple[Destination, Place, str], dict[str, Chunk]] = {}
    for chunk in chunks:
        for destination in chunk.destinations:
            groups.setdefault((destination, chunk.place, chunk.folder), {})[chunk.id] = chunk
    return ((destination, list(group.values())) for (destination, _, _), group in groups.items())


def _fill(chunks: Sequence[Chunk], limit: int) -> Iterator[list[Chunk]]:
    part: list[Chunk] = []
    size = log_file.OVERHEAD_BYTES
    for chunk in chunks:
        if part and (size + len(chunk.lines) > limit or len(part) == MAX_CHUNKS_PER_FILE):
            yield part
            part, size = [], log_file.OVERHEAD_BYTES
        part.append(chunk)
        size += len(chunk.lines) + 1
    if part:
        yield part


def _deliver_file(run: _Run, destination: Destination, chunks: list[Chunk]) -> None:
    try:
        try:
            _store_file(run, destination, chunks, reclaimed={})
        except ConflictError:
            fresh, reclaimed = _unclaimed(run, destination, chunks)
            if fresh:
                _store_file(run, destination, fresh, reclaimed)
    except StorageError as error:
        failed = {claim_of(f.chunk, f.destination) for f in run.delivery.failed}
        decided = failed.union(run.delivery.repeats)
        run.delivery.failed += [
            Failed(chunk, destination, str(error), error.code)
            for chunk in chunks
            if claim_of(chunk, destination) not in decided
        ]


def _store_file(
    run: _Run, destination: Destination, chunks: Sequence[Chunk], reclaimed: Mapping[str, str]
) -> None:
    intent, body = _intend(run, destination, chunks, reclaimed)
    run.ledger.intend(intent)
    run.store.put(
        intent.file.bucket,
        intent.file.key,
        body,
        kms_key_arn=destination.kms_key_arn,
        trail_arn="" if destination.is_history else destination.name,
        metadata={},
    )
    run.ledger.settle(intent.id, FileState.DELIVERED)
    run.delivery.stored.append(Stored(destination, intent.place, intent.file))


def _intend(
    run: _Run, destination: Destination, chunks: Sequence[Chunk], reclaimed: Mapping[str, str]
) -> tuple[Intent, bytes]:
    """Decide a file: its ledger row and its gzip bytes."""
    place, folder = chunks[0].place, chunks[0].folder
    pieces = [chunk.lines for chunk in chunks]
    sha256, body = log_file.build_log_file(pieces, quick=destination.is_history)
    token = run.new_token()
    file = LogFile(
        bucket=destination.bucket,
        key=keys.log_key(
            prefix=destination.prefix,
            organization=destination.organization_id,
            place=place,
            folder=folder,
            delivered=run.now,
            token=token,
        ),
        sha256=sha256,
        count=sum(chunk.count for chunk in chunks),
        oldest=min(chunk.oldest for chunk in chunks),
        newest=max(chunk.newest for chunk in chunks),
        created_at=run.now.timestamp(),
        usage=meter_file(destination, chunks, len(body)),
    )
    intent = Intent(
        id=file_id(destination, place, run.now, token),
        destination=destination,
        place=place,
        file=file,
        claims=tuple(claim_of(chunk, destination) for chunk in chunks),
        reclaimed=reclaimed,
        segment=run.describe(place, file, pieces) if destination.is_history else None,
        data_counts=run.count(place, destination.name, file, pieces) if destination.counted else None,
    )
    return intent, body


def file_id(destination: Destination, place: Place, created: datetime, token: str) -> str:
    """The ledger's name for a file.

    Files that digests will list are ``open`` until one does, and found by their chain;
    all others by their day.
    """
    chain = f"{destination.name}#{place.account}#{place.region}"
    stamp = f"{to_iso(created)[:-1]}.{created.microsecond // 1000:03d}Z"
    if destination.digested:
        return f"open#{chain}|{stamp}#{token}"
    return f"file#{stamp[:10]}|{stamp}#{token}#{chain}"


def _unclaimed(
    run: _Run, destination: Destination, chunks: Sequence[Chunk]
) -> tuple[list[Chunk], dict[str, str]]:
    """Which of ``chunks`` still need a file, and which dropped file their claims name."""
    owners = run.ledger.owners([claim_of(chunk, destination) for chunk in chunks])
    states = {row.id: _settle(run, row) for row in owners.values() if row is not None}
    fresh: list[Chunk] = []
    reclaimed: dict[str, str] = {}
    for chunk in chunks:
        claim = claim_of(chunk, destination)
        row = owners.get(claim)
        if claim not in owners:
            fresh.append(chunk)
        elif row is None or states[row.id] is FileState.DELIVERED:
            run.delivery.repeats.append(claim)
        elif states[row.id] is FileState.DROPPED:
            fresh.append(chunk)
            reclaimed[claim] = row.id
        else:
            reason = f"chunk {chunk.id} is being delivered by another run"
            run.delivery.failed.append(Failed(chunk, destination, reason, ""))
    return fresh, reclaimed


def _settle(run: _Run, row: FileRow) -> FileState:
    if row.state is not FileState.PENDING:
        return row.state
    if run.now.timestamp() - row.file.created_at < run.settle_seconds:
        return FileState.PENDING
    body = run.store.read(row.file.bucket, row.file.key)
    state = FileState.DELIVERED if log_file.holds(body, row.file.sha256) else FileState.DROPPED
    run.ledger.settle(row.id, state)
    return state
