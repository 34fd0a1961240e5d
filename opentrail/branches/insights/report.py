"""A transition and the counts around it -> the Insight event that tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentrail.branches.insights.detector import Started, Transition
from opentrail.branches.insights.series import CALL_RATE, DAY_MINUTES, Counts, Series, from_minute
from opentrail.format.insight import (
    MAX_VALUES,
    Attribution,
    Average,
    Context,
    Details,
    InsightEvent,
    Share,
    Statistics,
    name_insight,
)

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

    The reported baseline is the mean per minute since midnight seven days before the start, or since
    ``observed`` where counts begin later.

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
    since = max(start - start % DAY_MINUTES - REPORTED_DAYS * DAY_MINUTES, min(observed, start - 1))
    measured = (start, start + 1) if begun else (start, end)
    statistics = Statistics(
        baseline=Average(_mean(counts, since, start)),
        insight=Average(_mean(counts, *measured)),
        insight_duration=end - start,
        baseline_duration=start - since,
    )
    shown = list(attributions)
    if series.insight_type == CALL_RATE:
        shown.append(_error_codes(counts, errors, measured, (since, start)))
    shared = name_insight(*series.place, series.source, series.name, series.error_code, start)
    return InsightEvent(
        time=from_minute(change.minute),
        region=series.place.region,
        event_id=name_insight(shared, "Start" if begun else "End"),
        account=series.place.account,
        shared_id=shared,
        details=Details(
            state="Start" if begun else "End",
            event_source=series.source,
            event_name=series.name,
            insight_type=series.insight_type,
            error_code=series.error_code,
            source_event_category="Management",
            insight_context=Context(statistics=statistics, attributions=shown),
        ),
    )


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


def _error_codes(
    counts: Counts, errors: Errors, measured: tuple[int, int], before: tuple[int, int]
) -> Attribution:
    return Attribution("errorCode", _shares(counts, errors, measured), _shares(counts, errors, before))


def _shares(counts: Counts, errors: Errors, span: tuple[int, int]) -> list[Share]:
    """Calls by error code, those without an error under the word ``null``."""
    failed = {code: _mean(of_code, *span) for code, of_code in errors.items()}
    succeeded = round(_mean(counts, *span) - sum(failed.values()), 10)
    return top_shares({"null": succeeded, **failed})


def top_shares(averages: Mapping[str, float]) -> list[Share]:
    """The five values with most calls."""
    ordered = sorted(averages.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Share(value, average) for value, average in ordered[:MAX_VALUES] if average > 0]
