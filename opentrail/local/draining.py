"""Everything on its way -> its log files, now: the queues of the line, each after the one it waits for."""

from __future__ import annotations

from opentrail.local.pollers import Drained, Pollers
from opentrail.local.queues import end_delays, find_queue

MAX_ROUNDS = 100  # a pipeline that feeds itself must not hold up the caller for ever


def drain_line(pollers: Pollers, *, intake: str, delivery: str, notices: str = "") -> dict[str, int]:
    """Move every record on the intake queue into its log files; then those of an existing bucket's files.

    In this order, and without their delay: what EventBridge brought is in history when the
    file that holds it, too, is read.

    Args:
        pollers: who moves messages.
        intake: the ARN of the intake queue.
        delivery: that of the delivery queue.
        notices: that of the ingest queue; "" where nothing is ingested.

    Returns:
        dict: ``events`` taken from the intake queue, ``chunks`` from the delivery queue, ``failed``
        messages that stay on their queue; and ``files``, notices taken, where there is such a queue.
    """
    events, chunks, files = Drained(), Drained(), Drained()
    for number in range(MAX_ROUNDS):
        retry = number == 0
        recorded = pollers.drain(intake, retry=retry)
        delivered = pollers.drain(delivery, retry=retry)
        events, chunks = events + recorded, chunks + delivered
        if _is_idle(recorded) and _is_idle(delivered):
            ingested = _ingest(pollers, notices, retry=not files.taken)
            files += ingested
            if _is_idle(ingested):
                break
    failed = events.failed + chunks.failed + files.failed
    counts = {"events": events.taken, "chunks": chunks.taken, "failed": failed}
    return counts | ({"files": files.taken} if notices else {})


def _ingest(pollers: Pollers, notices: str, *, retry: bool) -> Drained:
    if not notices:
        return Drained()
    end_delays(find_queue(notices))
    return pollers.drain(notices, retry=retry)


def _is_idle(drained: Drained) -> bool:
    return drained.taken == drained.failed
