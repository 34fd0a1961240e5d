"""An incident's chart -> a PNG."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from opentrail.branches.insights.chart import Chart
from opentrail.branches.insights.series import DAY_MINUTES, from_minute
from opentrail.errors import OpenTrailError


def draw(chart: Chart, path: Path) -> None:
    """Write the picture to ``path``.

    Raises:
        OpenTrailError: matplotlib is not installed.
        OSError: ``path`` cannot be written.
    """
    try:  # an extra, and half a second to load: only when there is something to draw
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OpenTrailError("pictures need matplotlib: pip install 'opentrail[plots]'") from error
    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    minutes = [_time(chart.first + at) for at in range(len(chart.calls))]
    axes.plot(
        minutes, chart.calls, color="0.55", linewidth=0.7, drawstyle="steps-post", label="calls a minute"
    )
    over = chart.end if chart.end is not None else chart.first + len(chart.calls)
    axes.axvspan(_time(chart.start), _time(over), color="tab:red", alpha=0.15, linewidth=0, label="incident")
    times = [_time(point.minute + 1) for point in chart.points]
    low, high = [point.low for point in chart.points], [point.high for point in chart.points]
    axes.fill_between(times, low, high, color="tab:green", alpha=0.35, label="expected")
    axes.plot(times, [p.upper for p in chart.points], color="tab:green", linestyle="--", label="bounds")
    axes.plot(times, [p.lower for p in chart.points], color="tab:green", linestyle="--")
    if chart.width > 1:
        means = [point.calls for point in chart.points]
        axes.plot(times, means, color="tab:blue", label=f"mean of the last {chart.width} minutes")
    locator = AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.set(title=_title(chart), ylabel="calls a minute", xlabel="UTC", xlim=(minutes[0], minutes[-1]))
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", fontsize="small")
    figure.savefig(
        path, format="png", dpi=100, metadata={"Title": _title(chart), "Description": chart.shared_id}
    )


def _title(chart: Chart) -> str:
    series = chart.series
    code = f" ({series.error_code})" if series.error_code else ""
    until = f"to {from_minute(chart.end)}" if chart.end is not None else "on"
    return (
        f"{series.source} {series.name}{code}, {series.place.account} {series.place.region}\n"
        f"from {from_minute(chart.start)} {until}"
    )


def _time(minute: int) -> float:
    """Days since 1970, as matplotlib counts."""
    return minute / DAY_MINUTES
