"""What an installation may choose, and how it hears what it chose wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from opentrail.errors import SettingsError
from stacks.options import Options, context_name


def read(**context: Any) -> Options:
    return Options.from_context(context.get)


def test_nothing_chosen_is_the_default() -> None:
    assert read() == Options()


def test_command_line_text_and_json_values_mean_the_same() -> None:
    text = read(bundleLayer="false", expireDays="400", deliveryBuckets="a, b")

    assert text == read(bundleLayer=False, expireDays=400, deliveryBuckets=["a", "b"])
    assert text == Options(bundle_layer=False, expire_days=400, delivery_buckets=("a", "b"))


def test_every_bad_option_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read(expireDays="soon", bundleLayer="perhaps", deliveryBuckets=7, objectLockMode="STRICT")

    for name in ("expireDays='soon'", "bundleLayer='perhaps'", "deliveryBuckets=7", "objectLockMode"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("context", "complaint"),
    [
        ({"namePrefix": "1st"}, "namePrefix must"),
        ({"namePrefix": "p" * 25}, "namePrefix must"),
        ({"organizationId": "123456789012"}, "organizationId must"),
        ({"objectLockMode": "GOVERNANCE"}, "objectLockMode and objectLockDays go together"),
        ({"objectLockDays": 30}, "objectLockMode and objectLockDays go together"),
        ({"glacierDays": -1}, "no option may be negative"),
        ({"historyDays": 30}, "historyDays must be at least 90"),
        ({"glacierDays": 30, "deepArchiveDays": 119}, "deepArchiveDays must be"),
        ({"glacierDays": 30, "expireDays": 30}, "expireDays must be after"),
        (
            {"objectLockMode": "COMPLIANCE", "objectLockDays": 365, "expireDays": 364},
            "expireDays must be after",
        ),
        ({"logRetentionDays": 8}, "logRetentionDays must be one of"),
        ({"namePrefix": 7}, "namePrefix=7 is not text"),
        ({"regions": "Ireland"}, "regions must be"),
        ({"regions": "eu-west-1,eu-west-1"}, "regions must be"),
        ({"trailName": "my"}, "trailName must be"),
        ({"trailName": "my..trail"}, "trailName must be"),
        ({"trailDataTypes": "S3"}, "trailDataTypes must be"),
        ({"alarmEmail": "on-call"}, "alarmEmail must be"),
        ({"alarmEmail": "a@example.com, b@example.com"}, "alarmEmail must be"),
        (
            {"alarmEmail": "a@example.com", "alarmTopicArn": "arn:aws:sns:us-east-1:123456789012:t"},
            "does not go with alarmTopicArn",
        ),
        ({"historyDays": True}, "historyDays=True is not a whole number"),
    ],
)
def test_contradiction_is_refused(context: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read(**context)


@pytest.mark.parametrize(
    "context",
    [
        {"glacierDays": 30, "deepArchiveDays": 120, "expireDays": 121},
        {"objectLockMode": "COMPLIANCE", "objectLockDays": 365, "expireDays": 365},
        {"organizationId": "o-abcdefghij"},
    ],
)
def test_limit_itself_is_allowed(context: dict[str, Any]) -> None:
    assert read(**context) != Options()


def test_context_names_are_the_fields_in_camel_case() -> None:
    assert context_name("object_lock_days") == "objectLockDays"


def test_every_option_is_in_the_page_about_deploying() -> None:
    page = (Path(__file__).parents[2] / "docs" / "deploying.md").read_text()

    assert [name for field in fields(Options) if f"`{(name := context_name(field.name))}`" not in page] == []
