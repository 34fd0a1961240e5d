"""Each member of each of the 60 operations, given what it does not take: the answer names the fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from opentrail.api.service import modeled_errors, service_model
from tests.unit.api.fakes import World

MODEL = service_model()
OPERATIONS = sorted(MODEL.operation_names)
OF_EACH_TYPE: dict[str, Any] = {
    "structure": {},
    "list": [],
    "map": {},
    "string": "text",
    "boolean": True,
    "integer": 7,
    "long": 7,
    "timestamp": 1.5,
}
ALIKE = [{"structure", "map"}, {"integer", "long", "timestamp"}, {"float", "double", "timestamp"}]

Place = tuple[str | int, ...]


def places(shape: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in an input, from the members down to what lists hold."""
    if place:
        yield place, shape
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from places(member, (*place, name))
    elif shape.type_name == "list":
        yield from places(shape.member, (*place, 0))


def request(place: Place, value: Any) -> Any:
    """The smallest input that has ``value`` at ``place``."""
    for step in reversed(place):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def shown(place: Place) -> str:
    """The place as a message spells it: ``advancedEventSelectors.1.member.name``."""
    steps = [step[:1].lower() + step[1:] if isinstance(step, str) else "1.member" for step in place]
    return ".".join(steps)


def of_wrong_types(shape: Any) -> Iterator[Any]:
    own = shape.type_name
    for kind, value in OF_EACH_TYPE.items():
        if kind != own and not any({kind, own} <= alike for alike in ALIKE):
            yield value


def out_of_bounds(shape: Any) -> Iterator[Any]:
    """Values of the right type, one step beyond each constraint that the model has."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string":
        yield from ["a" * (least - 1)] if least else []
        yield from ["a" * (most + 1)] if most else []
        pattern = shape.metadata.get("pattern", "(?s).*")
        yield from [] if re.fullmatch(pattern, "\u2603\n") else ["\u2603\n"]
        yield from ["none of them"] if shape.enum else []
    elif shape.type_name in ("integer", "long"):
        yield from [least - 1] if least is not None else []
        yield from [most + 1] if most is not None else []
    elif shape.type_name == "list" and shape.member.type_name == "string":
        item = (shape.member.enum or ["a" * 12])[0]
        yield from [[item] * (most + 1)] if most else []
        yield from [[]] if least else []


def answer(world: World, operation: str, members: Any) -> tuple[int, dict[str, Any]]:
    reply = world.ask(operation, body=json.dumps(members).encode())
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_another_type_is_no_input(operation: str) -> None:
    world = World()
    for place, shape in places(MODEL.operation_model(operation).input_shape):
        for value in of_wrong_types(shape):
            status, body = answer(world, operation, request(place, value))

            assert (status, body["__type"]) == (400, "SerializationException"), (place, value, body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_step_beyond_a_constraint_is_refused_by_name(operation: str) -> None:
    world = World()
    for place, shape in places(MODEL.operation_model(operation).input_shape):
        for value in out_of_bounds(shape):
            status, body = answer(world, operation, request(place, value))

            assert status == 400, (place, value, body)
            assert body["__type"] in modeled_errors(operation) | {"ValidationException"}
            assert f"'{shown(place)}' failed to satisfy constraint" in body["Message"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_null_is_as_good_as_absent(operation: str) -> None:
    world = World()
    nothing = answer(world, operation, {})
    shape: Any = MODEL.operation_model(operation).input_shape

    assert answer(world, operation, dict.fromkeys(shape.members)) == nothing


@pytest.mark.parametrize("operation", OPERATIONS)
def test_members_nobody_knows_change_nothing(operation: str) -> None:
    world = World()

    assert answer(world, operation, {"Surprise": [{"a": None}]}) == answer(world, operation, {})
