"""The compiled form of a rule's condition: a small tree that is JSON, and says the same in every reader.

A test names a field by its path (``userIdentity.type``); an empty path is the whole record. A path goes
through arrays: a test holds when it holds for one of the values it finds. What a test of each kind looks
at is said in ``values``; ``matcher`` evaluates the tree, ``pattern`` makes EventBridge patterns of it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class _Node(Struct, frozen=True, tag_field="test", omit_defaults=True, forbid_unknown_fields=True):
    """What all nodes have: frozen, and their kind under ``test``."""


class Text(_Node, frozen=True, tag="text"):
    """A value reads like ``like``, a glob: ``*`` and ``?`` are wild, a backslash takes that from them."""

    field: str
    like: str
    cased: bool = False  # else upper and lower case are the same


class Regex(_Node, frozen=True, tag="regex"):
    """Somewhere in a value is what the expression describes; flags are of ``i``, ``m`` and ``s``."""

    field: str
    expression: str
    flags: str = ""


class Cidr(_Node, frozen=True, tag="cidr"):
    """A value is an address of the network."""

    field: str
    network: str


class Number(_Node, frozen=True, tag="number"):
    """A value is a number, or text that is one, and compares so with ``than``."""

    field: str
    compares: Literal["<", "<=", ">", ">="]
    than: int | float


class Present(_Node, frozen=True, tag="present"):
    """The field has a value; null is none."""

    field: str


class Same(_Node, frozen=True, tag="same"):
    """A value reads like one of another field, begins or ends like it, or holds it."""

    field: str
    other: str
    where: Literal["whole", "start", "end", "inside"] = "whole"


class All(_Node, frozen=True, tag="all"):
    """Every one holds."""

    of: tuple[Predicate, ...]


class Some(_Node, frozen=True, tag="some"):
    """At least one holds."""

    of: tuple[Predicate, ...]


class Not(_Node, frozen=True, tag="not"):
    """It does not hold."""

    of: Predicate


Test = Text | Regex | Cidr | Number | Present | Same
Predicate = Text | Regex | Cidr | Number | Present | Same | All | Some | Not
