"""docs/doctor.md says what the code does."""

from __future__ import annotations

from tests.docs.compatibility import replace_part
from tests.docs.doctor import PAGE, check_table


def test_the_list_of_checks_is_the_catalogue() -> None:
    page = PAGE.read_text()

    assert replace_part(page, "checks", check_table()) == page
