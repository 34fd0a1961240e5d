"""The chunks of a file -> what CloudTrail would charge for, counted. It is stored with the file's intent."""

from __future__ import annotations

from collections.abc import Iterable

from opentrail.model.log_file import Chunk, Destination
from opentrail.model.usage import Usage, total

CALL_RATE, ERROR_RATE = "ApiCallRateInsight", "ApiErrorRateInsight"


def meter_file(destination: Destination, chunks: Iterable[Chunk], size: int) -> Usage:
    """Count a file of ``destination`` that holds ``chunks`` in ``size`` compressed bytes."""
    return total([Usage(files=1, bytes=size), *(_meter(destination, chunk) for chunk in chunks)])


def _meter(destination: Destination, chunk: Chunk) -> Usage:
    leads = chunk.destinations[0].name == destination.name
    counted = {"events": chunk.count, "claims": 1}
    if leads:
        counted |= {"arrived": chunk.count, "chunks": 1}
    if not destination.is_history:
        counted |= _classes(destination, chunk, leads=leads)
    return Usage(**counted)


def _classes(destination: Destination, chunk: Chunk, *, leads: bool) -> dict[str, int]:
    """What CloudTrail has a price for.

    Source: CloudTrail user guide, "Costs for Insights events": write events are analysed for call
    rates, all for error rates; of data events, all for both.
    """
    if chunk.category == "Management":
        writes = chunk.writes * (f"Management:{CALL_RATE}" in destination.insights)
        every = chunk.count * (f"Management:{ERROR_RATE}" in destination.insights)
        return {"first" if leads else "copies": chunk.count, "analysed": writes + every}
    if chunk.category == "Data":
        types = sum(name.startswith("Data:") for name in destination.insights)
        return {"data": chunk.count, "analysed_data": chunk.count * types}
    return {"network" if chunk.category == "NetworkActivity" else "insights": chunk.count}
