"""A number of events a month -> the load they would be: how many runs, chunks and files they make."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1

from opentrail.branches.cost import installation
from opentrail.branches.cost.load import POLLERS, Load
from opentrail.branches.cost.storage import MONTH_DAYS
from opentrail.model.usage import Usage

DAY_SECONDS = 86_400
RECORD_BYTES = 1420  # mean of real records, one line of JSON
RATIO = 6.5  # of log files; a twentieth more or less between 50 and 400 records a file
QUICK_RATIO = 5.3  # of the files of event history


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A month of an organization.

    Args:
        events: that arrive, of all kinds.
        data_share: how many of them are data events, which the first trail alone selects; 0 to 1.
        write_share: how many of the management events are writes; 0 to 1.
        places: accounts and Regions with events, each as busy as the others.
        trails: that select all management events.
        insights_types: that the first trail wants; 0 to 2.
        forwarded_share: how many events come from other accounts or Regions; 0 to 1.
    """

    events: float
    data_share: float = 0.0
    write_share: float = 0.3
    places: float = 1
    trails: float = 1
    insights_types: int = 0
    forwarded_share: float = 0.0
    intake_window_seconds: int = installation.INTAKE_WINDOW_SECONDS
    intake_batch: int = installation.INTAKE_BATCH
    intake_concurrency: int = installation.INTAKE_CONCURRENCY
    delivery_window_seconds: int = installation.DELIVERY_WINDOW_SECONDS


def occupied(slots: float, things: float) -> float:
    """How many of ``slots`` hold something when ``things`` fall into them at random."""
    return -slots * expm1(-things / slots) if slots else 0.0


def estimate(workload: Workload) -> tuple[Load, Usage]:
    """A month of ``workload``: what goes through the deployment, and what its trails have delivered."""
    data = workload.events * workload.data_share
    management = workload.events - data
    batches = windows(MONTH_DAYS, workload.intake_window_seconds, workload.intake_concurrency)
    full = workload.events / workload.intake_batch
    record_runs = max(occupied(batches, workload.events), full)
    cells = max(batches, full) * workload.places
    management_chunks, data_chunks = occupied(cells, management), occupied(cells, data)
    chunks = management_chunks + data_chunks
    batches = windows(MONTH_DAYS, workload.delivery_window_seconds, installation.DELIVERY_CONCURRENCY)
    deliver_runs = occupied(batches, chunks)
    first_files = occupied(batches * workload.places, chunks)
    history_files = occupied(batches * workload.places, management_chunks)
    trail_files = first_files + (workload.trails - 1) * history_files
    copies = management * (workload.trails - 1)
    trail_events = workload.events + copies
    load = Load(
        days=MONTH_DAYS,
        places=workload.places,
        trails=workload.trails,
        messages=workload.events,
        forwarded=workload.events * workload.forwarded_share,
        bought=data,
        records=workload.events,
        record_runs=record_runs,
        chunks=chunks,
        claims=chunks + workload.trails * management_chunks,
        deliver_runs=deliver_runs,
        copies=trail_events + management,
        trail_files=trail_files,
        trail_bytes=trail_events * RECORD_BYTES / RATIO,
        history_events=management,
        history_files=history_files,
        history_bytes=management * RECORD_BYTES / QUICK_RATIO,
        digests=workload.trails * workload.places * installation.DIGESTS_A_DAY * MONTH_DAYS,
        insights_places=workload.places if workload.insights_types else 0,
    )
    return load, _usage(workload, load, management, data)


def _usage(workload: Workload, load: Load, management: float, data: float) -> Usage:
    writes = management * workload.write_share
    analysed = {0: 0.0, 1: writes, 2: writes + management}[workload.insights_types]
    return Usage(
        events=round(load.copies - management),
        first=round(management),
        copies=round(management * (workload.trails - 1)),
        data=round(data),
        analysed=round(analysed),
        files=round(load.trail_files),
        bytes=round(load.trail_bytes),
    )


def windows(days: float, seconds: int, concurrency: int) -> float:
    """How many windows the pollers of a queue collect for."""
    return days * DAY_SECONDS / seconds * min(POLLERS, concurrency)
