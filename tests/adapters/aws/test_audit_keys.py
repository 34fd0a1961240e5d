"""Public keys as listed: one key in several windows, two keys under one name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opentrail.adapters.aws.audit_keys import keys_of
from tests.support.tampering import der_of, fingerprint

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)


def listed(value: str, *, since: datetime = SINCE, name: str = "current") -> dict[str, Any]:
    return {
        "Fingerprint": fingerprint(name),
        "Value": der_of(value),
        "ValidityStartTime": since,
        "ValidityEndTime": since + MONTH,
    }


def test_a_key_has_all_the_windows_it_is_listed_with() -> None:
    (key,) = keys_of([listed("current", since=SINCE + MONTH), listed("current")]).values()

    assert (key.valid_from, key.valid_to) == (SINCE.timestamp(), (SINCE + 2 * MONTH).timestamp())


@pytest.mark.parametrize("order", [("current", "thief"), ("thief", "current")])
def test_a_second_key_under_the_same_name_does_not_count(order: tuple[str, str]) -> None:
    (key,) = keys_of([listed(value) for value in order]).values()

    assert key.pkcs1 == der_of("current")
