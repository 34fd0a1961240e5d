"""JSON objects whose members have other shapes than CloudTrail's: take what is usable, leave the rest.

Members stay bytes until they are asked for, so that a number of any size or a
value of any depth beside them does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Members = Mapping[str, msgspec.Raw]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)


def read_members(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of an object; the last of equal names counts.

    Raises:
        msgspec.ValidationError: JSON, but no object.
        msgspec.DecodeError: no JSON.
        RecursionError: nested too deeply.
    """
    return _members.decode(raw)


def members_of(members: Members, name: str) -> dict[str, msgspec.Raw]:
    """The members of the object that is called ``name``; none when it is no object."""
    return _inner(members.get(name))


def objects_of(members: Members, name: str) -> list[dict[str, msgspec.Raw]]:
    """The elements of the array called ``name``, each as ``members_of`` has it."""
    raw = members.get(name)
    if raw is None or not _begins(raw, b"["):
        return []
    return [_inner(element) for element in _elements.decode(raw)]


def texts_of(members: Members) -> dict[str, str]:
    """Those members that are strings."""
    return {name: _text.decode(raw) for name, raw in members.items() if _begins(raw, b'"')}


def truth_of(members: Members, name: str) -> bool | None:
    """A boolean, or one spelled as a string; ``None`` for all else."""
    raw = bytes(members.get(name, b"")).strip(b'"')
    return {b"true": True, b"false": False}.get(raw)


def _inner(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    return _members.decode(raw) if raw is not None and _begins(raw, b"{") else {}


def _begins(raw: msgspec.Raw, sign: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == sign
