"""Where a trail's files lie: whose accounts, which Regions, under which organization."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.cli._audit import Location, digest_regions, find_accounts, locate, log_regions

OWN, MEMBER, ORGANIZATION = "123456789012", "210987654321", "o-abcdefghij"
ARN = f"arn:aws:cloudtrail:us-east-1:{OWN}:trail/main"
KEYS = (
    f"p/AWSLogs/{ORGANIZATION}/{OWN}/CloudTrail-Digest/us-east-1/2026/d",
    f"p/AWSLogs/{ORGANIZATION}/{MEMBER}/CloudTrail-Digest/eu-west-1/2026/d",
    f"p/AWSLogs/{ORGANIZATION}/{MEMBER}/CloudTrail/eu-north-1/2026/f",
    f"p/AWSLogs/{MEMBER}/CloudTrail-Digest/us-east-1/2026/d",
)


class Bucket(AuditSource):
    """Keys, and a trail."""

    def __init__(self, *keys: str, **trail: Any) -> None:
        super().__init__(None, None)
        self._keys = keys
        self._trail = trail

    def find_trail(self, arn: str) -> dict[str, Any] | None:
        return {"S3BucketName": "logs", "S3KeyPrefix": "p", **self._trail}

    def folders_under(self, bucket: str, prefix: str) -> list[str]:
        rest = [key.removeprefix(prefix) for key in self._keys if key.startswith(prefix)]
        return sorted({name.partition("/")[0] for name in rest if "/" in name})


def test_an_organizations_trail_is_found_with_all_accounts_its_own_first() -> None:
    source = Bucket(*KEYS, IsOrganizationTrail=True, IsMultiRegionTrail=True)

    location = locate(source, ARN, OWN, None, "")

    assert location == Location("logs", "p", ORGANIZATION, every_region=True)
    assert find_accounts(source, location, OWN) == [OWN, MEMBER]
    assert digest_regions(source, location, MEMBER) == ["eu-west-1"]
    assert log_regions(source, location, MEMBER) == ["eu-north-1"]


def test_an_organization_of_whose_own_account_nothing_came_yet_is_found_all_the_same() -> None:
    source = Bucket(*KEYS[1:3], IsOrganizationTrail=True)

    location = locate(source, ARN, OWN, None, "")

    assert location.organization == ORGANIZATION
    assert find_accounts(source, location, OWN) == [OWN, MEMBER]


@pytest.mark.parametrize("trail", [{}, {"IsMultiRegionTrail": False}])
def test_a_trail_of_one_account_and_region_is_that_alone(trail: dict[str, Any]) -> None:
    source = Bucket(*KEYS, **trail)

    location = locate(source, ARN, OWN, None, "")

    assert location == Location("logs", "p", "", every_region=False)
    assert find_accounts(source, location, OWN) == [OWN]


def test_of_a_copy_nothing_is_known_but_what_lies_there() -> None:
    location = locate(Bucket(*KEYS), ARN, OWN, "copy", "p")

    assert location == Location("copy", "p", ORGANIZATION, every_region=True)
