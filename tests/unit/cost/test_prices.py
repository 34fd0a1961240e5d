"""The list of prices: dated, sourced, and honest about what was not seen on AWS's own page."""

from __future__ import annotations

from datetime import date

from opentrail.branches.cost import load_prices

PRICES = load_prices()


def test_the_list_says_of_where_and_when_it_is() -> None:
    assert PRICES.region == "us-east-1"
    assert date.fromisoformat(PRICES.dated) >= date(2026, 11, 1)


def test_every_price_names_aws_own_page() -> None:
    assert {price.source.split("/")[2] for price in PRICES.prices.values()} == {"aws.amazon.com"}


def test_what_aws_own_page_showed_is_told_from_what_only_others_say() -> None:
    confirmed = {name for name, price in PRICES.prices.items() if price.confirmed}

    assert confirmed == {"cloudtrail_copy", "cloudtrail_data", "kms_key"}


def test_a_price_is_of_so_many_units() -> None:
    assert PRICES["cloudtrail_copy"].of(150_000) == 3.0
