"""Every playbook, by the dangerous call: record, bus, rule, function, live resource, decision."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from opentrail.branches.remediation import Outcome
from opentrail.branches.remediation.catalog import built_in
from opentrail.branches.remediation.decision import decision_id
from opentrail.testing.world import OpenTrail
from tests.remediation.case import Case
from tests.remediation.cases import CASES
from tests.remediation.playbook import NOW, Deployed, Refusing, Throttled

_words = (f"t{number}" for number in count())
OBSERVE = {"mode": "observe"}
# The others' calls are about the account and name no resource.
NAMING = [case for case in CASES if case.playbook not in ("password-policy", "ebs-encryption")]


every_case = pytest.mark.parametrize("case", CASES, ids=[case.playbook for case in CASES])


def endangered(aws: OpenTrail, case: Case) -> tuple[str, dict[str, Any]]:
    """A resource somebody made dangerous, and the record of that."""
    with nullcontext() if case.recorded else aws.runtime.unrecorded():
        name = case.make(aws, next(_words))
    case.endanger(aws, name)
    assert case.is_dangerous(aws, name)
    (record,) = aws.events(pattern=built_in()[case.playbook].pattern)
    return name, record


@every_case
def test_enforced_the_danger_is_over_and_the_trail_says_so(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)

    aws.flush()

    assert not case.is_dangerous(aws, name)
    (decision,) = (
        d for d in Deployed(aws, case.playbook).decisions() if d["sourceEventId"] == record["eventID"]
    )
    assert (decision["outcome"], decision["changedBy"]) == ("acted", record["userIdentity"]["arn"])


@pytest.mark.parametrize("case", NAMING, ids=lambda case: case.playbook)
def test_the_call_and_the_decision_are_found_by_the_resources_name(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)

    aws.flush()

    acted = decision_id(record["eventID"], case.playbook, Outcome.ACTED)
    assert {record["eventID"], acted} <= set(Deployed(aws, case.playbook).found_by(name))


@every_case
def test_observed_nothing_happens(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)

    decision = Deployed(aws, case.playbook).handle(record, **OBSERVE)

    assert decision.outcome is Outcome.WOULD_ACT
    assert decision.problem
    assert case.is_dangerous(aws, name)


@every_case
def test_an_exempt_principal_may(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)

    decision = Deployed(aws, case.playbook).handle(record, exempt=(record["userIdentity"]["arn"],))

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "the caller is exempt")
    assert case.is_dangerous(aws, name)


@pytest.mark.parametrize("case", [case for case in CASES if case.tag], ids=lambda case: case.playbook)
def test_a_tag_excepts_a_resource(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)
    assert case.tag is not None
    case.tag(aws, name)

    decision = Deployed(aws, case.playbook).handle(record)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "a tag of the resource excepts it")
    assert case.is_dangerous(aws, name)


@every_case
def test_a_duplicate_event_does_nothing(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)
    deployed = Deployed(aws, case.playbook)
    deployed.handle(record, **OBSERVE)

    decision = deployed.handle(record)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "the event was handled already")
    assert case.is_dangerous(aws, name)


@pytest.mark.parametrize("case", [case for case in CASES if case.remove], ids=lambda case: case.playbook)
def test_a_resource_that_is_gone_needs_nothing(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)
    assert case.remove is not None
    case.remove(aws, name)

    decision = Deployed(aws, case.playbook).handle(record)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "the resource is gone")


@every_case
def test_without_permission_it_fails_and_says_so(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)
    engine = Deployed(aws, case.playbook).engine()
    refused = Refusing(engine.cloud)

    decision = replace(engine, cloud=refused).handle(record, NOW)

    assert (decision.outcome, decision.transient) == (Outcome.FAILED, False)
    assert decision.reason.endswith("AccessDenied")
    assert case.is_dangerous(aws, name)


@every_case
def test_undone_it_is_as_before_and_stays_so(aws: OpenTrail, case: Case) -> None:
    name, record = endangered(aws, case)
    aws.flush()
    assert not case.is_dangerous(aws, name)

    undone = Deployed(aws, case.playbook).undo(decision_id(record["eventID"], case.playbook, Outcome.ACTED))
    aws.flush()

    assert (undone["outcome"], undone["changedBy"]) == ("undone", "alice")
    assert case.is_dangerous(aws, name)


def test_a_trail_whose_fix_broke_off_half_way_is_started_by_the_retry(aws: OpenTrail) -> None:
    name, record = endangered(aws, next(case for case in CASES if case.playbook == "trail-deleted"))
    engine = Deployed(aws, "trail-deleted").engine()

    broken = replace(engine, cloud=Throttled(engine.cloud, "start_logging")).handle(record, NOW)
    retried = engine.handle(record, NOW)

    assert (broken.outcome, broken.transient) == (Outcome.FAILED, True)
    assert retried.outcome is Outcome.ACTED
    assert aws.client("cloudtrail").get_trail_status(Name=name)["IsLogging"]
