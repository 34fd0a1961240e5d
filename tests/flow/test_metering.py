"""What is metered is what was delivered: each record once, however often a function dies.

That digests lose and double nothing, whatever call they die at, ``test_crashes`` checks with all else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.digest import handler as digest
from opentrail.model.log_file import HISTORY
from tests.flow.test_crashes import attempt, deliver_until_done, fuses
from tests.support.line import SETTLE_SECONDS, Line
from tests.support.records import envelope, make_record, to_bytes

DATA_SELECTORS = [
    {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        ]
    },
    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
]


def management(count: int, **changes: Any) -> list[str]:
    return [envelope(to_bytes(make_record(**changes))) for _ in range(count)]


def data(count: int) -> list[str]:
    resources = [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::things/a"}]
    return management(
        count,
        eventCategory="Data",
        managementEvent=False,
        eventName="GetObject",
        readOnly=True,
        resources=resources,
    )


def sum_days(line: Line) -> list[str]:
    return digest.build(line.digest_settings(), line.clients(None)).sum_days(line.now)


def in_files(line: Line) -> Counter[str]:
    """How many records lie in the files of each trail's prefix."""
    count: Counter[str] = Counter()
    for key, records in line.logs().items():
        count[key.partition("/")[0]] += len(records)
    return count


def test_each_copy_is_counted_in_its_class(line: Line) -> None:
    line.start_trail("old", prefix="old", created_at=1.0, advanced_event_selectors=DATA_SELECTORS)
    line.start_trail("new", prefix="new", created_at=2.0, log_file_validation=False)
    line.record([*management(3), *management(2, readOnly=True), *data(4)])

    line.deliver(line.queued_chunks())

    sums = line.metered()
    assert {name: (u.first, u.copies, u.data, u.events, u.files) for name, u in sums.items()} == {
        "old": (5, 0, 4, 9, 1),
        "new": (0, 5, 0, 5, 1),
        HISTORY: (0, 0, 0, 5, 1),
    }
    assert sum(usage.arrived for usage in sums.values()) == 9
    assert sums["old"].bytes + sums["new"].bytes == sum(map(len, line.objects().values()))


def test_insights_count_what_they_analyse(line: Line) -> None:
    types = [{"InsightType": name} for name in ("ApiCallRateInsight", "ApiErrorRateInsight")]
    line.start_trail(insight_selectors=types)
    line.record([*management(3), *management(2, readOnly=True)])

    line.deliver(line.queued_chunks())

    assert line.metered()["main"].analysed == 3 * 2 + 2


@pytest.mark.parametrize("validation", [True, False])
def test_usage_stays_when_the_rows_of_its_files_go(line: Line, validation: bool) -> None:
    line.start_trail(log_file_validation=validation)
    line.record(management(3))
    line.deliver(line.queued_chunks())
    before = line.metered()

    line.wait(days=1)
    line.close()
    assert sum_days(line)[-1] == "2026-01-10"
    remove_files(line)

    assert line.metered() == before
    assert before["main"].events == before[HISTORY].events == 3


def test_a_day_summed_again_is_the_same(line: Line) -> None:
    line.start_trail(log_file_validation=False)
    line.record(management(3))
    line.deliver(line.queued_chunks())
    before = line.metered()
    line.wait(days=1)

    for _ in range(2):
        sum_days(line)
        line.client("dynamodb").delete_item(
            TableName=f"{line.name}-ledger", Key={"pk": {"S": "usage-days"}, "sk": {"S": "2026-01-10"}}
        )

    assert line.metered() == before


@pytest.mark.parametrize("after", [True, False])
def test_a_crash_counts_nothing_twice_and_forgets_nothing(clients: Callable[[str], Any], after: bool) -> None:
    for fuse in fuses(after, refuse=False):
        line = two_trails(clients)
        chunks = line.queued_chunks()

        answer = attempt(lambda fuse=fuse, line=line, chunks=chunks: line.deliver(chunks, fuse))  # type: ignore[misc]
        line.wait(seconds=SETTLE_SECONDS + 1)
        deliver_until_done(line, chunks if answer is None else [f.chunk for f in answer.failed])

        sums = line.metered()
        assert in_files(line) == {"old": 3, "new": 3}
        assert {name: (usage.first, usage.copies) for name, usage in sums.items()} == {
            "old": (3, 0),
            "new": (0, 3),
            HISTORY: (0, 0),
        }


def two_trails(clients: Callable[[str], Any]) -> Line:
    """One with digests and one without, and three events on their way to both."""
    line = Line(clients)
    line.start_trail("old", prefix="old", created_at=1.0)
    line.start_trail("new", prefix="new", created_at=2.0, log_file_validation=False)
    line.record(management(3))
    return line


def remove_files(line: Line) -> None:
    """What time does: rows of files that no digest lists expire."""
    dynamodb, table = line.client("dynamodb"), f"{line.name}-ledger"
    for item in dynamodb.scan(TableName=table)["Items"]:
        if item["pk"]["S"].startswith("file#"):
            dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
