"""What CloudTrail would charge: AWS's own published examples."""

from __future__ import annotations

from opentrail.branches.cost import Keeping, cloudtrail_charge, load_prices
from opentrail.model.usage import Usage


def charged(**counts: int) -> dict[str, float]:
    """The lines that cost something."""
    lines = cloudtrail_charge(Usage(**counts), Keeping(), load_prices())
    return {line.name: round(line.dollars, 9) for line in lines if line.dollars}


def test_two_trails_with_management_events_and_one_with_data_events() -> None:
    """https://aws.amazon.com/cloudtrail/pricing/: 150,000 management events to two trails, 2M data events."""
    assert charged(first=150_000, copies=150_000, data=2_000_000) == {
        "management events, more copies": 3.0,
        "data events": 2.0,
    }


def test_insights_of_both_types() -> None:
    """CloudTrail user guide, "Costs for Insights events", example 1."""
    assert charged(first=300_000, analysed=330_000) == {"Insights, management events": 1.155}


def test_insights_on_data_events_cost_a_tenth() -> None:
    assert charged(analysed_data=100_000) == {"Insights, data events": 0.03}


def test_network_activity_events_cost_what_data_events_do() -> None:
    assert charged(network=1_000_000) == {"network activity events": 1.0}


def test_s3_is_paid_whoever_writes_the_files() -> None:
    assert charged(files=1000, bytes=1024**3) == {"S3 storage": 12 * 0.023, "S3 requests": 0.005}
