"""The generated part of docs/doctor.md: ``python -m tests.docs.doctor``."""

from __future__ import annotations

from pathlib import Path

from opentrail.branches.doctor import checks
from tests.docs.compatibility import replace_part

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


def check_table() -> str:
    """Every check, from the catalogue."""
    rows = [
        f"| `{c.id}` | {c.title} | {c.severity} | {c.cis} | {c.pci} | {c.hipaa} | {c.gdpr} |"
        for c in checks().values()
    ]
    head = (
        "| check | passes when | severity | CIS | PCI DSS 4.0 | HIPAA | GDPR |\n|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *rows])


if __name__ == "__main__":
    PAGE.write_text(replace_part(PAGE.read_text(), "checks", check_table()))
