"""Connections side by side: threads that wait for S3, in as many processes as there are processors.

Memory is bounded by connections: each holds one object's piece, whatever the
size of the trail.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any, TypeVar

from opentrail.adapters.aws.audit_fetch import Connection, Login, read_pieces
from opentrail.errors import StorageError
from opentrail.format.digest_file import ListedFile
from opentrail.model.report import Finding
from opentrail.pipeline.validate.files import LogCheck, missing_log

CONNECTIONS = 32  # of one process
WORTH_A_PROCESS = 300  # files; below that starting one takes longer than it saves
REPORT_EVERY = 25  # files between two reports of a process

Logins = Callable[[str], Login]
T = TypeVar("T")
R = TypeVar("R")


def map_threads(
    work: Callable[[Connection, T], R],
    login_of: Callable[[T], Login],
    tasks: Sequence[T],
    connections: int = CONNECTIONS,
) -> Iterator[R]:
    """``work`` over ``tasks`` in their order, each thread with kept connections.

    No more than a few tasks per connection are ahead of whoever reads the results.
    """
    own = threading.local()

    def run(task: T) -> R:
        login = login_of(task)
        kept: dict[str, Connection] = own.__dict__.setdefault("kept", {})
        connection = kept.get(login.endpoint)
        if connection is None:
            connection = kept.setdefault(login.endpoint, Connection(login))
        try:
            return work(connection, task)
        except StorageError as error:
            if error.code:
                raise
        return work(connection, task)  # the connection broke half way through an object

    with ThreadPoolExecutor(max(1, min(connections, len(tasks)))) as pool:
        for start in range(0, len(tasks), connections * 8):
            yield from pool.map(run, tasks[start : start + connections * 8])


def judge(connection: Connection, file: ListedFile) -> Finding | None:
    """Read one log file and hash it as it comes."""
    with connection.get(file.bucket, file.key) as answer:
        if answer is None:
            return missing_log(file)
        check = LogCheck(file)
        for piece in read_pieces(answer):
            check.feed(piece)
        return check.finish()


def judge_all(
    files: Sequence[ListedFile], logins: dict[str, Login], processes: int
) -> Iterator[tuple[ListedFile, Finding | None]]:
    """Every file with its verdict, in any order.

    Args:
        files: of any buckets.
        logins: how to read each of those buckets.
        processes: at most so many.

    Raises:
        StorageError: one could not be read.
    """
    processes = min(processes, len(files) // WORTH_A_PROCESS)
    if processes < 2:
        verdicts = map_threads(judge, lambda file: logins[file.bucket], files)
        yield from zip(files, verdicts, strict=True)
        return
    for index, finding in _judge_in_processes(files, logins, processes):
        yield files[index], finding


def _judge_in_processes(
    files: Sequence[ListedFile], logins: dict[str, Login], processes: int
) -> Iterator[tuple[int, Finding | None]]:
    # A forked process has all modules loaded; elsewhere than on Linux forking is not safe.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pipes: list[Pipe] = []
    workers = []
    for first in range(processes):
        mine, theirs = context.Pipe(duplex=False)
        shares = [(i, files[i]) for i in range(first, len(files), processes)]
        worker = context.Process(target=_work, args=(theirs, shares, logins), daemon=True)
        worker.start()
        theirs.close()
        pipes.append(mine)
        workers.append(worker)
    try:
        yield from _listen(pipes)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _listen(pipes: list[Pipe]) -> Iterator[tuple[int, Finding | None]]:
    while pipes:
        for pipe in wait(pipes):
            assert isinstance(pipe, Pipe)  # nothing else is waited for
            try:
                told = pipe.recv()
            except EOFError as error:
                raise StorageError("a process that read log files has died") from error
            if told is None:
                pipes.remove(pipe)
            elif isinstance(told, StorageError):
                raise told
            else:
                yield from told


def _work(pipe: Pipe, share: Sequence[tuple[int, ListedFile]], logins: dict[str, Login]) -> None:
    """What a process does: its share of the files, a report now and then, ``None`` at the end."""
    done: list[tuple[int, Finding | None]] = []
    files = [file for _, file in share]
    try:
        verdicts = map_threads(judge, lambda file: logins[file.bucket], files)
        for (index, _), finding in zip(share, verdicts, strict=True):
            done.append((index, finding))
            if len(done) == REPORT_EVERY:
                pipe.send(done)
                done = []
        pipe.send(done)
        pipe.send(None)
    except StorageError as error:
        pipe.send(StorageError(str(error)))
