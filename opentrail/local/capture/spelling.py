"""API member names and values -> CloudTrail's spelling, compiled once per shape.

A converter is compiled from a botocore shape and memoised, so that a call costs
dictionary look-ups only. This module is the general style (query, json and rest
services); ``ec2_style`` and ``s3_style`` are the two services with their own.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.model import OperationModel

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
OMIT = object()  # a converter's answer: leave this member out

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one service's records are spelled; made from a row of ``services.toml``.

    ``members`` maps an API member name to CloudTrail's where the general rule
    fails; ``hide`` and ``omit`` are dotted paths of CloudTrail names.
    """

    case: str = "lower_first"  # or "wire": the name on the wire, unchanged
    dates: str = "locale"  # or "iso", "epoch", "epoch_ms", "wire": as the model says of each date
    sensitive: str = "hide"  # what happens to sensitive members: "hide" or "omit"
    primitive_defaults: bool = False  # unset primitive booleans appear as false
    blobs: str = "omit"  # or "base64"
    members: Mapping[str, str] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()  # API members that are written although they are sensitive


def lower_first(name: str) -> str:
    """``KeyId`` -> ``keyId``, ``AWSAccountId`` -> ``aWSAccountId``: only the first letter."""
    return name[:1].lower() + name[1:]


def locale_date(moment: datetime) -> str:
    """``Feb 9, 2026, 9:57:03 PM``: dates inside parameters and responses, in UTC.

    Source: real records of 2023-2026; older ones lack the second comma.
    """
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    hour = utc.hour % 12 or 12
    return (
        f"{MONTHS[utc.month - 1]} {utc.day}, {utc.year}, {hour}:{utc:%M:%S} {'AM' if utc.hour < 12 else 'PM'}"
    )


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso_date(moment: datetime) -> str:
    """``2026-02-09T21:57:03.000Z``."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def epoch_date(moment: datetime) -> int | float:
    """Seconds since 1970, whole when they are whole."""
    utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = utc.timestamp()
    return int(seconds) if seconds == math.floor(seconds) else round(seconds, 3)


DATES: Mapping[str, Convert] = {
    "locale": locale_date,
    "iso": iso_date,
    "epoch": epoch_date,
    "epoch_ms": lambda moment: int(epoch_date(moment) * 1000),
    "wire": epoch_date,  # what rest-json services send, unless the model names another format
}


class Speller:
    """Compiles shapes of one service in one direction."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._structures: dict[str, Convert] = {}

    def converter(self, shape: Shape) -> Convert:
        """The function that turns a parsed value of ``shape`` into its JSON in a record."""
        if _is_sensitive(shape):
            return _omit if self._style.sensitive == "omit" else _hide
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        return self._scalar(shape)

    def name(self, member: str, shape: Shape) -> str:
        """CloudTrail's name of a member."""
        if member in self._style.members:
            return self._style.members[member]
        if self._style.case == "wire":
            return str(shape.serialization.get("name", member))
        return lower_first(member)

    def _structure(self, shape: StructureShape) -> Convert:
        known = self._structures.get(shape.name)
        if known is not None:
            return known
        if getattr(shape, "is_document_type", False):
            return _same
        plan: dict[str, tuple[str, Convert]] = {}
        defaults: dict[str, Any] = {}
        convert = _structure_converter(plan, defaults)
        self._structures[shape.name] = convert  # before its members: shapes may be recursive
        for member, member_shape in shape.members.items():
            convert_member = _same if member in self._style.shown else self.converter(member_shape)
            plan[member] = (self.name(member, member_shape), convert_member)
        if self._style.primitive_defaults:
            defaults.update(self._primitive_defaults(shape))
        return convert

    def _primitive_defaults(self, shape: StructureShape) -> dict[str, Any]:
        """Java's primitive booleans have no "unset", so a record shows their false."""
        return {
            self.name(member, member_shape): False
            for member, member_shape in shape.members.items()
            if is_primitive(member_shape) and member not in shape.required_members
        }

    def _list(self, shape: ListShape) -> Convert:
        item = self.converter(shape.member)
        return lambda values: [kept for kept in map(item, values) if kept is not OMIT]

    def _map(self, shape: MapShape) -> Convert:
        item = self.converter(shape.value)
        return lambda values: {str(k): kept for k, v in values.items() if (kept := item(v)) is not OMIT}

    def _scalar(self, shape: Shape) -> Convert:
        if shape.type_name == "timestamp":
            return self._date(shape)
        if shape.type_name == "blob":
            return _omit if self._style.blobs == "omit" else _base64
        return _same

    def _date(self, shape: Shape) -> Convert:
        as_text = shape.serialization.get("timestampFormat") == "iso8601"
        return iso_date if self._style.dates == "wire" and as_text else DATES[self._style.dates]


def with_input_member(model: OperationModel, spelled: dict[str, Any]) -> dict[str, Any]:
    """Move what the request's body carries under ``<operation>Input`` (API Gateway's own input shape).

    Source: the member paths in API Gateway's validation messages (``createRestApiInput.apiKeySource``).
    """
    members = model.input_shape.members if model.input_shape is not None else {}
    bound = {lower_first(name) for name, shape in members.items() if "location" in shape.serialization}
    inner = {name: value for name, value in spelled.items() if name not in bound}
    outer = {name: value for name, value in spelled.items() if name in bound}
    return {**outer, f"{lower_first(model.name)}Input": inner} if inner else outer


def with_raw_path(model: OperationModel, spelled: dict[str, Any]) -> dict[str, Any]:
    """What a request's path carries, still percent-encoded, as API Gateway hands it on.

    Source: real records of Amazon MSK and EKS (``clusterArn`` is ``arn%3Aaws%3Akafka...``).
    """
    members = model.input_shape.members if model.input_shape is not None else {}
    for member, shape in members.items():
        if shape.serialization.get("location") != "uri":
            continue
        for name in {str(shape.serialization.get("name", member)), lower_first(member)}:
            if isinstance(spelled.get(name), str):
                spelled[name] = quote(spelled[name], safe="")
    return spelled


def is_primitive(shape: Shape) -> bool:
    """A boolean that the service's model does not box, so it is never null."""
    boxed = shape_model(shape).get("box") or shape.name == "BooleanOptional"
    return shape.type_name == "boolean" and not boxed


def shape_model(shape: Shape) -> Mapping[str, Any]:
    """The raw model of a shape: the only place that knows ``box``."""
    model: Mapping[str, Any] = getattr(shape, "_shape_model", {})
    return model


def _structure_converter(plan: Mapping[str, tuple[str, Convert]], defaults: Mapping[str, Any]) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        spelled: dict[str, Any] = {}
        for member, item in value.items():
            known = plan.get(member)
            if known is not None and item is not None:
                kept = known[1](item)
                if kept is not OMIT:
                    spelled[known[0]] = kept
        for name, default in defaults.items():
            spelled.setdefault(name, default)
        return spelled

    return convert


def _is_sensitive(shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive"))


def _same(value: Any) -> Any:
    return value


def _hide(_: Any) -> str:
    return HIDDEN


def _omit(_: Any) -> object:
    return OMIT


def _base64(value: Any) -> Any:
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else value
