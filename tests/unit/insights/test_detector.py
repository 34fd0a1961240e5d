"""What counts as an incident, when it starts and when it ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.insights.weeks import END, FIRST, JUDGED, make_week
from opentrail.branches.insights import Ended, Sensitivity, Started, find_gaps, replay
from opentrail.branches.insights.baseline import Baseline
from opentrail.branches.insights.detector import Transition, Watch, Window, judge
from opentrail.branches.insights.replay import learn
from opentrail.branches.insights.score import stabilise
from opentrail.branches.insights.series import DAY_MINUTES, from_minute, to_minute

DAY = DAY_MINUTES
FIRST_DAY = FIRST // DAY


def steady(days: int, every: int, count: int) -> dict[int, int]:
    """``count`` calls in every ``every``-th minute."""
    return dict.fromkeys(range(FIRST, FIRST + days * DAY, every), count)


def spans(changes: list[Transition]) -> list[tuple[str, int]]:
    return [("Start" if isinstance(change, Started) else "End", change.minute) for change in changes]


def test_a_burst_starts_at_its_first_minute_and_ends_after_its_last() -> None:
    counts = steady(9, 1, 10)
    begin = FIRST + 8 * DAY + 600
    counts |= dict.fromkeys(range(begin, begin + 20), 60)

    changes = list(replay(counts, FIRST, FIRST + 9 * DAY))

    assert spans(changes) == [("Start", begin), ("End", begin + 20)]


def test_a_drop_to_nothing_is_an_incident() -> None:
    counts = steady(9, 1, 20)
    begin = FIRST + 8 * DAY + 600
    for minute in range(begin, begin + 30):
        del counts[minute]

    changes = list(replay(counts, FIRST, FIRST + 9 * DAY))

    assert spans(changes) == [("Start", begin), ("End", begin + 30)]
    assert isinstance(changes[0], Started)
    assert changes[0].sign == -1


def test_an_api_never_called_before_is_noticed_within_five_minutes() -> None:
    begin = FIRST + 8 * DAY + 90
    counts = {FIRST: 1} | dict.fromkeys(range(begin, begin + 10), 5)

    start, end = replay(counts, FIRST, FIRST + 9 * DAY)

    assert isinstance(start, Started)
    assert (start.minute, end.minute) == (begin, begin + 10)
    assert start.seen + 1 - begin <= 5


def test_an_incident_that_runs_has_no_end() -> None:
    counts = steady(8, 1, 10) | dict.fromkeys(range(FIRST + 8 * DAY, FIRST + 8 * DAY + 60), 90)

    changes = list(replay(counts, FIRST, FIRST + 8 * DAY + 60))

    assert spans(changes) == [("Start", FIRST + 8 * DAY)]


def test_a_pause_shorter_than_the_quiet_period_makes_no_second_incident() -> None:
    counts = steady(9, 1, 10)
    begin = FIRST + 8 * DAY + 600
    for part in (range(begin, begin + 10), range(begin + 18, begin + 30)):
        counts |= dict.fromkeys(part, 80)

    changes = list(replay(counts, FIRST, FIRST + 9 * DAY))

    assert spans(changes) == [("Start", begin), ("End", begin + 30)]


def test_nothing_is_judged_before_the_least_days() -> None:
    counts = steady(3, 1, 10) | dict.fromkeys(range(FIRST + DAY, FIRST + DAY + 30), 200)
    late = FIRST + 2 * DAY + 600
    counts |= dict.fromkeys(range(late, late + 30), 200)

    assert list(replay(counts, FIRST, FIRST + 3 * DAY, sensitivity=Sensitivity(least_days=3))) == []
    assert ("Start", late) in spans(
        list(replay(counts, FIRST, FIRST + 3 * DAY, sensitivity=Sensitivity(least_days=2)))
    )


def test_a_past_incident_does_not_hide_the_next() -> None:
    counts = steady(15, 1, 10)
    for day in (9, 14):
        begin = FIRST + day * DAY + 600
        counts |= dict.fromkeys(range(begin, begin + 20), 60)

    starts = [
        minute for state, minute in spans(list(replay(counts, FIRST, FIRST + 15 * DAY))) if state == "Start"
    ]

    assert starts == [FIRST + 9 * DAY + 600, FIRST + 14 * DAY + 600]


def test_a_nightly_job_is_a_habit_and_not_an_incident() -> None:
    counts = steady(21, 5, 1)
    for day in range(21):
        begin = FIRST + day * DAY + 150 + day % 7
        counts |= dict.fromkeys(range(begin, begin + 8), 50)

    late = [change for change in replay(counts, FIRST, FIRST + 21 * DAY) if change.minute >= FIRST + 7 * DAY]

    assert late == []


def test_silence_of_all_busy_apis_together_is_missing_data() -> None:
    series = [steady(9, 1, 20 + number) for number in range(3)]
    begin = FIRST + 8 * DAY + 600
    for counts in series:
        for minute in range(begin, begin + 90):
            del counts[minute]

    gaps = find_gaps(series, FIRST, FIRST + 9 * DAY)

    assert gaps == [(begin, begin + 90)]
    assert [list(replay(counts, FIRST, FIRST + 9 * DAY, gaps=gaps)) for counts in series] == [[], [], []]


def test_silence_of_one_api_among_others_is_no_missing_data() -> None:
    series = [steady(2, 1, 20 + number) for number in range(3)]
    for minute in range(FIRST + 600, FIRST + 700):
        del series[0][minute]

    assert find_gaps(series, FIRST, FIRST + 2 * DAY) == []


@given(st.lists(st.integers(1, 400), max_size=8))
@settings(max_examples=25, deadline=None)
def test_runs_of_any_length_find_what_one_long_run_finds(steps: list[int]) -> None:
    counts, baseline = burst_and_baseline()

    whole = judge_in(counts, baseline, [DAY])
    pieces = judge_in(counts, baseline, steps)

    assert spans(pieces) == spans(whole)
    assert [state for state, _ in spans(whole)] == ["Start", "End"]


def judge_in(counts: dict[int, int], baseline: Baseline, steps: list[int]) -> list[Transition]:
    """Judge the ninth day, so many minutes at a time."""
    first = FIRST + 8 * DAY
    watch, found = Watch(first, FIRST), []
    for step in [*steps, DAY]:
        end = min(watch.judged + step, first + DAY)
        if watch.judged < end:
            window = Window(baseline, counts, (), watch.judged, end)
            found += judge(baseline, window, watch, Sensitivity())
    return found


_made: list[tuple[dict[int, int], Baseline]] = []


def burst_and_baseline() -> tuple[dict[int, int], Baseline]:
    """Made once: learning costs more than judging."""
    if not _made:
        counts = steady(9, 1, 10)
        begin = FIRST + 8 * DAY + 600
        counts |= dict.fromkeys(range(begin, begin + 70), 60)
        _made.append((counts, learn(counts, FIRST, FIRST_DAY + 8, gaps=(), sensitivity=Sensitivity())[0]))
    return _made[0]


def test_learning_gives_todays_and_tomorrows_baseline() -> None:
    counts = steady(8, 1, 10)

    days = [b.day for b in learn(counts, FIRST, FIRST_DAY + 8, gaps=(), sensitivity=Sensitivity())]

    assert days == [FIRST_DAY + 8, FIRST_DAY + 9]


def test_labelled_weeks_of_every_kind() -> None:
    week = make_week("deployments", 5)

    found = [change for change in replay(week.counts, FIRST, END) if change.minute >= JUDGED - 60]

    starts = [change.minute for change in found if isinstance(change, Started)]
    ends = [change.minute for change in found if isinstance(change, Ended)]
    for incident in week.incidents:
        assert any(incident.start - 5 <= minute < incident.end for minute in starts)
    assert len(ends) in (len(starts), len(starts) - 1)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.sampled_from([0.0, 1e-7, 0.01, 0.5]))
def test_scores_grow_with_counts(a: float, b: float, dispersion: float) -> None:
    low, high = sorted((a, b))

    assert stabilise(low, dispersion) <= stabilise(high, dispersion)


@given(st.integers(0, 60_000_000))
def test_minutes_read_back(minute: int) -> None:
    assert to_minute(from_minute(minute)) == minute


def days_with(incident: tuple[int, int], *, days: int, level: int = 10) -> dict[int, int]:
    """Steady calls, five times as many in the minutes of ``incident`` (since the first day began)."""
    counts = steady(days, 1, level)
    return counts | dict.fromkeys(range(FIRST + incident[0], FIRST + incident[1]), 5 * level)


def test_a_long_incident_ends_where_it_ends_and_is_not_found_twice() -> None:
    begin, end = 12 * DAY + 300, 12 * DAY + 900
    counts = days_with((begin, end), days=14, level=60)
    restless = {minute: count + (minute * 7 % 31) - 15 for minute, count in counts.items()}

    changes = list(replay(restless, FIRST, FIRST + 14 * DAY))

    assert spans(changes) == [("Start", FIRST + begin), ("End", FIRST + end)]


def test_an_incident_on_one_weekend_does_not_make_the_next_one_a_drop() -> None:
    begin = 5 * DAY + 600  # Saturday
    counts = days_with((begin, begin + 60), days=14)

    changes = list(replay(counts, FIRST, FIRST + 14 * DAY))

    assert spans(changes) == [("Start", FIRST + begin), ("End", FIRST + begin + 60)]


def test_weekends_may_begin_and_end_at_midnight_sharp() -> None:
    counts = {FIRST + minute: 40 if minute // DAY % 7 < 5 else 8 for minute in range(16 * DAY)}

    assert list(replay(counts, FIRST, FIRST + 16 * DAY)) == []


def test_a_past_burst_of_a_rare_error_does_not_hide_the_next_one() -> None:
    counts = dict.fromkeys(range(FIRST, FIRST + 28 * DAY, 2000), 1)
    for day in (6, 26):
        counts |= dict.fromkeys(range(FIRST + day * DAY + 500, FIRST + day * DAY + 510), 15)

    starts = [c.minute for c in replay(counts, FIRST, FIRST + 28 * DAY) if isinstance(c, Started)]

    assert starts == [FIRST + 6 * DAY + 500, FIRST + 26 * DAY + 500]
