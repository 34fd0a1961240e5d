"""Bills as tables for people and as objects for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from opentrail.branches.cost import Line, largest
from opentrail.model.usage import FIELDS, Reading, Usage

WIDTH = 118  # where there is no terminal to ask
COLUMNS = {
    "first": "first copy",
    "copies": "more copies",
    "data": "data",
    "network": "network",
    "analysed": "analysed",
    "analysed_data": "analysed data",
    "files": "files",
    "bytes": "bytes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is said of a span of time: by CloudTrail's prices, and by what runs here.

    ``own`` is empty where only one trail is asked about: what a deployment costs is no trail's.
    """

    about: str
    cloudtrail: Sequence[Line]
    own: Sequence[Line]
    grouped_by: str = ""
    usage: Mapping[str, Usage] = field(default_factory=dict)
    readings: Sequence[Reading] = ()

    def as_object(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "about": self.about,
            "cloudtrail": {"dollars": _sum(self.cloudtrail), "lines": [asdict(li) for li in self.cloudtrail]},
            "deployment": {
                "dollars": _sum(self.own),
                "largest": largest(self.own).name if self.own else None,
                "lines": [asdict(line) for line in self.own],
            },
            "readings": [_as_object(reading) for reading in self.readings],
        }

    def show(self) -> None:
        """Print it."""
        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=WIDTH)
        console.print(self.about, soft_wrap=True)
        if self.usage:
            console.print(_usage_table(self.grouped_by, self.usage))
        console.print(_lines_table("CloudTrail would charge", self.cloudtrail))
        if self.own:
            console.print(_lines_table("This deployment costs", [li for li in self.own if li.dollars]))
            console.print(self._summary(), soft_wrap=True)

    def _summary(self) -> str:
        own, driver = _sum(self.own), largest(self.own)
        share = f", {driver.dollars / own:.0%} of it" if own else ""
        return (
            f"CloudTrail would charge {dollars(_sum(self.cloudtrail))}; "
            f"this deployment costs {dollars(own)}. "
            f"Largest driver: {driver.name}, {dollars(driver.dollars)}{share}."
        )


def dollars(amount: float) -> str:
    """Cents where that says something, else as many digits as do."""
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.6f}"


def _sum(lines: Sequence[Line]) -> float:
    return sum(line.dollars for line in lines)


def _usage_table(by: str, usage: Mapping[str, Usage]) -> Table:
    shown = [name for name in COLUMNS if any(getattr(each, name) for each in usage.values())]
    table = Table(title="Delivered", title_justify="left")
    table.add_column(by, overflow="fold")
    for name in shown:
        table.add_column(COLUMNS[name], justify="right")
    for name, each in usage.items():
        table.add_row(name, *[f"{getattr(each, column):,}" for column in shown])
    return table


def _lines_table(title: str, lines: Sequence[Line]) -> Table:
    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("for", footer="together")
    table.add_column("quantity", justify="right")
    table.add_column("", footer="")
    table.add_column("dollars", justify="right", footer=dollars(_sum(lines)))
    for line in lines:
        quantity = (
            f"{line.quantity:,.0f}"
            if line.quantity >= 10 or line.quantity == int(line.quantity)
            else f"{line.quantity:,.2f}"
        )
        table.add_row(line.name, quantity, line.unit, dollars(line.dollars))
    return table


def _as_object(reading: Reading) -> dict[str, Any]:
    return {
        "day": reading.day,
        "destination": reading.destination,
        "account": reading.place.account,
        "region": reading.place.region,
        **{name: getattr(reading.usage, name) for name in FIELDS},
    }


def no_such_trail(name: str, known: Sequence[str]) -> click.ClickException:
    """What to say when a trail has nothing to its name."""
    there = f"those that did: {', '.join(known)}" if known else "no trail did"
    return click.ClickException(f"trail {name} delivered nothing in that time; {there}")
