"""The properties of one resource: read by its provider, shaped for the API that takes them.

Two rules keep a property from being dropped unnoticed: reading is recorded,
and what nobody read is an error; a nested structure is fitted to botocore's
input shape, and a member that shape does not have is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from opentrail.errors import DeployError

Names = Mapping[str, str]  # CloudFormation's member name -> the API's, where letters differ


class Properties:
    """A read-once view of resolved properties that knows what has not been read.

    Args:
        values: resolved properties; no intrinsic functions are left in them.
        path: where they sit in the resource, for messages; empty at the top.
    """

    def __init__(self, values: Any, path: str = "") -> None:
        if not isinstance(values, Mapping):
            raise DeployError(f"property {path} is {values!r}, not an object")
        self._values = dict(values)
        self._path = path
        self._read: set[str] = set()
        self._parts: list[Properties] = []

    def take(self, name: str, default: Any = None) -> Any:
        """Return a property as it stands; the caller answers for everything inside it."""
        self._read.add(name)
        return self._values.get(name, default)

    def need(self, name: str) -> Any:
        """Return a property that must be there.

        Raises:
            DeployError: it is not.
        """
        if name not in self._values:
            raise DeployError(f"property {self.place(name)} is required")
        return self.take(name)

    def text(self, name: str) -> str | None:
        """Return a property as text, or None when absent; objects become their JSON."""
        value = self.take(name)
        return None if value is None else _as_text(value, self.place(name))

    def flag(self, name: str, *, absent: bool = False) -> bool:
        """Return a yes-or-no property, or what an absent one means."""
        return _as_bool(self.take(name, absent), self.place(name))

    def whole(self, name: str) -> int | None:
        """Return a property as a whole number, or None when absent."""
        value = self.take(name)
        return None if value is None else _as_whole(value, self.place(name))

    def child(self, name: str) -> Properties | None:
        """Return a nested object as ``Properties`` of its own, or None when absent."""
        value = self.take(name)
        return None if value is None else self._part(value, name)

    def children(self, name: str) -> list[Properties]:
        """Return a list of nested objects, each as ``Properties`` of its own; absent is empty."""
        items = self.take(name, [])
        if not isinstance(items, list):
            raise DeployError(f"property {self.place(name)} is {items!r}, not a list")
        return [self._part(item, f"{name}[{place}]") for place, item in enumerate(items)]

    def tags(self, name: str = "Tags") -> dict[str, str]:
        """Return tags as a map, whether written as a map or as a list of ``Key`` and ``Value``."""
        value = self.take(name, [])
        if isinstance(value, Mapping):
            return {key: _as_text(text, self.place(name)) for key, text in value.items()}
        return {tag["Key"]: _as_text(tag["Value"], self.place(name)) for tag in value}

    def fitted(self, name: str, shape: Shape, names: Names | None = None) -> Any:
        """Return a property in the form an API takes it, or None when absent."""
        value = self.take(name)
        return None if value is None else fit(value, shape, self.place(name), names)

    def rest(self, shape: Shape, names: Names | None = None) -> dict[str, Any]:
        """Return every property not read so far as the parameters of one API call.

        Raises:
            DeployError: one of them is no parameter of that call.
        """
        left = {key: value for key, value in self._values.items() if key not in self._read}
        self._read.update(left)
        fitted: dict[str, Any] = fit(left, shape, self._path, names)
        return fitted

    def unread(self) -> Iterator[str]:
        """Yield the path of every property nobody has read."""
        yield from (self.place(name) for name in self._values if name not in self._read)
        for part in self._parts:
            yield from part.unread()

    def place(self, name: str) -> str:
        """Return the path of a member, as messages show it."""
        return f"{self._path}.{name}" if self._path else name

    def _part(self, value: Any, name: str) -> Properties:
        part = Properties(value, self.place(name))
        self._parts.append(part)
        return part


def fit(value: Any, shape: Shape, path: str, names: Names | None = None) -> Any:
    """Return ``value`` in the form botocore's ``shape`` takes.

    CloudFormation is loose where the API is strict: it takes ``"true"`` for
    true, numbers as text and text as numbers, objects where the API wants
    their JSON, and spells some members with other capitals (``Id``, ``ID``).

    Args:
        value: resolved template value.
        shape: input shape of the API.
        path: where the value sits, for messages.
        names: members whose names differ by more than capitals, at any depth.

    Raises:
        DeployError: a member the shape does not have, or a value it cannot take.
    """
    if isinstance(shape, StructureShape):
        return _fit_structure(value, shape, path, names or {})
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise DeployError(f"property {path} is {value!r}, not a list")
        return [fit(item, shape.member, f"{path}[{place}]", names) for place, item in enumerate(value)]
    if isinstance(shape, MapShape):
        if not isinstance(value, Mapping):
            raise DeployError(f"property {path} is {value!r}, not an object")
        return {key: fit(item, shape.value, f"{path}.{key}", names) for key, item in value.items()}
    return _fit_scalar(value, shape, path)


def _fit_structure(value: Any, shape: StructureShape, path: str, names: Names) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DeployError(f"property {path} is {value!r}, not an object")
    by_letters = {member.lower(): member for member in shape.members}
    fitted = {}
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        member = names.get(key, key)
        if member not in shape.members:
            member = by_letters.get(member.lower(), "")
        if not member:
            raise DeployError(f"property {where} is not supported")
        fitted[member] = fit(item, shape.members[member], where, names)
    return fitted


def _fit_scalar(value: Any, shape: Shape, path: str) -> Any:
    match shape.type_name:
        case "string":
            return _as_text(value, path)
        case "boolean":
            return _as_bool(value, path)
        case "integer" | "long":
            return _as_whole(value, path)
        case "float" | "double":
            return _as_number(value, path)
        case "blob":
            return _as_text(value, path).encode()
    return value  # a timestamp: botocore reads ISO 8601 text itself


def _as_text(value: Any, path: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Mapping() | list():
            return json.dumps(value)
    raise DeployError(f"property {path} is {value!r}, not text")


def _as_bool(value: Any, path: str) -> bool:
    match value:
        case bool():
            return value
        case "true" | "True":
            return True
        case "false" | "False":
            return False
    raise DeployError(f"property {path} is {value!r}, not true or false")


def _as_whole(value: Any, path: str) -> int:
    number = _as_number(value, path)
    if not number.is_integer():
        raise DeployError(f"property {path} is {value!r}, not a whole number")
    return int(value) if isinstance(value, int) else int(Decimal(str(value)))


def _as_number(value: Any, path: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DeployError(f"property {path} is {value!r}, not a number") from None
