"""The table of who catches what is about the attacks there are."""

from __future__ import annotations

from pathlib import Path

from tests.support.tampering import ATTACKS

ROOT = Path(__file__).parents[2]


def test_the_table_has_every_attack_and_what_it_takes() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    table = text.partition("| attack | attacker holds |")[2].splitlines()[2:]

    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")[:2]) for line in table]

    assert rows == [(name, attack.needs) for name, attack in ATTACKS.items()]
