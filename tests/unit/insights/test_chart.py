"""``opentrail insights show``: the picture of one incident, drawn from what its detector saw."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.insights.weeks import FIRST
from opentrail import cli
from opentrail.branches.insights.backtest import backtest
from opentrail.branches.insights.chart import find_chart
from opentrail.branches.insights.series import Series, from_minute
from opentrail.model.event import Place

DAY = 1440
BEGIN = FIRST + 8 * DAY + 605
END = BEGIN + 20
PLACE = Place("111122223333", "us-east-1")
RUN, STOP = (Series(PLACE, "ec2.amazonaws.com", name) for name in ("RunInstances", "StopInstances"))


def calls(usual: int, unusual: int) -> dict[int, int]:
    """Nine days of the same every minute but for twenty."""
    return {m: unusual if BEGIN <= m < END else usual for m in range(FIRST, FIRST + 9 * DAY)}


COUNTED = {RUN: calls(2, 40), STOP: {m: c for m, c in calls(20, 0).items() if c}}


@pytest.fixture(scope="module")
def ids() -> dict[tuple[str, str], str]:
    """The eventIDs of both incidents."""
    return {(e.details.event_name, e.details.state): e.event_id for e in backtest(COUNTED)}


@pytest.mark.parametrize("state", ["Start", "End"])
def test_the_incident_is_found_by_the_id_of_either_event(ids: dict[tuple[str, str], str], state: str) -> None:
    chart = find_chart(COUNTED, ids["RunInstances", state])

    assert chart is not None
    assert (chart.series, chart.start, chart.end) == (RUN, BEGIN, END)
    assert find_chart(COUNTED, chart.shared_id) == chart


def test_a_burst_lies_above_the_bounds_and_the_rest_within(ids: dict[tuple[str, str], str]) -> None:
    chart = find_chart(COUNTED, ids["RunInstances", "Start"])

    assert chart is not None
    assert chart.width == 1
    assert {p.minute for p in chart.points if not p.lower <= p.calls <= p.upper} == set(range(BEGIN, END))
    assert all(p.lower <= p.low <= 2 <= p.high <= p.upper < 40 for p in chart.points)
    assert max(chart.calls) == 40


def test_a_drop_lies_below_the_bounds(ids: dict[tuple[str, str], str]) -> None:
    chart = find_chart(COUNTED, ids["StopInstances", "Start"])

    assert chart is not None
    assert chart.series == STOP
    middle = next(p for p in chart.points if p.minute == BEGIN + 10)
    assert middle.calls < middle.lower < middle.low


def test_no_other_id_finds_anything() -> None:
    assert find_chart(COUNTED, "00000000-0000-4000-8000-000000000000") is None


def show(insight_id: str, png: Path) -> Result:
    lines = [
        {
            "minute": from_minute(minute),
            "accountId": PLACE.account,
            "awsRegion": PLACE.region,
            "eventSource": series.source,
            "eventName": series.name,
            "insightType": series.insight_type,
            "errorCode": None,
            "count": count,
        }
        for series, counts in COUNTED.items()
        for minute, count in counts.items()
    ]
    counts_file = "\n".join(map(json.dumps, lines))
    arguments = ["insights", "show", insight_id, "--counts", "-", "--png", str(png)]
    return CliRunner().invoke(cli.main, arguments, input=counts_file)


def test_the_picture_is_a_png_of_that_series(ids: dict[tuple[str, str], str], tmp_path: Path) -> None:
    png = tmp_path / "incident.png"

    done = show(ids["StopInstances", "End"], png)

    assert (done.exit_code, done.output) == (0, "")
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert b"ec2.amazonaws.com StopInstances, 111122223333 us-east-1" in content  # its title, as metadata


def test_an_unknown_id_ends_in_exit_code_1(tmp_path: Path) -> None:
    done = show("nothing", tmp_path / "incident.png")

    assert done.exit_code == 1
    assert done.output == "opentrail: no incident with the ID nothing in 2 series\n"
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_it_says_what_to_install(
    ids: dict[tuple[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return known(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    done = show(ids["RunInstances", "End"], tmp_path / "incident.png")

    assert done.exit_code == 2
    assert "pip install 'opentrail[plots]'" in done.output
