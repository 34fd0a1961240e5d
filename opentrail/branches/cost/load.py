"""What went through a deployment in a span of time: what its cost follows from."""

from __future__ import annotations

from dataclasses import dataclass

# Lambda developer guide, "Configuring scaling behavior for SQS event source mappings": five batches of a
# queue at a time to begin with. That fewer pollers poll where fewer may run at once is UNCONFIRMED: runs
# are counted for as many as may run, empty polls for five.
POLLERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What AWS itself counted; None where it did not."""

    runs: float | None = None  # of functions
    gb_seconds: float | None = None
    writes: float | None = None  # DynamoDB's units
    reads: float | None = None


NOTHING_MEASURED = Measured()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Counts over ``days``. Metered ones are whole, modelled ones need not be."""

    days: float
    places: float  # accounts and Regions with events
    trails: float  # that have files
    messages: float  # on the intake queue
    forwarded: float  # of them from other accounts and Regions
    bought: float  # of them data and network activity events: on EventBridge only if an AWS trail logs them
    records: float  # events in them
    record_runs: float
    chunks: float  # on the delivery queue
    claims: float  # chunks, once per destination
    deliver_runs: float
    copies: float  # events in files, once per destination
    trail_files: float
    trail_bytes: float  # compressed
    history_events: float
    history_files: float
    history_bytes: float
    digests: float
    insights_places: float  # places in which a trail wants Insights
