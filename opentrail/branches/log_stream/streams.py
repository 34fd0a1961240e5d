"""Chunks of a trail -> named streams with their batches.

Source: CloudTrail user guide, "CloudWatch log group and log stream naming for
CloudTrail" (names), "Sending events to CloudWatch Logs" (which events).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentrail.branches.log_stream.batches import Batch, make_batches
from opentrail.format.keys import INSIGHTS, LOGS
from opentrail.model.log_file import Chunk, Destination

# Management, data and Insights events. Network activity events are not sent.
STREAMED_FOLDERS = frozenset({LOGS, INSIGHTS})

# CloudTrail opens further streams "if the volume is large" and does not say what that is
# (UNCONFIRMED): five full batches in one go, 5 MB, go to one stream.
BATCHES_PER_STREAM = 5


def make_streams(trail: Destination, chunks: Iterable[Chunk], *, now_ms: int) -> Iterator[tuple[str, Batch]]:
    """Pairs of a stream's name and one batch for it; batches of one stream ascend in time."""
    by_stream: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        if chunk.folder in STREAMED_FOLDERS:
            by_stream.setdefault(stream_name(trail, chunk.place.account), []).append(chunk)
    for name, own in by_stream.items():
        for index, batch in enumerate(make_batches(own, now_ms=now_ms)):
            number = index // BATCHES_PER_STREAM + 1
            yield name if number == 1 else f"{name}_{number}", batch


def stream_name(trail: Destination, account: str) -> str:
    """``<account>_CloudTrail_<home Region>``: one stream takes the events of all Regions.

    A trail of an organization begins it with the organization's ID, which is all that is
    documented; that the account is the member's own, so that its events can be told apart
    and searched by the stream's name, is a choice (UNCONFIRMED).
    """
    _, _, _, region, owner, _ = trail.name.split(":", 5)
    if trail.organization_id:
        return f"{trail.organization_id}_{account}_CloudTrail_{region}"
    return f"{owner}_CloudTrail_{region}"
