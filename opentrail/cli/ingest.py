"""``opentrail ingest``: take in what CloudTrail wrote into a bucket before OpenTrail was there."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployed_settings import deployed_settings
from opentrail.adapters.aws.deployment import find_deployment, messages_on
from opentrail.adapters.aws.ingest import Ingested, Ingester, make_ingester
from opentrail.adapters.aws.source_files import SourceFiles
from opentrail.cli import EXIT_INTERRUPTED
from opentrail.cli._backfill import Backfill, Totals
from opentrail.cli._backfill_plan import Listed, Range, find_folders, list_files
from opentrail.cli._backfill_state import State, default_path, read_state, write_state
from opentrail.cli._bucket_files import MAX_FILE_BYTES, Source, SourceType
from opentrail.cli._deployment import UNREACHABLE, UncheckedError, prefix_option
from opentrail.cli._event_filters import When
from opentrail.errors import OpenTrailError
from opentrail.format.object_notice import ObjectName
from opentrail.format.times import to_iso
from opentrail.settings import DeliverSettings, IngestSettings, RecordSettings

EXIT_SOME_FAILED = 1
SAVE_SECONDS = 1.0
# Chunks on the delivery queue above which a back-fill pauses: today's records must not wait behind it.
MAX_WAITING = 5000
LOOK_EVERY = 50  # files
PAUSE_SECONDS = 5.0
SHOWN_FAILURES = 10

log = logging.getLogger(__name__)

EPILOG = """\b
Examples:
  opentrail ingest s3://central-trail-logs --dry-run
  opentrail ingest s3://central-trail-logs --from 30d
  opentrail ingest s3://central-trail-logs/AWSLogs/o-abcdefghij/ --from 2026-01-01 --to 2026-02-01
"""


@click.command("ingest", epilog=EPILOG)
@click.argument("source", type=SourceType(), metavar="s3://BUCKET[/PREFIX]")
@click.option("--from", "start", type=When(), help="Files delivered from then on: 2026-01-01, 30d.")
@click.option("--to", "end", type=When(), help="Files delivered until then.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 10), help="Files at a time.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="Where progress is kept.")
@click.option("--restart", is_flag=True, help="Forget what earlier runs did.")
@prefix_option
def command(
    source: Source,
    start: datetime | None,
    end: datetime | None,
    dry_run: bool,
    as_json: bool,
    workers: int,
    state: Path | None,
    restart: bool,
    name_prefix: str,
) -> None:
    """Take CloudTrail's log files of a bucket in, those of every account and Region below PREFIX.

    Events go to the trails that log now and, those of the last 90 days, to event history; what is
    there already stays out. A run that is broken off, by Ctrl-C or by an error, goes on where it
    ended when the same command is given again, and a complete one takes what came since.

    Exit code 0: all done. 1: some files could not be taken; the next run tries them again.
    2: it could not be done. 130: interrupted.
    """
    if start and end and start > end:
        raise click.UsageError("--from is after --to")
    when = Range(start=start, end=end)
    try:
        if dry_run:
            _show_plan(source, when, as_json)
            return
        run = _prepare(source, when, workers, state, restart, name_prefix)
        totals = run.go()
    except (OpenTrailError, OSError, *UNREACHABLE) as error:
        raise UncheckedError(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from here", err=True)
        sys.exit(EXIT_INTERRUPTED)
    _show(source, totals, as_json)
    sys.exit(EXIT_SOME_FAILED if totals.failed else 0)


def _prepare(
    source: Source, when: Range, workers: int, path: Path | None, restart: bool, name_prefix: str
) -> _Run:
    deployment = find_deployment(client, name_prefix)
    recording = deployed_settings(client, deployment.outputs["RecordFunctionName"], RecordSettings)
    delivering = deployed_settings(client, deployment.outputs["DeliverFunctionName"], DeliverSettings)
    settings = IngestSettings(
        trails_table=recording.trails_table,
        delivery_queue_url=recording.delivery_queue_url,
        reject_queue_url="",
        history_table=delivering.history_table,
        history_bucket=recording.history_bucket,
        own_role_arns=recording.own_role_arns,
        own_buckets=(deployment.outputs["LogBucketName"], recording.history_bucket),
        source_bucket=source.bucket,
        source_prefix=source.prefix,
        max_chunk_bytes=recording.max_chunk_bytes,
        max_file_bytes=MAX_FILE_BYTES,
        trail_cache_seconds=60,
    )
    path = path or default_path(str(source), recording.delivery_queue_url)
    path.parent.mkdir(parents=True, exist_ok=True)  # before anything is sent
    if restart:
        path.unlink(missing_ok=True)
    state = read_state(path, str(source), time.time())
    history_since = to_iso(datetime.now(UTC) - timedelta(days=delivering.history_days))
    return _Run(source, when, workers, path, state, settings, history_since)


@dataclass(slots=True)
class _Run:
    """One run of the command, with what it needs of the outside: clock, terminal, clients."""

    source: Source
    when: Range
    workers: int
    path: Path
    state: State
    settings: IngestSettings
    history_since: str
    saved_at: float = 0.0
    begun: int = 0

    def go(self) -> Totals:
        """Ingest, with progress on a terminal; the state is written whatever ends the run."""
        self._ingester().refuse_own(self.source.bucket, time.time())
        try:
            with _bar() as (expect, advance):
                run = self._backfill(advance)
                for file in run.left():
                    expect(file)
                totals = run.run()
                self.state.complete = True
        finally:
            write_state(self.path, self.state)
        return totals

    def _backfill(self, tell: Callable[[Listed], None]) -> Backfill:
        each = threading.local()  # selections are not for several threads

        def ingest(key: str) -> Ingested:
            if not hasattr(each, "ingester"):
                each.ingester = self._ingester()
            name = ObjectName(self.source.bucket, key)
            done: Ingested = each.ingester.ingest(name, time.time(), arrived_at=self.state.arrived_at)
            return done

        return Backfill(
            files=SourceFiles(client("s3"), max_bytes=MAX_FILE_BYTES),
            bucket=self.source.bucket,
            prefix=self.source.prefix,
            when=self.when,
            state=self.state,
            ingest=ingest,
            workers=self.workers,
            save=self._save,
            tell=tell,
            wait=self._wait_for_room,
        )

    def _ingester(self) -> Ingester:
        return make_ingester(self.settings, client, _warn, history_since=self.history_since)

    def _save(self) -> None:
        if time.monotonic() - self.saved_at >= SAVE_SECONDS:
            write_state(self.path, self.state)
            self.saved_at = time.monotonic()

    def _wait_for_room(self) -> None:
        self.begun += 1
        if self.begun % LOOK_EVERY:
            return
        while messages_on(client, self.settings.delivery_queue_url) > MAX_WAITING:
            time.sleep(PAUSE_SECONDS)


def _warn(message: str, **facts: Any) -> None:
    log.warning("%s %s", message, facts)


@contextmanager
def _bar() -> Iterator[tuple[Callable[[Listed], None], Callable[[Listed], None]]]:
    """Two functions, that expect a file and that mark one done: a bar on a terminal, silent elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("log files", total=0)
        expected = 0

        def expect(_: Listed) -> None:
            nonlocal expected
            expected += 1
            progress.update(task, total=expected)

        yield expect, lambda _: progress.advance(task)


def _show_plan(source: Source, when: Range, as_json: bool) -> None:
    files = SourceFiles(client("s3"), max_bytes=MAX_FILE_BYTES)
    folders: dict[str, dict[str, int]] = {}
    for folder in find_folders(files, source.bucket, source.prefix):
        sizes = [file.size for file in list_files(files, source.bucket, folder, when)]
        if sizes:
            folders[folder] = {"files": len(sizes), "bytes": sum(sizes)}
    total = {unit: sum(folder[unit] for folder in folders.values()) for unit in ("files", "bytes")}
    if as_json:
        click.echo(json.dumps({"source": str(source), **total, "folders": folders}, indent=2))
        return
    for name, counts in folders.items():
        click.echo(f"{counts['files']:9} files {counts['bytes'] / 1e6:10.1f} MB  {name}")
    click.echo(f"{total['files']:9} files {total['bytes'] / 1e6:10.1f} MB  in all")


def _show(source: Source, totals: Totals, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"source": str(source), **asdict(totals)}, indent=2))
        return
    click.echo(
        f"{totals.files} files: {totals.events} events sent, {totals.known} known already, "
        f"{totals.own} of OpenTrail's own, {totals.unreadable} unreadable"
    )
    for key, reason in list(totals.failed.items())[:SHOWN_FAILURES]:
        click.echo(f"not taken: {key}: {reason}")
    if len(totals.failed) > SHOWN_FAILURES:
        click.echo(f"and {len(totals.failed) - SHOWN_FAILURES} more; --json lists them all")
