"""A day's files that no digest lists -> what they count up to, kept when their rows expire.

A digest keeps the usage of the files it lists. Files of trails without validation, and of
event history, are summed once their day is over. A file counts when it is delivered: whether
it is, its row says, so a repeat or a crash counts nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from opentrail.model.event import Place
from opentrail.model.log_file import FileRow, FileState
from opentrail.model.usage import Reading, Usage

SETTLED = timedelta(hours=3)  # after midnight: then a delivery of the day before has ended or was abandoned
DAYS_BACK = 12  # a queue gives a message up after 14 days, and rows expire after 15
WAIT_DAYS = 8  # for files whose fate is open: their messages are tried for four days


class Shelf(Protocol):
    """The ledger's rows by day, and the sums. Maps to ``dynamodb:Query`` and ``PutItem`` on its table."""

    def summed_days(self, first: str, last: str) -> set[str]:
        """Which days from ``first`` to ``last`` were summed. Raises ``StorageError``."""

    def files_of(self, day: str) -> Iterable[FileRow]:
        """The rows of that day's files that no digest lists. Raises ``StorageError``."""

    def put_day(self, day: str, readings: Sequence[Reading]) -> None:
        """Keep a day's sums, then note that it was summed; again, the same. Raises ``StorageError``."""


def roll_up_days(shelf: Shelf, now: datetime) -> list[str]:
    """Sum every day that is over and not summed yet; answer which those were.

    A day with a file that is neither delivered nor dropped is left for a later run.

    Raises:
        StorageError: the ledger did not answer; the next run goes on.
    """
    over = now - SETTLED
    days = [f"{over - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS_BACK, 0, -1)]
    waits = f"{over - timedelta(days=WAIT_DAYS):%Y-%m-%d}"
    summed = shelf.summed_days(days[0], days[-1])
    done = []
    for day in days:
        if day in summed:
            continue
        rows = list(shelf.files_of(day))
        if day > waits and any(row.state is FileState.PENDING for row in rows):
            continue
        shelf.put_day(day, sum_files(day, rows))
        done.append(day)
    return done


def sum_files(day: str, rows: Iterable[FileRow]) -> list[Reading]:
    """What the delivered ones of ``rows`` count up to, for each destination and place."""
    sums: dict[tuple[str, Place], Usage] = {}
    for row in rows:
        if row.state is FileState.DELIVERED:
            destination, account, region = row.id.rsplit("#", 3)[1:]
            chain = destination, Place(account, region)
            sums[chain] = sums.get(chain, Usage()) + row.file.usage
    return [
        Reading(day=day, destination=destination, place=place, usage=usage)
        for (destination, place), usage in sorted(sums.items(), key=lambda entry: entry[0])
    ]
