"""Reports on a trail's chains -> one on the trail."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from opentrail.model.report import Report

COUNTS = (
    "digests",
    "digests_valid",
    "logs",
    "logs_valid",
    "backfill_digests",
    "backfill_digests_valid",
    "tree_heads",
    "tree_heads_valid",
)


def merge(reports: Sequence[Report]) -> Report:
    """The sum of reports on one span of time; there is one at least. Notes say where they are of."""
    if len(reports) == 1:
        return reports[0]
    counts = {name: sum(getattr(report, name) for report in reports) for name in COUNTS}
    return msgspec.structs.replace(
        reports[0],
        account="",
        region="",
        findings=tuple(finding for report in reports for finding in report.findings),
        notes=tuple(f"{place_of(report)}: {note}" for report in reports for note in report.notes),
        **counts,
    )


def place_of(report: Report) -> str:
    """Account and Region, as they are shown."""
    return f"{report.account} {report.region}"
