"""The generated part of docs/remediation.md: ``make docs``, or ``python -m tests.docs.remediation``."""

from __future__ import annotations

from pathlib import Path

from opentrail.branches.remediation.catalog import built_in
from opentrail.branches.remediation.playbook import Playbook
from tests.docs.compatibility import replace_part

PAGE = Path(__file__).parents[2] / "docs" / "remediation.md"


def playbooks() -> str:
    """One row for each playbook that comes with the product."""
    rows = ["| playbook | danger | severity | controls | does |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *map(_row, built_in().values())])


def _row(playbook: Playbook) -> str:
    does = _sentence(playbook.fix.__doc__) if playbook.fix else "only tells"
    cells = (f"`{playbook.id}`", playbook.title, playbook.severity, ", ".join(playbook.controls), does)
    return f"| {' | '.join(cells)} |"


def _sentence(text: str | None) -> str:
    """A docstring's first line without its full stop, as part of a table."""
    line = (text or "").splitlines()[0].removesuffix(".")
    return line[:1].lower() + line[1:]


if __name__ == "__main__":
    PAGE.write_text(replace_part(PAGE.read_text(), "playbooks", playbooks()))
