"""What a stack writes into a function's environment is what the function reads."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail import settings as module
from opentrail.errors import SettingsError
from opentrail.settings import PREFIX, DigestSettings, Settings

ALL = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Settings)]

texts = st.text(st.characters(codec="ascii", exclude_characters=","), min_size=1)
VALUES = {int: st.integers(), str: st.text(), tuple[str, ...]: st.lists(texts).map(tuple)}


def made(kind: type[Settings]) -> st.SearchStrategy[Settings]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: VALUES[hints[field.name]] for field in fields(kind)})


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_setting_is_read_back_as_it_was(kind: type[Settings], data: st.DataObject) -> None:
    written = data.draw(made(kind))

    assert kind.from_env(written.to_env()) == written


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_an_empty_environment_names_every_variable(kind: type[Settings]) -> None:
    names = [PREFIX + field.name.upper() for field in fields(kind)]
    if not names:
        assert kind.from_env({}) == kind()
        return

    with pytest.raises(SettingsError) as caught:
        kind.from_env({})

    assert str(caught.value) == "; ".join(f"{name} is not set" for name in names)


def environment(**changes: str) -> dict[str, str]:
    base: dict[str, Any] = {}
    hints = get_type_hints(DigestSettings)
    for field in fields(DigestSettings):
        base[PREFIX + field.name.upper()] = "1" if hints[field.name] is int else "x"
    return base | changes


@pytest.mark.parametrize("text", ["", "1.5", "an hour"])
def test_a_number_that_is_none_is_named_with_what_it_is(text: str) -> None:
    with pytest.raises(SettingsError, match=f"OPENTRAIL_PERIOD_SECONDS='{text}' is not a whole number"):
        DigestSettings.from_env(environment(OPENTRAIL_PERIOD_SECONDS=text))


def test_bad_and_missing_variables_are_named_together() -> None:
    found = environment(OPENTRAIL_PERIOD_SECONDS="x")
    del found["OPENTRAIL_LEDGER_TABLE"]

    with pytest.raises(SettingsError) as caught:
        DigestSettings.from_env(found)

    assert "OPENTRAIL_LEDGER_TABLE is not set" in str(caught.value)
    assert "OPENTRAIL_PERIOD_SECONDS='x'" in str(caught.value)


def test_variables_of_others_are_left_alone() -> None:
    assert DigestSettings.from_env(environment(PATH="/bin")) == DigestSettings.from_env(environment())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roles(Settings):
    roles: tuple[str, ...]


def test_an_empty_list_is_an_empty_text() -> None:
    assert _Roles(roles=()).to_env() == {"OPENTRAIL_ROLES": ""}
    assert _Roles.from_env({"OPENTRAIL_ROLES": ""}) == _Roles(roles=())
