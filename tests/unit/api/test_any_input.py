"""Whatever is asked: 200 with an output the model allows, or an error the operation may answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opentrail.api.app import ACTIONS
from opentrail.api.service import modeled_errors, service_model
from opentrail.model.resource import Bucket
from tests.unit.api.fakes import HOME, World
from tests.unit.api.shapes import ANYTHING, values_of

ALWAYS = {"SerializationException", "ValidationException"}
MODEL = service_model()


def make_world() -> World:
    world = World()
    world.buckets["bare"] = Bucket(region=HOME, policy=None)
    world.create()
    return world


def assert_answer_fits(operation: str, members: Any) -> None:
    reply = make_world().ask(operation, body=json.dumps(members).encode())
    document = json.loads(reply.body)

    if reply.status == 200:
        assert_model_valid(operation, reply.body)
    else:
        assert reply.status == 400
        assert document["__type"] in modeled_errors(operation) | ALWAYS
        assert document["Message"]


def assert_model_valid(operation: str, body: bytes) -> None:
    """The output parses by botocore's own parser and holds no null and no member it does not know."""
    shape: Any = MODEL.operation_model(operation).output_shape
    parser = create_parser("json")
    parsed = parser.parse({"status_code": 200, "headers": {}, "body": body}, shape)
    parsed.pop("ResponseMetadata")
    report = ParamValidator().validate(parsed, shape)
    assert not report.has_errors(), report.generate_report()
    assert b"null" not in body


@pytest.mark.parametrize("operation", sorted(ACTIONS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_built_operations(operation: str, data: st.DataObject) -> None:
    shape = MODEL.operation_model(operation).input_shape

    assert_answer_fits(operation, data.draw(values_of(shape)))


@pytest.mark.parametrize("operation", sorted(set(MODEL.operation_names) - set(ACTIONS)))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_operations_that_are_not_built(operation: str, data: st.DataObject) -> None:
    shape = MODEL.operation_model(operation).input_shape

    assert_answer_fits(operation, data.draw(values_of(shape)))


@settings(max_examples=100, deadline=None)
@given(operation=st.sampled_from(sorted(MODEL.operation_names)), members=st.dictionaries(st.text(), ANYTHING))
def test_objects_of_any_shape(operation: str, members: dict[str, Any]) -> None:
    assert_answer_fits(operation, members)


@settings(max_examples=200, deadline=None)
@given(
    target=st.one_of(st.text(), st.sampled_from(sorted(MODEL.operation_names))), body=st.binary(max_size=200)
)
def test_bytes_of_any_kind_are_never_a_5xx(target: str, body: bytes) -> None:
    assert make_world().ask(target, body=body).status < 500
