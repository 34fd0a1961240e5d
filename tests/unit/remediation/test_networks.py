"""Which ranges of addresses are the whole internet."""

from __future__ import annotations

import pytest

from opentrail.branches.remediation.networks import is_worldwide


@pytest.mark.parametrize(
    ("cidr", "worldwide"),
    [
        ("0.0.0.0/0", True),
        ("0.0.0.0/1", True),
        ("128.0.0.0/7", True),
        ("10.0.0.0/8", False),
        ("192.0.2.7", False),
        ("::/0", True),
        ("2000::/3", True),
        ("2001:db8::/32", False),
        ("o-1", None),
    ],
)
def test_worldwide(cidr: str, worldwide: bool | None) -> None:
    assert is_worldwide(cidr) is worldwide
