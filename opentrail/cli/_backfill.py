"""The files of a CloudTrail bucket -> the line, several at a time, and where a run that ended goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from opentrail.adapters.aws.ingest import Ingested
from opentrail.cli._backfill_plan import Bucket, Listed, Range, find_folders, list_files
from opentrail.cli._backfill_state import Progress, State
from opentrail.errors import FormatError, StorageError
from opentrail.format.times import to_iso

# Bytes of files under way, compressed: some 300 MB of records unpacked, whatever the number of workers.
MAX_BYTES_AT_ONCE = 32_000_000
AHEAD = 4  # files per worker that are begun before the oldest is done

# What S3 says of one object that nobody here may read now; the others may be readable.
OF_THE_OBJECT = frozenset({"AccessDenied", "InvalidObjectState", "KMS.DisabledException"})
MAX_REFUSED_IN_A_ROW = 20  # then it is not the object

Ingest = Callable[[str], Ingested]  # a key -> what became of it; raises FormatError or StorageError


@dataclass(slots=True)
class Totals:
    """What a run did."""

    files: int = 0
    events: int = 0
    known: int = 0
    own: int = 0
    unreadable: int = 0
    bytes: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # key -> why

    def add(self, file: Listed, done: Ingested) -> None:
        """Count one file; one with unreadable records is among the failed, too."""
        self.files += 1
        self.bytes += file.size
        self.events += done.events
        self.known += done.known
        self.own += done.own
        self.unreadable += done.unreadable
        if done.complaint:
            self.failed[file.key] = done.complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One run. ``save`` is called whenever the state has moved on, ``tell`` for every file that is done."""

    files: Bucket
    bucket: str
    prefix: str
    when: Range
    state: State
    ingest: Ingest
    workers: int
    save: Callable[[], None]
    tell: Callable[[Listed], None]
    wait: Callable[[], None]  # returns when the line has room for more

    def run(self) -> Totals:
        """Ingest what is left, those first that an earlier run had to pass over.

        Raises:
            StorageError: AWS refused what every file needs; the state says how far it came.
            KeyboardInterrupt: likewise.
        """
        totals = Totals()
        self._take(self._failed_before(), "", totals)
        for folder in find_folders(self.files, self.bucket, self.prefix):
            self._take(self._left_in(folder), folder, totals)
        return totals

    def left(self) -> Iterator[Listed]:
        """Every file this run will read.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        yield from self._failed_before()
        for folder in find_folders(self.files, self.bucket, self.prefix):
            yield from self._left_in(folder)

    def _failed_before(self) -> list[Listed]:
        return [Listed(key, 0) for key in sorted(self.state.failed)]

    def _left_in(self, folder: str) -> Iterator[Listed]:
        """The files of ``folder`` that no run has done."""
        after = self.state.resume_after(folder, self._start)
        return list_files(self.files, self.bucket, folder, self.when, after=after)

    @property
    def _start(self) -> str:
        return to_iso(self.when.start) if self.when.start else ""

    def _take(self, files: Iterable[Listed], folder: str, totals: Totals) -> None:
        begun: deque[tuple[Listed, Future[Ingested]]] = deque()
        refused = 0

        def finish() -> None:
            nonlocal refused
            file, future = begun[0]
            refused = refused + 1 if self._is_refused(file, future, totals, refused) else 0
            begun.popleft()
            if folder:
                self.state.folders[folder] = Progress(start=self._start, last=file.key)
            self.tell(file)
            self.save()

        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for file in files:
                    while begun and self._is_full(begun, file):
                        finish()
                    self.wait()
                    begun.append((file, pool.submit(self.ingest, file.key)))
                while begun:
                    finish()
            except BaseException:  # Ctrl-C, or what every file needs: what is done stays done
                for _, future in begun:
                    future.cancel()
                while begun and _succeeds(begun[0][1]):
                    finish()
                raise

    def _is_full(self, begun: deque[tuple[Listed, Future[Ingested]]], file: Listed) -> bool:
        under_way = sum(other.size for other, _ in begun)
        return len(begun) >= self.workers * AHEAD or under_way + file.size > MAX_BYTES_AT_ONCE

    def _is_refused(self, file: Listed, future: Future[Ingested], totals: Totals, before: int) -> bool:
        """Take note of one file's outcome; True when S3 refused this object."""
        try:
            totals.add(file, future.result())
            refused = False
        except FormatError as error:
            totals.failed[file.key] = str(error)
            refused = False
        except StorageError as error:
            if error.code not in OF_THE_OBJECT or before >= MAX_REFUSED_IN_A_ROW:
                raise
            totals.failed[file.key] = str(error)
            refused = True
        if file.key in totals.failed:
            self.state.failed[file.key] = totals.failed[file.key]
        else:
            self.state.failed.pop(file.key, None)
        return refused


def _succeeds(future: Future[Ingested]) -> bool:
    """True when it was not cancelled and, once it is over, went well."""
    return not future.cancelled() and future.exception() is None
