"""Which API operation a request is, and its parameters, by botocore's service models."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qsl

import botocore.session
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from opentrail.local.capture.credential import Credential
from opentrail.local.capture.tables import table
from opentrail.local.capture.wire import AnyCase, Wire, undo_aws_chunks

FORM = "application/x-www-form-urlencoded"
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # one half of a character beyond the first 65,536


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The operation a request asks for. ``parameters`` is None when the input could not be parsed."""

    service: str
    operation: str
    model: OperationModel
    protocol: str  # as the client spoke: "query", "ec2", "json", "rest-json", "rest-xml"
    parameters: Mapping[str, Any] | None


def find_target(environ: dict[str, Any], wire: Wire, credential: Credential) -> Target | None:
    """Match a request to one operation of one service, or None when nothing matches.

    The service comes from the credential scope, for unsigned requests from the
    target header, the form's Action or the host; where several services share a
    signing name the first one whose model routes the request is taken. A target
    header or an Action names its operation; REST services are routed by moto's
    routers, from method, path and query.
    """
    services = candidates(wire, credential)
    if target := wire.headers.get("x-amz-target"):
        posted = wire.method == "POST"  # nobody serves the JSON protocols by another method
        return _first(_json_target(service, target, wire) for service in services if posted)
    form = _form(wire)
    if "Action" in form:
        return _first(_query_target(service, form) for service in services)
    request = _as_moto_request(environ, wire)
    return _first(_rest_target(service, request, wire) for service in services)


def _first(targets: Iterable[Target | None]) -> Target | None:
    return next((target for target in targets if target is not None), None)


def _json_target(service: str, header: str, wire: Wire) -> Target | None:
    prefix, _, operation = header.rpartition(".")
    model = service_model(service)
    if model.metadata.get("targetPrefix") != prefix or operation not in model.operation_names:
        return None
    return _target(service, operation, "json", {"body": _well_formed(wire.body)})


def _query_target(service: str, form: Mapping[str, str]) -> Target | None:
    """Query services that share a name (elb and elbv2) differ in the Version they are sent."""
    model, operation = service_model(service), form["Action"]
    if operation not in model.operation_names:
        return None
    if form.get("Version", model.api_version) != model.api_version and _shares_its_name(service):
        return None
    return _target(service, operation, "ec2" if model.protocol == "ec2" else "query", {"values": form})


def _rest_target(service: str, request: Request, wire: Wire) -> Target | None:
    try:
        model, uri_parameters = get_service_router(service).match(request)
        protocol = determine_request_protocol(model.service_model, request.content_type)
    except (HTTPException, NotImplementedError):
        return None
    body = undo_aws_chunks(wire.body) if _is_aws_chunked(wire) else wire.body
    parts = {
        "method": request.method,
        "headers": AnyCase(wire.headers),
        "url_params": uri_parameters,
        "url_path": wire.path,
        "values": request.values,
        "body": _well_formed(body) if protocol == "rest-json" else body,
    }
    return _target(service, model.name, protocol, parts)


def _target(service: str, operation: str, protocol: str, parts: dict[str, Any]) -> Target:
    model = service_model(service).operation_model(operation)
    try:
        parameters = cast(Mapping[str, Any], PROTOCOL_PARSERS[protocol](model).parse(parts))  # type: ignore[arg-type]
        parameters = _without_absent(service, operation, parameters)
    except Exception:  # the client's bytes: anything can be wrong with them, and the call must go on
        parameters = None
    return Target(service=service, operation=operation, model=model, protocol=protocol, parameters=parameters)


def _well_formed(body: bytes) -> bytes:
    """JSON without halves of characters (a lone ``\\ud800``), which no record could be written with."""
    if not _HALF.search(body):
        return body
    try:
        return json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return body


def _without_absent(service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters without the empty lists that moto's parser makes of lists the query did not name."""
    absent = {name for name in _query_lists(service, operation) if parameters.get(name) == []}
    if not absent:
        return parameters
    return {name: value for name, value in parameters.items() if name not in absent}


@cache
def _query_lists(service: str, operation: str) -> list[str]:
    shape = service_model(service).operation_model(operation).input_shape
    return [
        name
        for name, member in (shape.members.items() if shape is not None else ())
        if member.type_name == "list" and member.serialization.get("location") == "querystring"
    ]


def _as_moto_request(environ: dict[str, Any], wire: Wire) -> Request:
    """moto's request type over a copy, so that the body stays unread for moto itself."""
    return Request({**environ, "wsgi.input": io.BytesIO(wire.body), "RAW_URI": wire.path})


def _is_aws_chunked(wire: Wire) -> bool:
    return wire.headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or (
        "aws-chunked" in wire.headers.get("content-encoding", "")
    )


def candidates(wire: Wire, credential: Credential) -> Iterator[str]:
    """botocore's services that a request can be for, the likeliest first."""
    name = _named_by_target(wire) or credential.signing_name or _unsigned_name(wire)
    listed = table("signing_names").get(name)
    names = listed if listed is not None else [name]
    if name == "s3" and not _is_s3_control(wire):
        names = ["s3"]
    return (service for service in names if service in _known_services())


def _is_s3_control(wire: Wire) -> bool:
    """S3 Control's paths begin with its API version; a bucket cannot be called that way there."""
    return wire.path.startswith("/v20180820/") or ".s3-control." in wire.host


def _named_by_target(wire: Wire) -> str:
    """The service of a target that no other service has, whatever the signature says."""
    prefix = wire.headers.get("x-amz-target", "").rpartition(".")[0]
    return str(table("unsigned")["target"].get(prefix, ""))


def _unsigned_name(wire: Wire) -> str:
    """The service of a request without a signature.

    Source: STS and Cognito API references (operations that need no credentials);
    anything else without a target is an anonymous S3 request.
    """
    if "x-amz-target" in wire.headers:
        return ""
    if action := _form(wire).get("Action"):
        return str(table("unsigned")["action"].get(action, ""))
    label = wire.host.partition(".")[0]
    return label if wire.host.endswith(".amazonaws.com") and label in _known_services() else "s3"


def _form(wire: Wire) -> dict[str, str]:
    """The fields of a query request, from its body or, for GET, from its query string."""
    if wire.headers.get("content-type", "").startswith(FORM):
        return dict(parse_qsl(wire.body.decode("utf-8", "replace"), keep_blank_values=True))
    return dict(parse_qsl(wire.query, keep_blank_values=True)) if "Action=" in wire.query else {}


def _shares_its_name(service: str) -> bool:
    return bool(table("signing_names").get(service_model(service).signing_name))


@cache
def _known_services() -> frozenset[str]:
    loader = botocore.session.get_session().get_component("data_loader")
    return frozenset(loader.list_available_services("service-2"))


def service_model(service: str) -> ServiceModel:
    """The botocore model of ``service``, loaded once per process."""
    return get_service_model(service)
