"""docs/compatibility.md says what the code does."""

from __future__ import annotations

from tests.docs.compatibility import PAGE, operations, replace_part


def test_the_list_of_operations_is_the_action_table() -> None:
    page = PAGE.read_text()

    assert replace_part(page, "operations", operations()) == page
