"""Print the fidelity table of ``docs/compatibility.md``: ``python -m tests.conformance.capture.fidelity``."""

from __future__ import annotations

from tests.conformance.capture.compare import Score
from tests.conformance.capture.measure import Measured, measure
from tests.conformance.capture.oracle import real_records

HEADER = (
    "| eventSource | records | parameters: recall | precision | answers | answers: recall | precision |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)


def table(measured: Measured) -> str:
    """One row for each service, and one for all."""
    services = sorted(measured.requests)
    rows = [_row(name, measured.requests[name], measured.responses.get(name, Score())) for name in services]
    whole = _row("**all**", measured.total(measured.requests), measured.total(measured.responses))
    return "\n".join([HEADER, *rows, whole])


def _row(name: str, asked: Score, answered: Score) -> str:
    cells = [
        name,
        str(asked.records),
        _percent(asked.recall),
        _percent(asked.precision),
        str(answered.records),
    ]
    cells += [_percent(answered.recall), _percent(answered.precision)] if answered.records else ["", ""]
    return f"| {' | '.join(cells)} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    print(table(measure(real_records())))
