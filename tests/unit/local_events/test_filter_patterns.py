"""Filter patterns of CloudWatch Logs over JSON, as its user guide describes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.local.filter_patterns import compile_filter

RECORD = {
    "eventName": "CreateUser",
    "errorCode": "AccessDeniedException",
    "bytes": 12,
    "ratio": 0.5,
    "readOnly": False,
    "responseElements": None,
    "userIdentity": {"type": "Root", "user-name": "ada"},
    "list": [{"a": "x"}, {"a": "y"}],
    "bracket": "[a]?b*",
}


def matches(pattern: str, record: Any = RECORD) -> bool:
    return compile_filter(pattern)(json.dumps(record))


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.eventName = CreateUser }",
        '{$.eventName="CreateUser"}',
        '{ $.eventName = "Create*" }',
        '{ $.errorCode = "*Denied*" }',
        '{ $.eventName != "DeleteUser" }',
        "{ $.bytes = 12 }",
        "{ $.bytes >= 12 && $.bytes <= 12.0 }",
        "{ $.bytes > 1e1 }",
        "{ $.ratio < 1 }",
        "{ $.userIdentity.type = Root }",
        "{ $.userIdentity.user-name = ada }",
        "{ $.list[1].a = y }",
        "{ $.userIdentity.invokedBy NOT EXISTS }",
        "{ $.responseElements IS NULL }",
        "{ $.readOnly IS FALSE }",
        "{ ($.a = 1) || ($.eventName = CreateUser) }",
        "{ $.eventName = CreateUser || $.a = 1 && $.b = 2 }",
        "{ (($.a = 1) || ($.bytes = 12)) && ($.eventName = CreateUser) }",
        '{ $.bracket = "[a]?b*" }',
    ],
)
def test_fits(pattern: str) -> None:
    assert matches(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.eventName = createuser }",
        '{ $.eventName = "Create" }',
        "{ $.eventName != CreateUser }",
        "{ $.nothing = x }",
        "{ $.nothing != x }",
        "{ $.responseElements != x }",
        "{ $.bytes > 12 }",
        "{ $.eventName > 1 }",
        "{ $.readOnly > -1 }",
        "{ $.list[2].a = y }",
        "{ $.list.a = y }",
        "{ $.userIdentity.type NOT EXISTS }",
        "{ $.responseElements NOT EXISTS }",
        "{ $.readOnly IS TRUE }",
        "{ $.nothing IS NULL }",
        "{ ($.eventName = CreateUser || $.a = 1) && $.b = 2 }",
        "ERROR",
        "[ip, user]",
        "",
    ],
)
def test_does_not_fit(pattern: str) -> None:
    assert not matches(pattern)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '"CreateUser"', "{"])
def test_a_log_event_that_is_no_object_fits_nothing(text: str) -> None:
    assert not compile_filter("{ $.eventName NOT EXISTS }")(text)


@pytest.mark.parametrize(
    "pattern",
    [
        "{",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a = 1 } x",
        "{ ($.a = 1 }",
        "{ $.a NOT 1 }",
        "{ a = 1 }",
        "{ $.a > x }",
    ],
)
def test_a_broken_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(FormatError, match="filter pattern"):
        compile_filter(pattern)


@given(st.text(alphabet='{}()$.ab=!<>&|"1 *[]', max_size=20))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        assert compile_filter(text)('{"a": 1}') in (True, False)
    except FormatError:
        return
