"""Files that no digest speaks for: found where digests were made, noted where none were."""

from __future__ import annotations

import copy
from datetime import timedelta

from opentrail.model.report import Kind, Problem
from opentrail.pipeline.validate import prove
from tests.support.tampering import ACCOUNT, HOUR, REGION, START, World, digest_name, make_world, pack

GENUINE = make_world()


def insight_file(world: World) -> str:
    key = (
        f"AWSLogs/{ACCOUNT}/CloudTrail-Insight/{REGION}/2026/01/10/"
        f"{ACCOUNT}_CloudTrail-Insight_{REGION}_20260110T0210Z_AAAAAAAAAAAAAAAA.json.gz"
    )
    world.objects[key] = pack(b'{"Records":[]}'), {}
    return key


def test_a_trail_that_digests_no_insights_is_not_asked_for_them() -> None:
    world = copy.deepcopy(GENUINE)
    insight_file(world)

    assert prove(world, world, world.span()).findings == ()


def test_a_trail_that_digests_insights_must_list_every_one() -> None:
    world = copy.deepcopy(GENUINE)
    listed = insight_file(world)
    newest = world.digests[-1]
    world.resign(
        newest, lambda d: d["logFiles"].append(world.listing(listed, START + 7 * HOUR, START + 8 * HOUR))
    )
    added = listed.replace("0210Z_A", "0215Z_B")
    world.objects[added] = world.objects[listed]

    findings = prove(world, world, world.span()).findings
    assert [(f.problem, f.key) for f in findings if f.kind is Kind.LOG] == [(Problem.NOT_LISTED, added)]


def test_files_of_a_time_without_digests_are_noted() -> None:
    world = copy.deepcopy(GENUINE)
    for key in world.digests[5:]:
        del world.objects[key]
    end = START + 8 * HOUR
    world.add_digest(digest_name(end), START + 7 * HOUR, end, world.logs[7], None)

    notes = prove(world, world, world.span()).notes

    assert notes[-1] == (
        "5 log files came between 2026-01-10T05:01:31Z and 2026-01-10T07:01:31Z, when no digests were made"
    )


def test_files_of_a_region_without_any_digest_are_noted() -> None:
    world = World(windows=GENUINE.windows)
    world.put_log(START + timedelta(minutes=10), "F")

    report = prove(world, world, world.span())

    assert (report.proven, report.notes) == (
        False,
        ("1 log files of us-east-1 are in no digest: it has none",),
    )
