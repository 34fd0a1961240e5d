"""Globs, Sigma's own notation for texts with wild characters: ``arn:*:user/?lice``, ``100\\*``.

Source: Sigma specification, "Wildcards" and "Escaping".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum


class Wild(Enum):
    """A wild character."""

    ANY = "*"  # any characters, or none
    ONE = "?"  # one character


Piece = str | Wild
_SPECIAL = re.compile(r"[*?\\]")


def to_glob(pieces: Iterable[Piece]) -> str:
    """Write pieces down; ``read_glob`` reads them back."""
    return "".join(p.value if isinstance(p, Wild) else _SPECIAL.sub(r"\\\g<0>", p) for p in pieces)


def read_glob(text: str) -> tuple[Piece, ...]:
    """The literal and the wild pieces of a glob. A backslash before any other character is itself."""
    pieces: list[Piece] = []
    literal: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            literal.append(following if following and following in "*?\\" else character + following)
        elif character in "*?":
            pieces += ["".join(literal), Wild(character)]
            literal = []
        else:
            literal.append(character)
    pieces.append("".join(literal))
    return _tidy(pieces)


def _tidy(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Without empty literals, and without a star behind a star."""
    kept: list[Piece] = []
    for piece in pieces:
        if piece != "" and not (piece is Wild.ANY and kept[-1:] == [Wild.ANY]):
            kept.append(piece)
    return tuple(kept)


def to_regex(pieces: tuple[Piece, ...]) -> re.Pattern[str]:
    """An expression that matches the whole of what a glob matches."""
    signs = {Wild.ANY: ".*", Wild.ONE: "."}
    expression = "".join(signs[p] if isinstance(p, Wild) else re.escape(p) for p in pieces)
    return re.compile(expression, re.DOTALL)
