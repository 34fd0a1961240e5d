"""Every attack is found, by name and key, alone and with any other; an untouched trail proves."""

from __future__ import annotations

import copy

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opentrail.model.report import Problem, Report
from opentrail.pipeline.validate import Evidence, prove
from tests.support.tampering import ATTACKS, World, make_world

GENUINE = make_world()


def report_on(world: World) -> Report:
    evidence = Evidence(head=world.head, anchored=tuple(world.anchored))
    return prove(world, world, world.span(), evidence=evidence)


def test_an_untouched_trail_is_proven() -> None:
    report = report_on(copy.deepcopy(GENUINE))

    assert report.proven
    assert (report.digests, report.digests_valid) == (8, 8)
    assert (report.backfill_digests, report.backfill_digests_valid) == (2, 2)
    assert (report.logs, report.logs_valid) == (16, 16)
    assert (report.tree_heads, report.tree_heads_valid) == (10, 10)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_found_when(name: str) -> None:
    world = copy.deepcopy(GENUINE)

    problem, key = ATTACKS[name].run(world)

    assert (problem, key) in [(found.problem, found.key) for found in report_on(world).findings]


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if "ledger" in attack.needs])
def test_the_ledgers_own_head_does_not_tell_that(name: str) -> None:
    world = copy.deepcopy(GENUINE)

    problem, key = ATTACKS[name].run(world)

    report = prove(world, world, world.span(), evidence=Evidence(head=world.head))
    assert (problem, key) not in [(found.problem, found.key) for found in report.findings]


def disturbs(one: str, two: str) -> bool:
    both = ATTACKS[one].touches, ATTACKS[two].touches
    return bool(both[0] & both[1]) or any("everything" in touched for touched in both)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(ATTACKS)), st.sampled_from(sorted(ATTACKS)))
def test_two_at_once_are_both_found(one: str, two: str) -> None:
    assume(not disturbs(one, two))
    world = copy.deepcopy(GENUINE)

    expected = {ATTACKS[one].run(world), ATTACKS[two].run(world)}

    assert expected <= {(found.problem, found.key) for found in report_on(world).findings}


def test_each_of_several_missing_digests_is_named() -> None:
    world = copy.deepcopy(GENUINE)
    for number in (1, 2, 3, 4):
        del world.objects[world.digests[number]]

    missing = [found.key for found in report_on(world).findings if found.problem == "not found"]

    assert missing == world.digests[1:5]


def test_a_cut_tail_names_each_digest_up_to_the_head() -> None:
    world = copy.deepcopy(GENUINE)
    for key in world.digests[5:]:
        del world.objects[key]

    missing = [found.key for found in report_on(world).findings if found.problem == "not found"]

    assert missing == world.digests[5:]


def test_what_lies_before_an_anchored_digest_is_as_good_as_anchored() -> None:
    world = copy.deepcopy(GENUINE)
    world.anchored = [head for head in world.anchored if head.key in (world.digests[0], world.digests[-1])]

    assert report_on(world).findings == ()


def test_a_digest_that_no_anchored_one_leads_to_is_a_stranger() -> None:
    world = copy.deepcopy(GENUINE)
    world.anchored = [head for head in world.anchored if head.key != world.digests[3]]
    world.resign(world.digests[4], lambda d: d.update(previousDigestS3Object=world.digests[2]))

    found = {(finding.problem, finding.key) for finding in report_on(world).findings}

    assert (Problem.NOT_ANCHORED, world.digests[3]) in found


def test_a_digest_newer_than_every_anchored_one_may_be_about_to_be() -> None:
    world = copy.deepcopy(GENUINE)
    world.anchored = [head for head in world.anchored if head.key != world.digests[-1]]

    assert report_on(world).findings == ()
