"""Close every window that is over: begin, continue and end the chains of all trails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from opentrail.errors import ConflictError, StorageError
from opentrail.format import log_file, times
from opentrail.model.digest import Chain
from opentrail.model.event import Place
from opentrail.model.log_file import FileRow, FileState
from opentrail.model.trail import Trail
from opentrail.pipeline.digest.grow import add_tree
from opentrail.pipeline.digest.head import head_of
from opentrail.pipeline.digest.ports import Anchor, ChainLedger, DigestStore, Keyring, Signer
from opentrail.pipeline.digest.seal import seal_backfill, seal_window, store_digest
from opentrail.pipeline.digest.windows import due_windows, late_window, window_start

# A digest's bytes wait in one DynamoDB item of at most 400 KB until they are
# stored; each listed file takes about 150 of them once compressed. Further
# files go into the next digest.
MAX_FILES_PER_DIGEST = 2000

# After logging stops, a chain stays open this long for events that arrive late.
GRACE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Closed:
    """One digest that was decided and stored now."""

    trail_arn: str
    place: Place
    key: str
    files: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A chain that could not go on this time, and the store's error code."""

    trail_arn: str
    place: Place
    reason: str
    code: str


@dataclass(slots=True)
class Closing:
    """What one run did."""

    closed: list[Closed] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    contended: int = 0  # chains left to another run
    unfinished: int = 0  # chains left to a later run, for want of time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    ledger: ChainLedger
    store: DigestStore
    anchor: Anchor
    keyring: Keyring
    now: datetime
    period_seconds: int
    settle_seconds: int
    close_now: bool
    has_time: Callable[[], bool]
    closing: Closing


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a window's digest can list, and what it comes too late for."""

    due: list[FileRow]
    late: list[FileRow]
    until: float  # epoch seconds: all that was delivered before was looked at


def close_windows(
    trails: Iterable[Trail],
    *,
    ledger: ChainLedger,
    store: DigestStore,
    anchor: Anchor,
    keyring: Keyring,
    now: datetime,
    period_seconds: int,
    settle_seconds: int,
    close_now: bool = False,
    has_time: Callable[[], bool] = lambda: True,
) -> Closing:
    """Bring every digest chain up to ``now``.

    A chain begins when a trail with log file validation logs in an account and
    Region: at home at once, elsewhere with the first file. Every window gets a
    digest, empty ones too. A chain whose trail was stopped, deleted, or had its
    validation switched off gets one final digest; a restarted trail begins a new
    chain. A file that is found to be delivered after its window got its digest is
    listed in a backfill digest. Trouble with one chain leaves the others alone, and
    the next run goes on where this one stopped; the chain that is furthest behind
    comes first.

    Args:
        trails: all of them, logging or not.
        anchor: where each digest's head is written down once the digest is stored.
        keyring: which key signs which window.
        now: UTC.
        period_seconds: length of a window.
        settle_seconds: a pending file older than this was abandoned by its delivery.
        close_now: end running windows early, at ``now``.
        has_time: asked before each window; the rest is left to the next run.
    """
    by_arn = {trail.arn: trail for trail in trails}
    closing = Closing()
    run = _Run(
        ledger=ledger,
        store=store,
        anchor=anchor,
        keyring=keyring,
        now=now,
        period_seconds=period_seconds,
        settle_seconds=settle_seconds,
        close_now=close_now,
        has_time=has_time,
        closing=closing,
    )
    for chain in sorted(_all_chains(ledger.chains(), by_arn), key=window_start):
        try:
            _advance(run, chain, by_arn.get(chain.trail_arn))
        except ConflictError:
            closing.contended += 1  # another run is at this chain and will finish it
        except StorageError as error:
            closing.troubles.append(Trouble(chain.trail_arn, chain.place, str(error), error.code))
    return closing


def _all_chains(known: Iterable[Chain], trails: Mapping[str, Trail]) -> list[Chain]:
    """The chains of the ledger, and a new one at home for each trail that has none yet."""
    chains = {chain.id: chain for chain in known}
    for trail in trails.values():
        chain = begin_chain(trail, Place(trail.account, trail.home_region))
        if trail.digested_since:
            chains.setdefault(chain.id, chain)
    return list(chains.values())


def begin_chain(trail: Trail, place: Place) -> Chain:
    """A chain that has no digest yet. It starts when the trail began to be digested."""
    return Chain(
        trail_arn=trail.arn,
        place=place,
        bucket=trail.bucket,
        prefix=trail.prefix,
        organization_id=trail.organization_id,
        kms_key_arn=trail.kms_key_arn,
        started_at=trail.digested_since,
    )


def _advance(run: _Run, chain: Chain, trail: Trail | None) -> None:
    if not run.has_time():
        run.closing.unfinished += 1
        return
    chain = _finish(run, chain)
    if trail is not None and trail.digested_since:
        chain = _begin_anew(_end_old(run, chain, trail), trail)
    elif chain.ended:
        _list_late_files(run, chain)
        return
    for start, end in due_windows(
        chain, now=run.now, period_seconds=run.period_seconds, close_now=run.close_now
    ):
        if not run.has_time():
            run.closing.unfinished += 1
            return
        final = not (trail and trail.digested_since) and _is_final(run, trail, end)
        chain = _close_window(run, chain, start, end, ended=final)
        if final:
            _list_late_files(run, chain)
            return


def _end_old(run: _Run, chain: Chain, trail: Trail) -> Chain:
    """Close a chain whose trail was stopped and started again since the last run."""
    since = trail.digested_since
    if chain.ended or not chain.end or since <= max(_moment(chain.end), chain.started_at):
        return chain
    start = window_start(chain)
    end = max(times.from_epoch(since).replace(microsecond=0), start + timedelta(seconds=1))
    return _close_window(run, chain, start, end, ended=True)


def _begin_anew(chain: Chain, trail: Trail) -> Chain:
    """``chain`` with the trail's present bucket, and a fresh start where the old chain has ended."""
    chain = msgspec.structs.replace(
        chain,
        bucket=trail.bucket,
        prefix=trail.prefix,
        organization_id=trail.organization_id,
        kms_key_arn=trail.kms_key_arn,
    )
    if not chain.ended:
        return chain
    start = max(trail.digested_since, _moment(chain.end))
    return msgspec.structs.replace(
        chain, started_at=start, end="", head=None, backfill_head=None, ended=False
    )


def _moment(text: str) -> float:
    return times.from_iso(text).timestamp()


def _is_final(run: _Run, trail: Trail | None, end: datetime) -> bool:
    """True for the window that leaves nothing of a stopped trail behind."""
    stopped = trail.stopped_at if trail is not None and not trail.logging else 0.0
    return run.close_now or end.timestamp() >= stopped + GRACE_SECONDS


def _list_late_files(run: _Run, chain: Chain) -> None:
    """Files that came after a chain's final digest get one more: no file stays unlisted."""
    start = window_start(chain)
    end = max(run.now.replace(microsecond=0), start + timedelta(seconds=1))
    taken = _take(run, chain, end)
    if taken.due:
        chain = _close(run, chain, start, end, taken, ended=True)
    _backfill(run, chain, taken.late)


def _close_window(run: _Run, chain: Chain, start: datetime, end: datetime, *, ended: bool) -> Chain:
    taken = _take(run, chain, end)
    return _backfill(run, _close(run, chain, start, end, taken, ended=ended), taken.late)


def _close(run: _Run, chain: Chain, start: datetime, end: datetime, taken: _Taken, *, ended: bool) -> Chain:
    """Decide the digest of one window, save the decision, then carry it out."""
    signer = run.keyring.signer_for(end)
    sealed = seal_window(chain, taken.due, start=start, end=end, signer=signer)
    sealed = msgspec.structs.replace(sealed, ended=ended, taken_until=taken.until)
    return _decide(run, sealed, taken.due, made=end, signer=signer)


def _backfill(run: _Run, chain: Chain, late: Sequence[FileRow]) -> Chain:
    """List files whose window has its digest already in a backfill digest, if there are any."""
    if not late:
        return chain
    start, end = late_window(chain, late, run.period_seconds)
    signer = run.keyring.signer_for(run.now)
    sealed = seal_backfill(chain, late, start=start, end=end, now=run.now, signer=signer)
    return _decide(run, sealed, late, made=run.now, signer=signer)


def _decide(run: _Run, sealed: Chain, rows: Sequence[FileRow], *, made: datetime, signer: Signer) -> Chain:
    """Add the tree head to a sealed digest, save the decision, then carry it out."""
    grown = add_tree(sealed, [row.file for row in rows], made=made, store=run.store, signer=signer)
    return _finish(run, run.ledger.save_chain(grown))


def _finish(run: _Run, chain: Chain) -> Chain:
    """Carry out a decided digest: store it, anchor it, take its files off the open ones, and say so.

    Each step can be repeated, so a run that died anywhere in here is simply
    taken up by the next. The anchor is asked before anything is stored: where the
    ledger was moved back, no digest is written over the one that was made before.
    """
    sealed = chain.pending
    if sealed is None:
        return chain
    head = head_of(chain, sealed)
    run.anchor.check(head)
    store_digest(sealed, run.store, kms_key_arn=chain.kms_key_arn, trail_arn=chain.trail_arn)
    run.anchor.write(head)
    run.ledger.keep_usage(chain.id, sealed)
    run.ledger.close_files(sealed.file_ids)
    saved = run.ledger.save_chain(msgspec.structs.replace(chain, pending=None))
    run.closing.closed.append(Closed(chain.trail_arn, chain.place, sealed.key, len(sealed.file_ids)))
    return saved


def _take(run: _Run, chain: Chain, end: datetime) -> _Taken:
    """The delivered files of a window. Abandoned ones are looked for; young pending ones wait.

    One that cannot be looked for, its bucket being gone or closed to us, waits
    too: it must not hold up the digests of all other files.
    """
    running = end >= run.now.replace(microsecond=0)  # a window closed early takes what there is
    before = run.now.timestamp() + 0.001 if running else end.timestamp()
    taken = _Taken([], [], min(before, run.now.timestamp()))
    rows = run.ledger.open_files(chain.id, before=before, limit=MAX_FILES_PER_DIGEST)
    for row in rows:
        state = row.state
        if state is FileState.PENDING and run.now.timestamp() - row.file.created_at >= run.settle_seconds:
            state = _try_to_settle(run, chain, row)
        if state is FileState.DELIVERED:
            late = row.file.created_at < chain.taken_until
            (taken.late if late else taken.due).append(row)
    if len(rows) == MAX_FILES_PER_DIGEST:  # the rest is not late, it comes next
        return _Taken(taken.due, taken.late, rows[-1].file.created_at)
    return taken


def _try_to_settle(run: _Run, chain: Chain, row: FileRow) -> FileState:
    try:
        return _settle(run, row)
    except ConflictError:
        raise
    except StorageError as error:
        run.closing.troubles.append(Trouble(chain.trail_arn, chain.place, str(error), error.code))
        return FileState.PENDING


def _settle(run: _Run, row: FileRow) -> FileState:
    body = run.store.read(row.file.bucket, row.file.key)
    state = FileState.DELIVERED if log_file.holds(body, row.file.sha256) else FileState.DROPPED
    run.ledger.settle(row.id, state)
    return state
