"""Bytes through the storage classes until they go."""

from __future__ import annotations

import pytest

from opentrail.branches.cost import Keeping, load_prices
from opentrail.branches.cost.storage import GB, MONTH_DAYS, storage_cost

FILES = 1_000_000  # of a terabyte: a megabyte each, large enough to be moved
SIZE = 1000 * GB
YEAR = Keeping()


def cost(size: float, files: float, keeping: Keeping = YEAR) -> float:
    return storage_cost(size, files, keeping, load_prices())


def test_standard_storage_by_the_month() -> None:
    assert cost(SIZE, FILES) == pytest.approx(1000 * 12 * 0.023)


def test_files_move_to_glacier_and_on() -> None:
    standard, glacier, archive = 90, 365 - 90, 24 * MONTH_DAYS - 365
    archived = (SIZE + FILES * 40 * 1024) / GB
    moved = FILES * (0.02 + 0.05) / 1000

    total = cost(SIZE, FILES, Keeping(months=24, glacier_days=90, deep_archive_days=365))

    stored = 1000 * standard * 0.023 + 1000 * glacier * 0.004 + archived * archive * 0.00099
    assert total == pytest.approx(stored / MONTH_DAYS + moved)


def test_deep_archive_needs_no_glacier_before_it() -> None:
    archived = (SIZE + FILES * 40 * 1024) / GB
    moved = FILES * 0.05 / 1000

    total = cost(SIZE, FILES, Keeping(deep_archive_days=30))

    stored = 1000 * 30 * 0.023 + archived * (12 * MONTH_DAYS - 30) * 0.00099
    assert total == pytest.approx(stored / MONTH_DAYS + moved)


def test_small_files_stay_where_they_are() -> None:
    assert cost(GB, 100_000, Keeping(glacier_days=30)) == cost(GB, 100_000)


def test_files_that_go_before_they_would_move_cost_no_transition() -> None:
    assert cost(SIZE, FILES, Keeping(months=1, glacier_days=90)) == cost(SIZE, FILES, Keeping(months=1))


def test_nothing_costs_nothing() -> None:
    assert cost(0, 0, Keeping(glacier_days=30)) == 0
