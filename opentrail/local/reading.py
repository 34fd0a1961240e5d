"""CloudTrail's reading side on the laptop: a call is in the history as soon as it was answered."""

from __future__ import annotations

from collections.abc import Callable

from opentrail.local.call import Call, Reply, ServiceHandler

OF_HISTORY = frozenset({"LookupEvents", "ListInsightsData", "ListInsightsMetricData"})


def reading_own_writes(handler: ServiceHandler, drain: Callable[[], object]) -> ServiceHandler:
    """Return ``handler`` with event history answering only after what was recorded is in it."""

    def handle(call: Call) -> Reply:
        if call.operation in OF_HISTORY:
            drain()
        return handler(call)

    return handle
