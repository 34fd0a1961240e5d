"""What tests look at: the values of a field in a record, as text.

Three choices that Sigma leaves open (UNCONFIRMED; no specification says how rules meet JSON):

* Booleans and numbers read as JSON writes them, so ``readOnly: 'true'`` finds ``true``, and whole numbers
  without a fraction.
* A null is no value, and neither is an empty list.
* An object has no text of its own, so it equals nothing and begins with nothing. Tests that look *inside*
  a text (``contains``, ``re``, keywords) see its JSON without spaces, and each text below it: rules of
  SigmaHQ look for words in ``requestParameters`` and quote a policy as the caller wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?")


def values(record: Mapping[str, Any], field: str) -> list[Any]:
    """Every value at the path ``field``: through arrays, without nulls; objects as they are."""
    found: list[Any] = [record]
    for name in field.split(".") if field else ():
        found = [value[name] for value in _flat(found) if isinstance(value, Mapping) and name in value]
    return list(_flat(found))


def _flat(found: list[Any]) -> Iterator[Any]:
    for value in found:
        if isinstance(value, list):
            yield from _flat(value)
        elif value is not None:
            yield value


def texts(record: Mapping[str, Any], field: str) -> list[str]:
    """The values at ``field`` as text, objects left out."""
    return [as_text(value) for value in values(record, field) if not isinstance(value, Mapping)]


def inner_texts(record: Mapping[str, Any], field: str) -> list[str]:
    """The same; of objects their JSON and every text below them."""
    return [text for value in values(record, field) for text in _inside(value)]


def _inside(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for inner in _flat(list(value.values())):
            yield from _inside(inner)
    else:
        yield as_text(value)


def as_text(value: str | bool | int | float) -> str:
    """A scalar as JSON writes it, text without its quotes."""
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def to_number(text: str) -> int | float | None:
    """The number a text is, if it is one in plain digits."""
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)
