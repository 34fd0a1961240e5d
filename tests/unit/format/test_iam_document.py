"""IAM's JSON."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.format.iam_document import as_list, statements


@pytest.mark.parametrize(
    ("written", "meant"), [(None, []), ("a", ["a"]), (["a", "b"], ["a", "b"]), ({"AWS": "*"}, [{"AWS": "*"}])]
)
def test_one_element_may_stand_without_brackets(written: Any, meant: list[Any]) -> None:
    assert as_list(written) == meant


def test_what_is_no_statement_is_left_out() -> None:
    allow = {"Effect": "Allow"}

    assert statements({"Statement": allow}) == [allow]
    assert statements({"Statement": ["?", allow, None]}) == [allow]
    assert statements({}) == []
