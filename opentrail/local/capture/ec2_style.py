"""EC2's two request styles and its answers.

Source: real records; ``data/ec2.toml`` has the names and says how they were found.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, Shape, StructureShape
from moto.core.model import OperationModel

from opentrail.local.call import Call, Reply
from opentrail.local.capture.answer import read_output
from opentrail.local.capture.operation import Target
from opentrail.local.capture.spelling import Convert, epoch_date, lower_first
from opentrail.local.capture.tables import table
from opentrail.local.capture.wire import Wire
from opentrail.local.capture.xml_json import typed, xml_to_json

FORM_NAMES = frozenset({"Action", "Version"})
DRY_RUN = "dryRun"
RETURN_TRUE = b"<return>true</return>"


def is_soap_style(model: OperationModel) -> bool:
    """Whether an operation is of the old kind: its model spells DryRun ``dryRun``, or a table lists it."""
    if model.name in table("ec2")["soap"]["operations"]:
        return True
    shape = model.input_shape
    member = shape.members.get("DryRun") if shape is not None else None
    return member is not None and member.serialization.get("name") == DRY_RUN


def wrapped_request(operation: str, wire: Wire) -> dict[str, Any]:
    """``{"<Operation>Request": ...}``: the form as the XML it stands for.

    ``FlowLogId.1=fl-1`` is ``{"FlowLogId": {"tag": 1, "content": "fl-1"}}``.
    """
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(_form(wire), keep_blank_values=True):
        if name not in FORM_NAMES:
            _plant(tree, name.split("."), value)
    return {f"{operation}Request": without_secrets(_ripen(tree)) or ""}


def without_secrets(value: Any) -> Any:
    """A JSON tree with the values of secret names removed."""
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    rules = table("ec2")["removed"]
    return {
        name: rules["text"] if name in rules["names"] else without_secrets(item)
        for name, item in value.items()
    }


def _is_secret(wire: str, shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive")) or wire in table("ec2")["removed"]["names"]


def _removed(_: Any) -> str:
    return str(table("ec2")["removed"]["text"])


def _form(wire: Wire) -> str:
    return wire.body.decode("utf-8", "replace") or wire.query


def _plant(tree: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
    tree[steps[-1]] = value


def _ripen(node: Any) -> Any:
    """A tree of form names -> JSON: numbered children become elements with a ``tag``."""
    if not isinstance(node, dict):
        return typed(node)
    return {name: _elements(child) if _is_list(child) else _ripen(child) for name, child in node.items()}


def _is_list(node: Any) -> bool:
    return isinstance(node, dict) and bool(node) and all(key.isdigit() for key in node)


def _elements(node: dict[str, Any]) -> Any:
    elements = []
    for key, child in node.items():
        value = _ripen(child)
        elements.append(
            {**value, "tag": int(key)} if isinstance(value, dict) else {"tag": int(key), "content": value}
        )
    return elements[0] if len(elements) == 1 else elements


def soap_request(model: OperationModel) -> Convert:
    """The converter of an old-style operation's parameters."""
    shape = model.input_shape
    plan: Convert = _structure_plan(shape, model.name, {}) if shape is not None else _same
    reshape = _reshaper(model)

    def convert(parameters: Any) -> dict[str, Any]:
        return reshape(plan(parameters))

    return convert


def _reshaper(model: OperationModel) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What an operation's parameters need after their spelling, in the order of ``ec2.toml``."""
    rules, operation = table("ec2"), model.name
    empty, defaults = _always(model), rules["defaults"].get(operation, {})
    omit, flatten = rules["omit"].get(operation, ()), rules["flatten"].get(operation, ())
    gather, types = rules["gather"].get(operation, {}), rules["attribute_type"].get(operation, {})

    def reshape(spelled: dict[str, Any]) -> dict[str, Any]:
        for name in omit:
            spelled.pop(name, None)
        for name in flatten:
            spelled.update(spelled.pop(name, {}))
        for name, members in gather.items():
            item = {member: spelled.pop(member) for member in members if member in spelled}
            spelled = {name: {"items": [item]}, **spelled}
        for name in empty:
            spelled.setdefault(name, {})
        for name, value in defaults.items():
            spelled.setdefault(name, value)
        kinds = [kind for member, kind in types.items() if member in spelled]
        return {**spelled, "attributeType": kinds[0]} if kinds else spelled

    return reshape


def _always(model: OperationModel) -> list[str]:
    listed = list(table("ec2")["always"].get(model.name, ()))
    if model.name.startswith("Describe"):
        members = model.input_shape.members.items() if model.input_shape is not None else ()
        listed += [
            _set_of(name, m, model.name, model.name)[0] for name, m in members if isinstance(m, ListShape)
        ]
    return listed


def _wire_name(member: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", member))


def _set_of(member: str, shape: Shape, owner: str, operation: str) -> list[str]:
    rules = table("ec2")
    name = _wire_name(member, shape)
    for part, key in (("sets_of", f"{operation}.{name}"), ("members", f"{owner}.{name}"), ("sets", name)):
        found = rules[part].get(key)
        if found:
            return list(found)
    plain = lower_first(name)
    if name[:1].islower() and name.endswith("s"):
        return [name]
    return [plain if plain.endswith("Set") else f"{plain}Set", plain]


def _structure_plan(shape: StructureShape, operation: str, known: dict[str, Convert]) -> Convert:
    if shape.name in known:
        return known[shape.name]
    members: dict[str, tuple[str, Convert]] = {}
    empty = table("ec2")["shape_always"].get(shape.name, ())

    def convert(value: Any) -> Any:
        spelled: dict[str, Any] = {}
        for member, item in value.items():
            step = members.get(member)
            if step is not None:
                _merge_set(spelled, step[0], step[1](item))
        for name in empty:
            spelled.setdefault(name, {})
        return spelled

    known[shape.name] = convert
    for member, inner in shape.members.items():
        if member != "DryRun":
            members[member] = _member_plan(member, inner, shape.name, operation, known)
    return convert


def _merge_set(spelled: dict[str, Any], name: str, value: Any) -> None:
    """Two lists of one set (groups by id and by name) share its items."""
    if name in spelled and isinstance(value, dict) and "items" in value:
        spelled[name].setdefault("items", []).extend(value["items"])
    else:
        spelled[name] = value


def _member_plan(
    member: str, shape: Shape, owner: str, operation: str, known: dict[str, Convert]
) -> tuple[str, Convert]:
    rules = table("ec2")
    wire = _wire_name(member, shape)
    if isinstance(shape, ListShape):
        name, *key = _set_of(member, shape, owner, operation)
        inner = _value_plan(shape.member, operation, known)
        scalar = not isinstance(shape.member, StructureShape)
        array = "item" if f"{operation}.{name}" in rules["item"]["lists"] else "items"
        plain = f"{owner}.{wire}" in rules["plain"]["lists"]
        return name, _list_plan(inner, key[0] if scalar and key else "", "" if plain else array)
    name = rules["names_of"].get(f"{operation}.{wire}") or rules["names"].get(wire) or lower_first(wire)
    return name, _removed if _is_secret(wire, shape) else _value_plan(shape, operation, known)


def _value_plan(shape: Shape, operation: str, known: dict[str, Convert]) -> Convert:
    if isinstance(shape, StructureShape):
        return _structure_plan(shape, operation, known)
    if shape.type_name == "timestamp":
        return _milliseconds
    if shape.type_name == "blob":
        return lambda value: b64encode(value).decode("ascii")
    return _same


def _list_plan(inner: Convert, key: str, array: str) -> Convert:
    """``[v]`` -> ``{array: [{key: v}]}``; without an array name, a plain list."""

    def items(values: Any) -> list[Any]:
        return [{key: inner(value)} if key else inner(value) for value in values]

    if not array:
        return items
    return lambda values: {array: items(values)} if values else {}


def soap_response(model: OperationModel) -> Callable[[Target, Reply, Call], dict[str, Any]]:
    """The converter of an old-style operation's answer: ``requestId`` first, lists as ``items``."""
    plan = _response_plan(model.output_shape, {}) if model.output_shape is not None else None

    def convert(target: Target, reply: Reply, call: Call) -> dict[str, Any]:
        spelled: dict[str, Any] = {"requestId": call.request_id}
        if plan is None or RETURN_TRUE in reply.body:
            spelled["_return"] = True
        if plan is not None:
            spelled.update(plan(read_output(target, reply)))
        return spelled

    return convert


def _response_plan(shape: Shape, known: dict[str, Convert]) -> Convert:
    if isinstance(shape, ListShape):
        item = _response_plan(shape.member, known)
        named_item = shape.serialization.get("name") in table("ec2")["item"]["lists"]
        return _list_plan(item, "", "item" if named_item else "items")
    if not isinstance(shape, StructureShape):
        return _milliseconds if shape.type_name == "timestamp" else _same
    if shape.name in known:
        return known[shape.name]
    members: dict[str, tuple[str, Convert]] = {}
    known[shape.name] = lambda value: {
        members[name][0]: members[name][1](item) for name, item in value.items() if name in members
    }
    for member, inner in shape.members.items():
        wire = lower_first(_wire_name(member, inner))
        plan = _removed if _is_secret(wire, inner) else _response_plan(inner, known)
        members[member] = ("_return" if wire == "return" else wire, plan)
    return known[shape.name]


def wrapped_response(target: Target, reply: Reply, call: Call) -> dict[str, Any]:
    """``{"<Operation>Response": ...}``: the answer's XML as JSON."""
    answer: dict[str, Any] = without_secrets(xml_to_json(reply.body))
    return answer


def _milliseconds(moment: Any) -> int:
    return int(epoch_date(moment) * 1000)


def _same(value: Any) -> Any:
    return value
