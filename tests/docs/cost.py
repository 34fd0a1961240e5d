"""The generated parts of docs/cost.md: ``python -m tests.docs.cost``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from opentrail.branches.cost import (
    Keeping,
    Workload,
    cloudtrail_charge,
    estimate,
    load_prices,
    own_cost,
)
from tests.docs.compatibility import replace_part

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"
MILLION = 1e6
SCENARIOS = {
    "1 million a month, 3 accounts and Regions": Workload(events=1e6, places=3),
    "100 million a month, 50": Workload(events=1e8, places=50),
    "1 billion a month, 200": Workload(events=1e9, places=200),
}
BUSY = SCENARIOS["100 million a month, 50"]
LONG_WINDOW_SECONDS = 300  # the longest IntakeWindowSeconds


def bill(workload: Workload) -> dict[str, float]:
    """What a month of the deployment costs, by driver."""
    return {line.name: line.dollars for line in own_cost(estimate(workload)[0], Keeping(), load_prices())}


def charged(workload: Workload) -> float:
    """What CloudTrail charges for a month, S3 left out, which is paid to S3 either way."""
    lines = cloudtrail_charge(estimate(workload)[1], Keeping(), load_prices())
    return sum(line.dollars for line in lines if not line.name.startswith("S3"))


def standing(workload: Workload) -> dict[str, float]:
    """The bill of a month in which nothing happens, in as many accounts and Regions."""
    return bill(replace(workload, events=0))


def per_million(workload: Workload) -> dict[str, float]:
    """What a million events add to it, by driver."""
    idle, busy = standing(workload), bill(workload)
    return {name: (busy[name] - idle[name]) / workload.events * MILLION for name in busy}


def scenario_table() -> str:
    """What stands, what a million events add, its largest driver, and what patience saves."""
    rows = []
    for name, workload in SCENARIOS.items():
        added = per_million(workload)
        driver = max(added, key=lambda each: added[each])
        patient = per_million(replace(workload, intake_window_seconds=LONG_WINDOW_SECONDS))
        rows.append(
            f"| {name} | {sum(standing(workload).values()):.2f} | {sum(added.values()):.2f} "
            f"| {driver}, {added[driver]:.2f} | {sum(patient.values()):.2f} |"
        )
    head = (
        "| events | standing, a month | per million events | largest driver of these "
        f"| with `IntakeWindowSeconds={LONG_WINDOW_SECONDS}` |\n|---|---|---|---|---|"
    )
    return "\n".join([head, *rows])


def driver_table() -> str:
    """What a million events add, driver by driver."""
    columns = [per_million(workload) for workload in SCENARIOS.values()]
    names = sorted(columns[1], key=lambda name: -columns[1][name])
    shown = [name for name in names if max(column[name] for column in columns) >= 0.0005]
    rows = [f"| {name} | " + " | ".join(f"{column[name]:.3f}" for column in columns) + " |" for name in shown]
    sums = [sum(column.values()) for column in columns]
    rows.append("| **all** | " + " | ".join(f"**{each:.3f}**" for each in sums) + " |")
    head = "| driver | 1 million | 100 million | 1 billion |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def more_table() -> str:
    """What more of something costs for a million events, here and there."""
    changes = {
        "a second trail with all management events": replace(BUSY, trails=2),
        "call-rate Insights, 30 % of the events writes": replace(BUSY, insights_types=1),
        "call-rate and error-rate Insights": replace(BUSY, insights_types=2),
        "data events in place of management events": replace(BUSY, data_share=1.0),
    }
    rows = []
    for name, workload in changes.items():
        ours = (sum(bill(workload).values()) - sum(bill(BUSY).values())) / workload.events * MILLION
        theirs = (charged(workload) - charged(BUSY)) / workload.events * MILLION
        rows.append(f"| {name} | {ours:+.2f} | {theirs:+.2f} |")
    head = "| for a million events, at 100 million a month | OpenTrail | CloudTrail |\n|---|---|---|"
    return "\n".join([head, *rows])


def price_table() -> str:
    """Every price."""
    prices = load_prices()
    rows = [
        f"| {p.unit} | {p.dollars:.10f}".rstrip("0").rstrip(".") + f" | {p.per:,} "
        f"| {p.source} | {'read there' if p.confirmed else 'UNCONFIRMED'} |"
        for p in prices.prices.values()
    ]
    head = f"| unit, {prices.region}, {prices.dated} | dollars | for | page | |\n|---|---|---|---|---|"
    return "\n".join([head, *rows])


PARTS = {
    "scenarios": scenario_table,
    "drivers": driver_table,
    "more": more_table,
    "prices": price_table,
}


if __name__ == "__main__":
    text = PAGE.read_text()
    for part, table in PARTS.items():
        text = replace_part(text, part, table())
    PAGE.write_text(text)
