"""Everything about an operation that does not depend on one call, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from moto.core.model import OperationModel

from opentrail.local.call import Call, Reply
from opentrail.local.capture.answer import read_output
from opentrail.local.capture.classify import is_data_event, is_read_only
from opentrail.local.capture.completions import completion_of
from opentrail.local.capture.dynamodb_style import item_parameters
from opentrail.local.capture.ec2_style import (
    is_soap_style,
    soap_request,
    soap_response,
    wrapped_request,
    wrapped_response,
)
from opentrail.local.capture.federation import SAML, saml_parameters
from opentrail.local.capture.naming import Naming, naming_of, style_row
from opentrail.local.capture.operation import Target, service_model
from opentrail.local.capture.resources import partition_of
from opentrail.local.capture.s3_style import wire_request, wire_response
from opentrail.local.capture.shaping import Rule, answering_services, rule_of
from opentrail.local.capture.spelling import Convert, Speller, Style, with_input_member, with_raw_path
from opentrail.local.capture.wire import Wire

SpellRequest = Callable[[Target, Wire, Call], dict[str, Any] | None]
API_GATEWAY = "api-gateway"
SpellResponse = Callable[[Target, Reply, Call], dict[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One operation: its names, its class, and how its request and answer are spelled."""

    naming: Naming
    read_only: bool
    data_event: bool
    answers_key: bool  # responseElements name the KMS key of the call
    shows_errors: bool  # responseElements hold a failed call's answer, in place of errorMessage
    wire_style: bool  # S3: parameters as on the wire, and additionalEventData
    spell_request: SpellRequest
    spell_response: SpellResponse


@cache
def plan_of(service: str, operation: str) -> Plan:
    """The plan of one operation; compiled at its first call, kept for the process."""
    model = service_model(service).operation_model(operation)
    row = style_row(service)
    read_only = is_read_only(service, operation)
    requests, responses = rule_of("requests", service, operation), rule_of("responses", service, operation)
    data_event = is_data_event(service, operation)
    silent = read_only or responses.null or (data_event and service not in answering_services())
    respond = responses.keep or not silent
    return Plan(
        naming=naming_of(service, operation),
        read_only=read_only,
        data_event=data_event,
        answers_key=responses.key,
        shows_errors=row.get("hosting") == API_GATEWAY,
        wire_style=row.get("style") == "s3",
        spell_request=_request(model, row, requests),
        spell_response=_response(model, row, responses) if respond else _nothing,
    )


def _request(model: OperationModel, row: Mapping[str, Any], rule: Rule) -> SpellRequest:
    style = row.get("style", "general")
    if style == "s3":
        return wire_request
    if style == "ec2" and not is_soap_style(model):
        return lambda target, wire, call: wrapped_request(target.operation, wire)
    if style == "ec2":
        convert = soap_request(model)
        return lambda target, wire, call: rule.apply(convert(target.parameters or {})) or None
    return _general_request(model, row, rule)


def _response(model: OperationModel, row: Mapping[str, Any], rule: Rule) -> SpellResponse:
    spell = _spelled_answer(model, row)
    if spell is None:
        return _nothing
    if row.get("style") == "s3":
        return spell

    complete = completion_of(model.service_model.service_name, model.name)

    def respond(target: Target, reply: Reply, call: Call) -> dict[str, Any] | None:
        spelled = spell(target, reply, call) or {}
        spelled = rule.apply(spelled, target.parameters or {}, place_of(call))
        return complete(spelled, call) or None

    return respond


def _spelled_answer(model: OperationModel, row: Mapping[str, Any]) -> SpellResponse | None:
    """An answer before its operation's rules; None for an operation that answers nothing."""
    style = row.get("style", "general")
    if style == "s3":
        return wire_response
    if style == "ec2":
        return soap_response(model) if is_soap_style(model) else wrapped_response
    if model.output_shape is None:
        return None
    convert = Speller(_style(row, "response", model.service_model.protocol)).converter(model.output_shape)
    return lambda target, reply, call: convert(read_output(target, reply))


def _general_request(model: OperationModel, row: Mapping[str, Any], rule: Rule) -> SpellRequest:
    shape = model.input_shape
    spell: Convert = _empty
    if shape is not None:
        spell = Speller(_style(row, "request", model.service_model.protocol)).converter(shape)
    if row.get("input_member"):
        spell = partial(_respell, with_input_member, model, spell)
    if row.get("hosting") == API_GATEWAY:
        spell = partial(_respell, with_raw_path, model, spell)
    if model.name == SAML:
        spell = partial(saml_parameters, spell)
    items = model.service_model.service_name == "dynamodb" and is_data_event("dynamodb", model.name)

    def respell(target: Target, wire: Wire, call: Call) -> dict[str, Any] | None:
        asked = target.parameters or {}
        spelled = rule.apply(spell(asked), asked, place_of(call))
        return (item_parameters(spelled, asked, place_of(call)) if items else spelled) or None

    return respell


def _empty(_: Any) -> dict[str, Any]:
    return {}


def _respell(
    change: Callable[[OperationModel, dict[str, Any]], dict[str, Any]],
    model: OperationModel,
    spell: Convert,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    return change(model, spell(asked))


def place_of(call: Call) -> dict[str, str]:
    """What defaults may name of a call's place."""
    return {
        "region": call.region,
        "account": call.caller.account,
        "partition": partition_of(call.region),
    }


def _nothing(target: Target, reply: Reply, call: Call) -> None:
    return None


def _style(row: Mapping[str, Any], direction: str, protocol: str) -> Style:
    hosted = row.get("hosting") == API_GATEWAY
    return Style(
        case=row.get("case", "wire" if hosted else "lower_first"),
        dates=row.get("dates") or ("wire" if protocol == "rest-json" else "locale"),
        sensitive=row.get("sensitive", "hide")
        if direction == "request"
        else row.get("sensitive_response", "omit"),
        primitive_defaults=bool(row.get("primitive_defaults")) and direction == "request",
        members=row.get("members", {}),
        shown=frozenset(row.get("shown", ())),
    )
