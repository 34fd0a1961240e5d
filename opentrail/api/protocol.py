"""AWS JSON 1.1: request bytes -> checked members; members -> response bytes.

Everything is read off botocore's shapes, so that all operations share one
parser, one validator and one serializer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.model import OperationModel, Shape

from opentrail.api.errors import ApiError
from opentrail.api.validation import Path, Violations
from opentrail.api.violations import refuse_violations

# AWS names the error but not the number. Ours is above the largest request the model allows that the
# stores can hold, and far below what would hurt.
MAX_BODY_BYTES = 1 << 20

_Reader = Callable[[Any, Any, Path, Violations], Any]
_INTEGER_BITS = {"integer": 31, "long": 63}
_KINDS: dict[type, str] = {
    bool: "TRUE_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
    str: "STRING_VALUE",
}


def read_input(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """Parse and check a request body.

    Unknown members and nulls are dropped, as AWS does. Timestamps become UTC
    datetimes, blobs bytes; a body of no bytes is ``{}``.

    Raises:
        ApiError: too large, not JSON, of the wrong types, or against a constraint
            of the model (then with the operation's own error where it has one).
    """
    document = _decode(body)
    if operation.input_shape is None:
        return {}
    violations = Violations()
    parsed: dict[str, Any] = _read(operation.input_shape, document, Path(), violations)
    refuse_violations(operation.name, violations)
    return parsed


def write_output(shape: Shape | None, value: Mapping[str, Any]) -> bytes:
    """The response body; members that are None are left out, never null.

    Raises:
        KeyError: a member the model does not have, which is a mistake in an action.
    """
    return msgspec.json.encode({} if shape is None else _write(shape, value))


def _decode(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise ApiError(
            "RequestEntityTooLargeException", f"The request is larger than {MAX_BODY_BYTES} bytes."
        )
    try:
        document = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable("The request body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise _unreadable("The request body is not a JSON object.")
    return document


def _unreadable(message: str) -> ApiError:
    return ApiError("SerializationException", message)


def _read(shape: Any, value: Any, path: Path, violations: Violations) -> Any:
    reader = _READERS.get(shape.type_name, _read_scalar)
    parsed = reader(shape, value, path, violations)
    violations.check(shape, parsed, path)
    return parsed


def _read_structure(shape: Any, value: Any, path: Path, violations: Violations) -> dict[str, Any]:
    _expect(value, dict, "a structure")
    given = {name: value[name] for name in shape.members if value.get(name) is not None}
    return {name: _read(shape.members[name], item, path / name, violations) for name, item in given.items()}


def _read_list(shape: Any, value: Any, path: Path, violations: Violations) -> list[Any]:
    _expect(value, list, "a list")
    return [_read(shape.member, item, path.member(n), violations) for n, item in enumerate(value, 1)]


def _read_map(shape: Any, value: Any, path: Path, violations: Violations) -> dict[str, Any]:
    _expect(value, dict, "a map")
    for name in value:
        violations.check(shape.key, name, path / name)
    return {name: _read(shape.value, item, path / name, violations) for name, item in value.items()}


def _read_scalar(shape: Any, value: Any, path: Path, violations: Violations) -> Any:
    del path, violations  # scalars are checked whole by the caller
    parsed = _SCALARS[shape.type_name](shape.type_name, value)
    if parsed is None:
        kind = _KINDS.get(type(value), "null" if value is None else type(value).__name__)
        raise _unreadable(f"{kind} can not be converted to a {shape.type_name.capitalize()}")
    return parsed


def _expect(value: Any, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise _unreadable(f"Expected {name}, found {_KINDS.get(type(value), type(value).__name__)}")


_READERS: dict[str, _Reader] = {
    "structure": _read_structure,
    "list": _read_list,
    "map": _read_map,
}


def _to_text(_: str, value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _to_boolean(_: str, value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _to_integer(kind: str, value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 1 << _INTEGER_BITS[kind] else None


def _to_float(_: str, value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _to_time(kind: str, value: Any) -> datetime | None:
    try:
        seconds = _to_float(kind, value)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):  # beyond the years a datetime can hold
        return None


def _to_blob(_: str, value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


_SCALARS: dict[str, Callable[[str, Any], Any]] = {
    "string": _to_text,
    "boolean": _to_boolean,
    "integer": _to_integer,
    "long": _to_integer,
    "float": _to_float,
    "double": _to_float,
    "timestamp": _to_time,
    "blob": _to_blob,
}


def _write(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {name: _write(shape.members[name], item) for name, item in value.items() if item is not None}
    if shape.type_name == "list":
        return [_write(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {name: _write(shape.value, item) for name, item in value.items()}
    if shape.type_name == "timestamp":
        return round(value.timestamp(), 3) if isinstance(value, datetime) else round(value, 3)
    return base64.b64encode(value).decode() if shape.type_name == "blob" else value
