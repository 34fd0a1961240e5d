"""docs/remediation.md says what the playbooks are."""

from __future__ import annotations

from tests.docs.compatibility import replace_part
from tests.docs.remediation import PAGE, playbooks


def test_the_table_is_the_catalog() -> None:
    page = PAGE.read_text()

    assert "<!-- generated: playbooks -->" in page
    assert replace_part(page, "playbooks", playbooks()) == page
