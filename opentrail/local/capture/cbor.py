"""CBOR requests, for which moto has no ear: translated to JSON, and the answer back.

Two protocols carry CBOR: Smithy's rpc-v2-cbor (the path names the operation) and
the older ``application/x-amz-cbor-1.1`` of Kinesis clients (the target header does).

Source: Smithy 2.0, "Smithy RPC v2 CBOR protocol"; RFC 8949.
"""

from __future__ import annotations

import io
import json
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import RpcV2CBORParser

from opentrail.local.call import Reply
from opentrail.local.capture.credential import read_credential
from opentrail.local.capture.operation import Target, candidates, service_model
from opentrail.local.capture.wire import Wire, read_wire

SMITHY_PATH = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)$")
MEDIA_TYPES = ("application/cbor", "application/x-amz-cbor")
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = range(7)
FALSE, TRUE, NULL, DOUBLE = 0xF4, 0xF5, 0xF6, 0xFB
EPOCH_TAG = 1
WIDTHS = ((24, 0xFF, ">B"), (25, 0xFFFF, ">H"), (26, 0xFFFF_FFFF, ">I"), (27, 2**64 - 1, ">Q"))


def is_cbor(wire: Wire) -> bool:
    """Whether the request speaks one of the two protocols."""
    return wire.headers.get("content-type", "").startswith(MEDIA_TYPES)


def as_json(environ: dict[str, Any], wire: Wire) -> Wire:
    """Rewrite the environment to the JSON form of the same call; the request as it reads now.

    A call of a service without a JSON form stays as it is, and so does what is not CBOR.
    """
    target, version = _json_target(wire)
    if not target:
        return wire
    try:
        body = json.dumps(_plain(decode(wire.body) if wire.body else {})).encode()
    except Exception:  # the client's bytes: anything can be wrong with them, and the service says so
        return wire
    environ.pop("HTTP_SMITHY_PROTOCOL", None)
    environ.update(
        PATH_INFO="/",
        RAW_URI="/",
        REQUEST_URI="/",
        CONTENT_TYPE=f"application/x-amz-json-{version}",
        CONTENT_LENGTH=str(len(body)),
        HTTP_X_AMZ_TARGET=target,
    )
    environ["wsgi.input"] = io.BytesIO(body)
    return read_wire(environ)


def answer_in_cbor(reply: Reply, target: Target, wire: Wire) -> Reply:
    """The same answer in the protocol of the client's request.

    Args:
        wire: the request as the client sent it.
    """
    value = json.loads(reply.body) if reply.body else {}
    shape = target.model.output_shape
    typed = _with_types(shape, value) if shape is not None and reply.status < 300 else value
    media = wire.headers["content-type"].partition(";")[0]
    headers = {
        name: text
        for name, text in reply.headers.items()
        if name.lower() not in ("content-type", "content-length")
    }
    headers["Content-Type"] = media
    if "smithy-protocol" in wire.headers:
        headers["smithy-protocol"] = wire.headers["smithy-protocol"]
    return Reply(status=reply.status, headers=headers, body=encode(typed))


def decode(data: bytes) -> Any:
    """One CBOR data item."""
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(data))


def encode(value: Any) -> bytes:
    """A JSON-like value, bytes and datetimes (as epoch tags) included."""
    if value is None or isinstance(value, bool):
        return bytes([NULL if value is None else TRUE if value else FALSE])
    if isinstance(value, int):
        return _head(UNSIGNED, value) if value >= 0 else _head(NEGATIVE, -1 - value)
    if isinstance(value, float):
        return bytes([DOUBLE]) + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(BYTES, len(value)) + value
    if isinstance(value, str):
        return _head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, datetime):
        return _head(TAG, EPOCH_TAG) + encode(value.timestamp())
    if isinstance(value, Mapping):
        return _head(MAP, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
    return _head(ARRAY, len(value)) + b"".join(encode(item) for item in value)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for code, largest, layout in WIDTHS:
        if number <= largest:
            return bytes([major << 5 | code]) + struct.pack(layout, number)
    raise ValueError(f"no CBOR integer holds {number}")


def _json_target(wire: Wire) -> tuple[str, str]:
    """The ``X-Amz-Target`` and JSON version of the call, or ("", "") when it has none."""
    named = SMITHY_PATH.search(wire.path)
    for service in candidates(wire, read_credential(wire)):
        metadata = service_model(service).metadata
        version, prefix = metadata.get("jsonVersion", "1.0"), metadata.get("targetPrefix")
        if named and prefix:
            return f"{prefix}.{named['operation']}", version
        if not named and wire.headers.get("x-amz-target"):
            return wire.headers["x-amz-target"], version
    return "", ""


def _plain(value: Any) -> Any:
    """A decoded value as JSON has it: base64 for bytes, epoch seconds for times."""
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _with_types(shape: Shape, value: Any) -> Any:
    """A JSON value with the bytes and times that its shape says it has."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: _with_types(shape.members[name], item)
            for name, item in value.items()
            if name in shape.members
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_with_types(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _with_types(shape.value, item) for key, item in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        return b64decode(value)
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value).astimezone()
    return value
