"""What an attack is, and the list all of them enter themselves into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opentrail.model.report import Problem
from tests.support.tampering.world import World


@dataclass(frozen=True)
class Attack:
    """One thing done to a bucket, and what must be found: (problem, key)."""

    name: str
    touches: frozenset[str]  # hours, mostly; attacks on the same one are not combined: one may undo the other
    run: Callable[[World], tuple[Problem, str]]
    needs: str  # what the attacker must hold


ATTACKS: dict[str, Attack] = {}


def attack(touches: str, needs: str = "bucket") -> Callable[[Callable[[World], tuple[Problem, str]]], Any]:
    """Enter a function into ``ATTACKS`` by its name."""

    def enter(run: Callable[[World], tuple[Problem, str]]) -> Callable[[World], tuple[Problem, str]]:
        name = run.__name__.replace("_", " ")
        ATTACKS[name] = Attack(name, frozenset(touches.split()), run, needs)
        return run

    return enter
