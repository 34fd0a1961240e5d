"""What a round looks at and tells, and what Object Lock asks of an object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from opentrail.format import keys, times
from opentrail.model.digest import Chain, Head, Link, SealedDigest
from opentrail.model.event import Place
from opentrail.model.report import Finding, Kind, Problem, Report
from opentrail.pipeline.validate.collect import Span
from opentrail.pipeline.validate.retention import Retained, day_folders, is_retained
from opentrail.pipeline.validate.rounds import (
    MAX_FINDINGS,
    Outcome,
    behind_findings,
    due_chains,
    judge,
    summarize,
)
from tests.support.values import BUCKET, HOME, make_trail

NOW = datetime(2026, 1, 12, 2, 45, tzinfo=UTC)
HEAD = Link(bucket=BUCKET, key="k", sha256="00", signature="11")
PENDING = SealedDigest(bucket=BUCKET, key="k", document=b"{}", signature="", file_ids=())


def chain(**changes: Any) -> Chain:
    made: dict[str, Any] = {
        "trail_arn": make_trail().arn,
        "place": HOME,
        "bucket": BUCKET,
        "started_at": 0.0,
        "end": "2026-01-12T02:00:00Z",
        "head": HEAD,
    }
    return Chain(**{**made, **changes})


def span(**changes: Any) -> Span:
    made: dict[str, Any] = {
        "trail_arn": make_trail().arn,
        "bucket": BUCKET,
        "prefix": "p",
        "organization": "o-abcdefghij",
        "place": HOME,
        "start": NOW - timedelta(hours=26),
        "end": NOW,
    }
    return Span(**{**made, **changes})


def report(*findings: Finding, digests: int = 1) -> Report:
    return Report(
        trail_arn=make_trail().arn,
        start="",
        end="",
        digests=digests,
        digests_valid=digests,
        logs=0,
        logs_valid=0,
        findings=findings,
    )


FINDING = Finding(Kind.LOG, BUCKET, "k", Problem.HASH_DIFFERS)


def test_a_round_looks_at_the_last_hours_of_a_chain_up_to_its_head() -> None:
    ((found, evidence),) = due_chains([chain(prefix="p")], [make_trail()], now=NOW, hours=26)

    assert (found.bucket, found.prefix, found.place) == (BUCKET, "p", HOME)
    assert found.start == NOW - timedelta(hours=26)
    assert found.end > NOW
    assert evidence.head == HEAD


def test_a_digest_that_waits_to_be_stored_is_not_missed() -> None:
    ((_, evidence),) = due_chains([chain(pending=PENDING)], [make_trail()], now=NOW, hours=26)

    assert evidence.head is None


def anchored(end: str, **changes: Any) -> Head:
    key = keys.digest_key(
        prefix="p",
        organization="",
        place=HOME,
        trail=make_trail().name,
        home_region=HOME.region,
        end=times.from_iso(end),
    )
    made = Head(bucket=BUCKET, key=key, sha256="00", signature="11", chain_id=chain().id, end=end)
    return msgspec.structs.replace(made, **changes)


def test_a_chain_that_the_ledger_lost_is_looked_at_by_its_anchor() -> None:
    head = anchored("2026-01-12T02:00:00Z")

    ((found, evidence),) = due_chains([], [make_trail()], anchored=[head], now=NOW, hours=26)

    assert (found.bucket, found.prefix, found.chain_id) == (BUCKET, "p", chain().id)
    assert evidence.head == head


def test_a_ledger_that_was_moved_back_is_told_and_the_anchor_believed() -> None:
    head = anchored("2026-01-12T02:00:00Z")
    moved_back = chain(ended=True, end="2026-01-10T01:00:00Z")
    stopped = make_trail(logging=False)

    due = due_chains([moved_back], [stopped], anchored=[head], now=NOW, hours=26)
    found = behind_findings([moved_back], [head], chain().id)

    assert [evidence.head for _, evidence in due] == [head]
    assert [(finding.key, finding.problem) for finding in found] == [(head.key, Problem.LEDGER_BEHIND)]


@pytest.mark.parametrize("end", ["2026-01-12T02:00:00Z", "2026-01-12T01:00:00Z"])
def test_an_anchor_that_is_as_far_as_the_ledger_or_about_to_be_tells_nothing(end: str) -> None:
    late = anchored(end, backfill=True)
    ledger = [chain(backfill_end="2026-01-12T02:00:00Z")]

    assert behind_findings(ledger, [anchored(end), late], chain().id) == []


@pytest.mark.parametrize(
    ("changes", "trail", "looked_at"),
    [
        ({}, {}, 1),
        ({"place": Place("123456789012", "eu-west-1")}, {"started_at": NOW.timestamp()}, 1),
        ({}, {"log_file_validation": False}, 0),
        ({"trail_arn": make_trail(name="gone").arn}, {"logging": False}, 0),
        ({"head": None, "end": "", "started_at": NOW.timestamp() - 600}, {"started_at": NOW.timestamp()}, 0),
        ({"head": None, "end": "", "started_at": 1.0}, {}, 1),
        ({"ended": True}, {"logging": False}, 1),
        ({"ended": True, "end": "2026-01-10T00:00:00Z"}, {"logging": False}, 0),
        ({"ended": True, "end": "2026-01-10T00:00:00Z"}, {}, 1),
    ],
)
def test_which_chains_are_due(changes: dict[str, Any], trail: dict[str, Any], looked_at: int) -> None:
    assert len(due_chains([chain(**changes)], [make_trail(**trail)], now=NOW, hours=26)) == looked_at


def test_a_trail_that_should_have_digests_and_has_no_chain_is_looked_at() -> None:
    old = make_trail(started_at=1.0, validation_since=1.0)
    young = make_trail(name="young", started_at=NOW.timestamp() - 60, validation_since=1.0)

    found = due_chains([], [old, young], now=NOW, hours=26)

    assert [one.trail_arn for one, _ in found] == [old.arn]


@pytest.mark.parametrize(
    ("found", "more", "outcome"),
    [
        (report(), (), Outcome.PROVEN),
        (report(FINDING), (), Outcome.FINDINGS),
        (report(), (FINDING,), Outcome.FINDINGS),
        (report(digests=0), (), Outcome.UNCHECKED),
    ],
)
def test_the_outcome_of_a_chain(found: Report, more: tuple[Finding, ...], outcome: Outcome) -> None:
    assert judge(span(), found, more).outcome is outcome


def test_an_event_carries_some_findings_and_the_number_of_all() -> None:
    verdict = judge(span(), report(*[FINDING] * 1000))

    told = msgspec.json.decode(msgspec.json.encode(verdict))
    assert (told["findingCount"], len(told["findings"])) == (1000, MAX_FINDINGS)


def test_a_message_begins_with_the_worst() -> None:
    subject, text = summarize([judge(span(), report()), judge(span(), report(FINDING))])

    assert subject == "OpenTrail: 1 of 2 digest chains proven, findings in 1"
    assert [line.partition("\t")[0].strip() for line in text.splitlines()] == [
        "FINDINGS",
        "Log file",
        "PROVEN",
    ]


@pytest.mark.parametrize(
    ("mode", "held", "days_held", "retained"),
    [
        ("GOVERNANCE", "GOVERNANCE", 30, True),
        ("GOVERNANCE", "COMPLIANCE", 30, True),
        ("COMPLIANCE", "GOVERNANCE", 30, False),
        ("COMPLIANCE", "COMPLIANCE", 29.9, False),
        ("COMPLIANCE", "COMPLIANCE", 300, True),
        ("GOVERNANCE", "", None, False),
    ],
)
def test_an_object_is_held_as_long_and_as_strictly_as_the_option_says(
    mode: str, held: str, days_held: float | None, retained: bool
) -> None:
    until = None if days_held is None else NOW + timedelta(days=days_held)
    found = Retained(bucket=BUCKET, key="k", stored_at=NOW, mode=held, until=until)

    assert is_retained(found, mode=mode, days=30) is retained


def test_the_folders_of_a_spans_days() -> None:
    folders = list(day_folders(span()))

    root = f"p/AWSLogs/o-abcdefghij/{HOME.account}"
    kinds = ("CloudTrail-Digest", "CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity")
    days = ("2026/01/11", "2026/01/12")
    assert folders == [f"{root}/{kind}/{HOME.region}/{day}/" for kind in kinds for day in days]
