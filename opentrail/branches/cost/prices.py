"""The dated list of prices."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Price:
    """So many dollars for ``per`` of a unit, and where it was read."""

    dollars: float
    per: int
    unit: str
    source: str
    confirmed: bool

    def of(self, quantity: float) -> float:
        """What ``quantity`` costs, in dollars."""
        return quantity * self.dollars / self.per


@dataclass(frozen=True, slots=True)
class PriceList:
    """The list prices of one Region on one day."""

    region: str
    dated: str
    prices: Mapping[str, Price]

    def __getitem__(self, name: str) -> Price:
        return self.prices[name]


@cache
def load_prices() -> PriceList:
    """Read ``data/prices.toml``."""
    text = files(__package__).joinpath("data/prices.toml").read_text()
    content = tomllib.loads(text)
    region, dated = content.pop("region"), content.pop("dated")
    return PriceList(region, dated.isoformat(), {name: Price(**entry) for name, entry in content.items()})
