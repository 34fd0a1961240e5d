"""Where a page ended <-> the NextToken a client sends back.

A token is bound to what was asked: with another parameter, account or Region it
is refused, as CloudTrail refuses it. It is no secret and grants nothing: all it
holds is an eventTime and an eventID of the page before.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

import msgspec

from opentrail.branches.history.lookup import Lookup, Position
from opentrail.errors import FormatError

_CHECK_BYTES = 12


def write_token(position: Position, asked: Lookup, given: tuple[str, ...]) -> str:
    """The token for the page after ``position``.

    Args:
        position: of the last event of the page.
        asked: what the page answers; its range is left to ``given``.
        given: StartTime and EndTime as they were in the request, "" where they were not.
    """
    body = msgspec.json.encode(position)
    return urlsafe_b64encode(_check(body, asked, given) + body).decode()


def read_token(token: str, asked: Lookup, given: tuple[str, ...]) -> Position:
    """The position in a token that ``write_token`` made for the same ``asked`` and ``given``.

    Raises:
        FormatError: it is none of ours, was changed, or belongs to another request.
    """
    try:
        data = urlsafe_b64decode(token.encode())
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if check != _check(body, asked, given):
            raise FormatError("not the token of this request")
        return msgspec.json.decode(body, type=Position)
    except (Base64Error, msgspec.DecodeError, ValueError) as error:
        raise FormatError("not a token") from error


def _check(body: bytes, asked: Lookup, given: tuple[str, ...]) -> bytes:
    position = body.decode(errors="replace")
    bound = [*asked.place, asked.attribute, asked.value, asked.insights, *given, position]
    return hashlib.sha256(msgspec.json.encode(bound)).digest()[:_CHECK_BYTES]
