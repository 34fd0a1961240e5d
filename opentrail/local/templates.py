"""What a target receives: the event itself, Input, InputPath or InputTransformer.

Source: EventBridge user guide, "Amazon EventBridge input transformation".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from opentrail.errors import FormatError

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_MISSING = object()


def extract(path: str, event: Any) -> Any:
    """Return what ``path`` (``$.detail.items[0]``) points at, or ``MISSING``.

    Raises:
        FormatError: not a path of the simple JSON path language targets use.
    """
    if not path.startswith("$"):
        raise FormatError(f"InputPath must begin with $: {path!r}")
    position = 1
    value = event
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise FormatError(f"not a JSON path: {path!r}")
        name, index, quoted = step.groups()
        value = _step(value, name or quoted, int(index) if index else None)
        if value is _MISSING:
            return MISSING
        position = step.end()
    return value


MISSING = _MISSING


def _step(value: Any, name: str | None, index: int | None) -> Any:
    if index is not None:
        return value[index] if isinstance(value, list) and index < len(value) else _MISSING
    return value.get(name, _MISSING) if isinstance(value, dict) else _MISSING


def target_body(target: Mapping[str, Any], envelope: bytes, event: Mapping[str, Any], rule_arn: str) -> bytes:
    """Return the bytes for ``target``: untouched ``envelope`` unless the target asks for something else.

    Raises:
        FormatError: a path or template that does not fit this event.
    """
    if target.get("Input") is not None:
        return str(target["Input"]).encode()
    if target.get("InputPath"):
        value = extract(target["InputPath"], event)
        return _json(None if value is MISSING else value).encode()
    transformer = target.get("InputTransformer")
    if transformer:
        return transform(transformer, envelope, event, rule_arn).encode()
    return envelope


def transform(
    transformer: Mapping[str, Any], envelope: bytes, event: Mapping[str, Any], rule_arn: str
) -> str:
    """Fill ``InputTemplate`` with the values of ``InputPathsMap`` and EventBridge's own variables.

    Inside quotes a string goes in without its own quotes; elsewhere values go in as JSON. A
    variable whose path points at nothing stays empty inside quotes and is null elsewhere.

    Raises:
        FormatError: the template is a JSON object or array and the result is not.
    """
    template = str(transformer["InputTemplate"])
    values = _own_variables(envelope, event, rule_arn)
    for name, path in (transformer.get("InputPathsMap") or {}).items():
        values[name] = extract(path, event)
    text = _fill(template, values)
    if template.lstrip()[:1] in {"{", "["}:
        _check_json(text)
    return text


def _own_variables(envelope: bytes, event: Mapping[str, Any], rule_arn: str) -> dict[str, Any]:
    without_detail = {name: value for name, value in event.items() if name != "detail"}
    return {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": without_detail,
        "aws.events.event.json": _Raw(envelope.decode()),
    }


class _Raw(str):
    """Text that is JSON already."""


def _fill(template: str, values: Mapping[str, Any]) -> str:
    parts: list[str] = []
    position = 0
    quoted = False
    for variable in _VARIABLE.finditer(template):
        between = template[position : variable.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        parts.append(between)
        name = variable.group(1)
        parts.append(_render(values[name], quoted) if name in values else variable.group(0))
        position = variable.end()
    parts.append(template[position:])
    return "".join(parts)


def _render(value: Any, quoted: bool) -> str:
    if value is MISSING:
        return "" if quoted else "null"
    text = str(value) if isinstance(value, _Raw) else _json(value)
    if not quoted:
        return text
    # Inside quotes: a string's own escapes are right as they are, other JSON needs escaping once more.
    return text[1:-1] if isinstance(value, str) and not isinstance(value, _Raw) else _json(text)[1:-1]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise FormatError(f"InputTemplate does not give JSON for this event: {error}") from error
