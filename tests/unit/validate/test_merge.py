"""Reports on several chains are one report on their trail."""

from __future__ import annotations

from typing import Any

import msgspec

from opentrail.model.report import Finding, Kind, Problem, Report
from opentrail.pipeline.validate import merge
from opentrail.pipeline.validate.merge import COUNTS

FINDING = Finding(Kind.LOG, "logs", "k", Problem.HASH_DIFFERS)


def report(region: str, **changes: Any) -> Report:
    made = Report(
        trail_arn="arn",
        account="123456789012",
        region=region,
        start="s",
        end="e",
        digests=0,
        digests_valid=0,
        logs=0,
        logs_valid=0,
        findings=(),
    )
    return msgspec.structs.replace(made, **changes)


def test_counts_are_added_and_findings_put_together() -> None:
    one = report("a", **{name: place for place, name in enumerate(COUNTS, 1)})
    two = report("b", **dict.fromkeys(COUNTS, 100), findings=(FINDING,))

    both = merge([one, two])

    assert [getattr(both, name) for name in COUNTS] == [101 + place for place in range(len(COUNTS))]
    assert both.findings == (FINDING,)
    assert (both.account, both.region) == ("", "")


def test_every_count_of_a_report_is_added() -> None:
    numbers = {f.name for f in msgspec.structs.fields(Report) if f.type is int}

    assert numbers == set(COUNTS)


def test_notes_say_where_they_are_of() -> None:
    assert merge([report("a", notes=("x",)), report("b")]).notes == ("123456789012 a: x",)


def test_one_report_is_itself() -> None:
    one = report("a", notes=("x",))

    assert merge([one]) is one
