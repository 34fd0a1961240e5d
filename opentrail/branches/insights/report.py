"""A transition and the counts around it -> the Insight event that tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentrail.branches.insights.callers import Spans
from opentrail.branches.insights.detector import Started, Transition
from opentrail.branches.insights.series import CALL_RATE, DAY_MINUTES, Counts, Series, from_minute
from opentrail.format.insight import (
    Attribution,
    Average,
    Context,
    Details,
    InsightEvent,
    Share,
    Statistics,
    name_insight,
    top_shares,
)

_BEFORE_ERROR_CODES = ("userIdentityArn", "userAgent")  # the order of the user guide's samples
REPORTED_DAYS = 7  # the user guide's baseline: the seven days before, from midnight on

Errors = Mapping[str, Counts]  # error code -> the API's calls that ended in it


def report(
    series: Series,
    change: Transition,
    counts: Counts,
    *,
    errors: Errors,
    observed: int,
    attributions: Sequence[Attribution] = (),
) -> InsightEvent:
    """Write an incident's Start or End.

    Args:
        series: what is concerned.
        change: what happened.
        counts: the series' own, for the reported days and the incident.
        errors: the same API's error counts, for a call-rate Insight.
        observed: the first minute that was counted at all.
        attributions: further ones, beside ``errorCode``.
    """
    begun = isinstance(change, Started)
    start, end = _span(change)
    spans = spans_of(change, observed)
    since, _ = spans.before
    statistics = Statistics(
        baseline=Average(_mean(counts, *spans.before)),
        insight=Average(_mean(counts, *spans.measured)),
        insight_duration=end - start,
        baseline_duration=start - since,
    )
    shown = [a for a in attributions if a.attribute in _BEFORE_ERROR_CODES]
    if series.insight_type == CALL_RATE:
        shown.append(_error_codes(counts, errors, spans))
    shown += [a for a in attributions if a.attribute not in _BEFORE_ERROR_CODES]
    shared = shared_id_of(series, start)
    return InsightEvent(
        time=from_minute(change.minute),
        region=series.place.region,
        event_id=event_id_of(shared, change),
        account=series.place.account,
        shared_id=shared,
        details=Details(
            state="Start" if begun else "End",
            event_source=series.source,
            event_name=series.name,
            insight_type=series.insight_type,
            error_code=series.error_code,
            source_event_category="Data" if series.trail else "Management",
            insight_source=series.trail,
            insight_context=Context(statistics=statistics, attributions=shown),
        ),
    )


def shared_id_of(series: Series, start: int) -> str:
    """The ``sharedEventID`` of the incident that began at the minute ``start``."""
    of_trail = (series.trail,) if series.trail else ()
    return name_insight(*series.place, series.source, series.name, series.error_code, start, *of_trail)


def event_id_of(shared_id: str, change: Transition) -> str:
    """The ``eventID`` of an incident's Start or End."""
    return name_insight(shared_id, "Start" if isinstance(change, Started) else "End")


def spans_of(change: Transition, observed: int) -> Spans:
    """The minutes whose averages are reported: of a Start its first minute, of an End the whole incident.

    The baseline reaches back to midnight seven days before the start, or to ``observed`` where counts
    begin later.
    """
    start, end = _span(change)
    since = max(start - start % DAY_MINUTES - REPORTED_DAYS * DAY_MINUTES, min(observed, start - 1))
    return Spans((start, start + 1) if isinstance(change, Started) else (start, end), (since, start))


def _span(change: Transition) -> tuple[int, int]:
    """The incident's minutes ``[from, to)``, as far as they are known."""
    if isinstance(change, Started):
        return change.minute, change.seen + 1
    return change.start, max(change.minute, change.start + 1)


def _mean(counts: Counts, start: int, end: int) -> float:
    """Per minute, to ten digits after the point."""
    return round(_total(counts, start, end) / (end - start), 10)


def _total(counts: Counts, start: int, end: int) -> int:
    if end - start < len(counts):
        return sum([counts.get(minute, 0) for minute in range(start, end)])
    return sum([count for minute, count in counts.items() if start <= minute < end])


def _error_codes(counts: Counts, errors: Errors, spans: Spans) -> Attribution:
    insight, baseline = (_shares(counts, errors, span) for span in spans)
    return Attribution("errorCode", insight, baseline)


def _shares(counts: Counts, errors: Errors, span: tuple[int, int]) -> list[Share]:
    """Calls by error code, those without an error under the word ``null``."""
    failed = {code: _mean(of_code, *span) for code, of_code in errors.items()}
    succeeded = round(_mean(counts, *span) - sum(failed.values()), 10)
    return top_shares({"null": succeeded, **failed})
