"""XML -> JSON the way S3's and EC2's records show it.

Attributes are members beside the elements, repeated elements are an array, an
element with attributes and text has ``content``, an empty one is ``""``. Texts
that look like numbers and booleans become them.

Source: real records (PutBucketTagging, CreateFlowLogs): ``{"Value": true}``,
``{"tag": 1, "content": "fl-1"}``, ``"xmlns": "http://..."``.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

CONTENT = "content"
BOOLEANS = {"true": True, "false": False}
MAX_LONG = 2**63 - 1


def xml_to_json(document: bytes) -> dict[str, Any]:
    """``<A x="1"><B>2</B></A>`` -> ``{"A": {"x": 1, "B": 2}}``.

    Raises:
        ValueError: not well-formed XML.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    return reader.root


def typed(text: str) -> Any:
    """A text as JSON has it: ``"8"`` -> 8, ``"true"`` -> True, ``"010"`` stays."""
    if text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if (
        text.lstrip("-").isdigit()
        and text.isascii()
        and str(int(text)) == text
        and abs(int(text)) <= MAX_LONG
    ):
        return int(text)
    return text


def add(owner: dict[str, Any], name: str, value: Any) -> None:
    """Put a member in; a second one of the same name makes an array."""
    if name not in owner:
        owner[name] = value
    elif isinstance(owner[name], list):
        owner[name].append(value)
    else:
        owner[name] = [owner[name], value]


class _Reader:
    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._open: list[tuple[dict[str, Any], list[str]]] = [(self.root, [])]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(({key: typed(value) for key, value in attributes.items()}, []))

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, name: str) -> None:
        members, texts = self._open.pop()
        text = "".join(texts).strip()
        value: Any = members
        if not members:
            value = typed(text)
        elif text:
            members[CONTENT] = typed(text)
        add(self._open[-1][0], name, value)
