"""Which API operation a request is, and its parameters, by botocore's service models."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs

import botocore.session
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from opentrail.local.capture.credential import Credential
from opentrail.local.capture.tables import table
from opentrail.local.capture.wire import Wire, undo_aws_chunks


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
    signing name the first one whose model routes the request is taken.
    """
    request = _as_moto_request(environ, wire)
    for service in _candidates(wire, credential):
        try:
            model, uri_parameters = get_service_router(service).match(request)
        except (HTTPException, NotImplementedError):
            continue
        if not _same_version(model.service_model, wire):
            continue
        protocol = determine_request_protocol(model.service_model, request.content_type)
        return Target(
            service=service,
            operation=model.name,
            model=model,
            protocol=protocol,
            parameters=_parse(request, wire, model, protocol, uri_parameters),
        )
    return None


def _as_moto_request(environ: dict[str, Any], wire: Wire) -> Request:
    """moto's request type over a copy, so that the body stays unread for moto itself."""
    return Request({**environ, "wsgi.input": io.BytesIO(wire.body), "RAW_URI": wire.path})


def _parse(
    request: Request, wire: Wire, model: OperationModel, protocol: str, uri_parameters: dict[str, Any]
) -> Mapping[str, Any] | None:
    parser = PROTOCOL_PARSERS[protocol](model)
    body = undo_aws_chunks(wire.body) if _is_aws_chunked(wire) else wire.body
    try:
        parsed = parser.parse(
            {
                "method": request.method,
                "headers": request.headers,
                "url_params": uri_parameters,
                "url_path": wire.path,
                "values": request.values,
                "body": body,
            }
        )
    except Exception:  # the client's bytes: anything can be wrong with them, and the call must go on
        return None
    return cast(Mapping[str, Any], parsed)


def _is_aws_chunked(wire: Wire) -> bool:
    return wire.headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or (
        "aws-chunked" in wire.headers.get("content-encoding", "")
    )


def _candidates(wire: Wire, credential: Credential) -> Iterator[str]:
    name = credential.signing_name or _unsigned_name(wire)
    listed = table("signing_names").get(name)
    names = listed if listed is not None else [name]
    if name == "s3" and not _is_s3_control(wire):
        names = ["s3"]
    return (service for service in names if service in _known_services())


def _is_s3_control(wire: Wire) -> bool:
    """S3 Control's paths begin with its API version; a bucket cannot be called that way there."""
    return wire.path.startswith("/v20180820/") or ".s3-control." in wire.host


def _unsigned_name(wire: Wire) -> str:
    """The service of a request without a signature.

    Source: STS and Cognito API references (operations that need no credentials);
    anything else without a target is an anonymous S3 request.
    """
    rules = table("unsigned")
    if target := wire.headers.get("x-amz-target"):
        return str(rules["target"].get(target.partition(".")[0], ""))
    for action in _form(wire).get("Action", ()):
        return str(rules["action"].get(action, ""))
    label = wire.host.partition(".")[0]
    return label if wire.host.endswith(".amazonaws.com") and label in _known_services() else "s3"


def _form(wire: Wire) -> dict[str, list[str]]:
    if wire.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(wire.body.decode("utf-8", "replace"))
    return parse_qs(wire.query)


def _same_version(service: ServiceModel, wire: Wire) -> bool:
    """Query services that share a name (elb and elbv2) differ in the Version they are sent."""
    if service.protocol not in ("query", "ec2") or not table("signing_names").get(service.signing_name):
        return True
    version = _form(wire).get("Version")
    return version is None or version[0] == service.api_version


@cache
def _known_services() -> frozenset[str]:
    loader = botocore.session.get_session().get_component("data_loader")
    return frozenset(loader.list_available_services("service-2"))


def service_model(service: str) -> ServiceModel:
    """The botocore model of ``service``, loaded once per process."""
    return get_service_model(service)
