"""Readings of the meter -> usage by trail or day, and the load they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from opentrail.branches.cost import installation
from opentrail.branches.cost.estimate import occupied, windows
from opentrail.branches.cost.load import Load
from opentrail.model.event import Place
from opentrail.model.log_file import HISTORY
from opentrail.model.usage import Reading, Usage, total

# What readings can be put together by, and what they are called then.
GROUPS: dict[str, Callable[[Reading], str]] = {
    "trail": lambda reading: reading.destination,
    "account": lambda reading: reading.place.account,
    "region": lambda reading: reading.place.region,
    "day": lambda reading: reading.day,
}


def of_trails(readings: Iterable[Reading]) -> list[Reading]:
    """Without event history, which is no trail's and has no price."""
    return [reading for reading in readings if reading.destination != HISTORY]


def group(readings: Iterable[Reading], by: str) -> dict[str, Usage]:
    """Usage by ``trail``, ``account``, ``region`` or ``day``, sorted."""
    sums: dict[str, Usage] = {}
    for reading in readings:
        name = GROUPS[by](reading)
        sums[name] = sums.get(name, Usage()) + reading.usage
    return dict(sorted(sums.items()))


def combine(readings: Iterable[Reading]) -> list[Reading]:
    """One reading for each day, destination, account and Region, sorted."""
    sums: dict[tuple[str, str, Place], Usage] = {}
    for reading in readings:
        key = reading.day, reading.destination, reading.place
        sums[key] = sums.get(key, Usage()) + reading.usage
    return [
        Reading(day=day, destination=destination, place=place, usage=usage)
        for (day, destination, place), usage in sorted(sums.items(), key=lambda entry: entry[0])
    ]


def load_of(readings: Sequence[Reading], *, days: float, home: Place) -> Load:
    """The load that ``readings`` of all destinations were, over ``days``.

    Events, chunks, files and bytes are metered. How often functions ran for them, and how
    many digests there were, is modelled as in an estimate.

    Args:
        home: of the deployment; events of other places came over its own bus.
    """
    trails = of_trails(readings)
    everything, of_trail = total(r.usage for r in readings), total(r.usage for r in trails)
    history = total(r.usage for r in readings if r.destination == HISTORY)
    chains = {(r.destination, r.place) for r in trails}
    load = Load(
        days=days,
        places=len({r.place for r in readings}),
        trails=len({r.destination for r in trails}),
        messages=everything.arrived,
        forwarded=total(r.usage for r in readings if r.place != home).arrived,
        # Late events are not in history either, and cost nothing: no more were bought than trails have.
        bought=min(max(everything.arrived - history.events, 0), of_trail.data + of_trail.network),
        records=everything.arrived,
        record_runs=0,
        chunks=everything.chunks,
        claims=everything.claims,
        deliver_runs=0,
        copies=everything.events,
        trail_files=of_trail.files,
        trail_bytes=of_trail.bytes,
        history_events=history.events,
        history_files=history.files,
        history_bytes=history.bytes,
        digests=len(chains) * installation.DIGESTS_A_DAY * days,
        insights_places=len({r.place for r in trails if r.usage.analysed or r.usage.analysed_data}),
    )
    return replace(load, record_runs=_record_runs(load), deliver_runs=_deliver_runs(load))


def _record_runs(load: Load) -> float:
    slots = windows(load.days, installation.INTAKE_WINDOW_SECONDS, installation.INTAKE_CONCURRENCY)
    return max(occupied(slots, load.messages), load.messages / installation.INTAKE_BATCH)


def _deliver_runs(load: Load) -> float:
    slots = windows(load.days, installation.DELIVERY_WINDOW_SECONDS, installation.DELIVERY_CONCURRENCY)
    return occupied(slots, load.chunks)
