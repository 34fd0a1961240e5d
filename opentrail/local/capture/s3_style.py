"""S3's records: parameters as they were on the wire.

Source: real records; S3 user guide, "Amazon S3 CloudTrail events"; ``data/s3.toml``
says which headers and query parameters are recorded.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from opentrail.local.call import Call, Reply
from opentrail.local.capture.credential import read_credential
from opentrail.local.capture.operation import Target
from opentrail.local.capture.tables import table
from opentrail.local.capture.wire import Wire, undo_aws_chunks
from opentrail.local.capture.xml_json import xml_to_json


def wire_request(target: Target, wire: Wire, call: Call) -> dict[str, Any] | None:
    """bucketName, key, Host, query parameters, x-amz headers and an XML or policy body."""
    rules = table("s3")
    parameters = target.parameters or {}
    spelled: dict[str, Any] = dict(_body(target, wire, rules))
    spelled.update(_query(wire, rules))
    for member, name in rules["members"].get(target.service, {}).items():
        if member in parameters:
            spelled[name] = parameters[member]
    spelled["Host"] = wire.host
    spelled.update(_headers(wire, rules))
    return spelled


def additional_data(call: Call, wire: Wire, reply: Reply) -> dict[str, Any]:
    """``additionalEventData``: how the request was signed and how many bytes went each way.

    CipherSuite is missing because the endpoint speaks plain HTTP.
    """
    data: dict[str, Any] = {}
    credential = read_credential(wire)
    if credential.version:
        data["SignatureVersion"] = credential.version
    data["bytesTransferredIn"] = len(wire.body)
    if credential.method:
        data["AuthenticationMethod"] = credential.method
    data["x-amz-id-2"] = b64encode(sha256(call.request_id.encode()).digest()).decode("ascii")
    data["bytesTransferredOut"] = len(reply.body)
    return data


def wire_response(target: Target, reply: Reply, call: Call) -> dict[str, Any] | None:
    """The recorded headers of an answer, or None when it has none of them."""
    names = table("s3")["response_headers"]["names"]
    headers = {name.lower(): value for name, value in reply.headers.items()}
    spelled = {name: headers[name] for name in names if name in headers}
    if target.operation in table("s3")["encrypted"]["operations"]:
        spelled.setdefault("x-amz-server-side-encryption", "AES256")
    return spelled or None


def _query(wire: Wire, rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    dropped = rules["query"]["dropped"]
    for name, value in parse_qsl(wire.query, keep_blank_values=True):
        if name not in dropped:
            yield name, value


def _headers(wire: Wire, rules: Mapping[str, Any]) -> dict[str, Any]:
    spelled: dict[str, Any] = {}
    grants: dict[str, str] = {}
    for name, value in wire.headers.items():
        if name.startswith("x-amz-grant-"):
            grants[name] = value
        elif _is_recorded(name, rules):
            spelled[name] = value
    return {**spelled, "accessControlList": grants} if grants else spelled


def _is_recorded(name: str, rules: Mapping[str, Any]) -> bool:
    row = rules["headers"]
    if name in row["recorded"]:
        return True
    return (
        name.startswith("x-amz-")
        and name not in row["dropped"]
        and not name.startswith(tuple(row["dropped_prefixes"]))
    )


def _body(target: Target, wire: Wire, rules: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The request's document; an object's bytes are never looked at."""
    if target.operation in rules["bodies"]["never"] or not wire.body:
        return
    body = (
        undo_aws_chunks(wire.body)
        if "STREAMING-" in wire.headers.get("x-amz-content-sha256", "")
        else wire.body
    )
    policy = rules["bodies"]["policy"].get(target.operation)
    if policy:
        yield policy, json.loads(body)
    elif body.lstrip().startswith(b"<"):
        yield from xml_to_json(body).items()
