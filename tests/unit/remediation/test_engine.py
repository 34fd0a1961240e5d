"""What the engine decides, and that it does nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from opentrail.branches.remediation import Guard, Outcome
from opentrail.branches.remediation.decision import DETAIL_TYPE, decision_id, to_record
from opentrail.errors import StorageError
from tests.support import own_events
from tests.unit.remediation.fakes import (
    ALARM,
    NOW,
    ROLE,
    SWITCH,
    House,
    Memory,
    by_role,
    engine,
    event,
    later,
)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_a_danger_is_ended_and_told(house: House, memory: Memory) -> None:
    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, decision.problem) == (Outcome.ACTED, "lamp is on")
    assert house.levels == {"lamp": 0}
    assert memory.told == [decision]


def test_a_decision_has_the_members_the_page_lists(house: House, memory: Memory) -> None:
    first = engine(house, memory).handle(event(), NOW)
    again = engine(house, memory).handle(event(), NOW)

    for decision in (first, again):
        detail = json.loads(to_record(decision, account="111122223333", region="us-east-1"))
        told = {"source": "opentrail", "detail-type": DETAIL_TYPE, "detail": detail}
        assert own_events.problems(told) == []


def test_observing_changes_nothing(house: House, memory: Memory) -> None:
    decision = engine(house, memory, guard=Guard()).handle(event(), NOW)

    assert (decision.outcome, decision.mode) == (Outcome.WOULD_ACT, "observe")
    assert house.done == []


def test_what_the_resource_is_like_now_counts_and_not_what_the_event_says(memory: Memory) -> None:
    house = House(levels={"lamp": 0})

    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "the resource is not in danger")
    assert house.done == []


def test_the_same_event_twice_is_handled_once(house: House, memory: Memory) -> None:
    engine(house, memory).handle(event(), NOW)
    house.levels["lamp"] = 7

    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "the event was handled already")
    assert house.levels == {"lamp": 7}


def test_a_resource_that_is_gone_needs_nothing(memory: Memory) -> None:
    decision = engine(House(levels={}), memory).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "the resource is gone")


@pytest.mark.parametrize("method", ["get", "set"])
def test_a_missing_permission_is_a_failure_no_retry_mends(memory: Memory, method: str) -> None:
    house = House(denied=(method,))

    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.FAILED, f"{method}: AccessDenied")
    assert not decision.transient
    assert memory.claims == {("e1", "switch"): "decided"}


def test_an_api_that_does_not_answer_may_be_asked_again(memory: Memory) -> None:
    house = House(denied=("set",), code="ThrottlingException")

    first = engine(house, memory).handle(event(), NOW)
    house.denied = ()
    second = engine(house, memory).handle(event(), NOW)

    assert (first.outcome, first.transient) == (Outcome.FAILED, True)
    assert second.outcome is Outcome.ACTED


def test_a_run_that_died_after_its_fix_is_still_told_as_one_that_acted(house: House, memory: Memory) -> None:
    class Unreachable(Memory):
        def tell(self, decision: object) -> None:
            raise StorageError("the queue does not answer")

    unreachable = Unreachable()
    with pytest.raises(StorageError):
        engine(house, unreachable).handle(event(), NOW)
    memory.claims, memory.kept = unreachable.claims, unreachable.kept

    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, house.done) == (Outcome.ACTED, ["lamp"])


def test_what_another_run_is_at_is_left_to_a_retry(house: House, memory: Memory) -> None:
    memory.claim("e1", "switch", NOW)  # and vanished, perhaps

    with pytest.raises(StorageError, match="another run is at it"):
        engine(house, memory).handle(event(), NOW)

    assert (memory.told, house.done) == ([], [])


def test_a_fix_that_does_not_help_is_a_failure_and_not_tried_again(memory: Memory) -> None:
    decision = engine(House(stuck=True), memory).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.FAILED, "after the fix: lamp is on")
    assert not decision.transient


@pytest.mark.parametrize("part", ["target", "check", "fix", "tags"])
def test_a_bug_of_a_playbook_is_a_failure_that_is_told(house: House, memory: Memory, part: str) -> None:
    def wrong(*_: object) -> None:
        raise KeyError("SecurityGroups")

    changed: dict[str, Any] = {part: wrong}

    decision = engine(house, memory, playbook=replace(SWITCH, **changed)).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.FAILED, "KeyError: 'SecurityGroups'")
    assert decision.transient
    assert memory.told == [decision]


def test_a_fix_of_a_run_that_died_counts_as_a_success(house: House, memory: Memory) -> None:
    house.denied, house.code = ("set",), "ThrottlingException"
    engine(house, memory).handle(event(), NOW)
    house.levels["lamp"] = 0  # the call was carried out after all

    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, memory.breaker) == (Outcome.ACTED, (0, None))


def test_a_playbook_without_a_fix_only_tells(house: House, memory: Memory) -> None:
    decision = engine(house, memory, playbook=ALARM).handle(event(), NOW)

    assert (decision.outcome, house.done) == (Outcome.ALERTED, [])


@pytest.mark.parametrize("value", ["except", "other switch"])
def test_a_tag_excepts_the_resource(memory: Memory, value: str) -> None:
    house = House(tags={"opentrail-remediation": value})

    decision = engine(house, memory).handle(event(), NOW)

    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "a tag of the resource excepts it")
    assert house.done == []


def test_a_tag_for_other_playbooks_does_not(memory: Memory) -> None:
    house = House(tags={"opentrail-remediation": "other"})

    assert engine(house, memory).handle(event(), NOW).outcome is Outcome.ACTED


def test_its_own_changes_are_left_alone(house: House, memory: Memory) -> None:
    decision = engine(house, memory).handle(event(userIdentity=by_role(ROLE)), NOW)

    assert (decision.reason, house.done) == ("it is a change of OpenTrail's own", [])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (event(switch=""), "the event names no resource"),
        (event(awsRegion="eu-west-1"), "it happened in another account or Region"),
        (event(recipientAccountId="999999999999"), "it happened in another account or Region"),
        (event(id_=""), "the event has no eventID"),
    ],
)
def test_what_it_cannot_judge_it_leaves_alone(
    house: House, memory: Memory, record: dict[str, object], reason: str
) -> None:
    decision = engine(house, memory).handle(record, NOW)

    assert (decision.outcome, decision.reason, house.done) == (Outcome.SKIPPED, reason, [])
    assert memory.told == [decision]


def test_a_playbook_acts_so_often_in_an_hour_and_no_more(memory: Memory) -> None:
    house = House(levels={"a": 1, "b": 1, "c": 1})
    armed = engine(house, memory, acts_per_hour=2)

    reasons = [armed.handle(event(name, switch=name), NOW).reason for name in "abc"]

    assert reasons == ["", "", "the playbook acted 2 times within this hour"]
    assert house.levels == {"a": 0, "b": 0, "c": 1}


def test_nobody_is_fought_over_one_resource_for_ever(house: House, memory: Memory) -> None:
    armed = engine(house, memory, acts_per_resource=2)
    reasons = []
    for id_ in ("e1", "e2", "e3"):
        house.levels["lamp"] = 7
        reasons.append(armed.handle(event(id_), NOW).reason)

    assert reasons == ["", "", "the resource was fixed 2 times within this hour"]


def test_after_three_failures_the_breaker_opens_and_closes_again(memory: Memory) -> None:
    house = House(denied=("set",))
    armed = engine(house, memory)
    for number in range(3):
        armed.handle(event(f"e{number}"), NOW)
    house.denied = ()

    open_, closed = armed.handle(event("e3"), later(14)), armed.handle(event("e4"), later(15))

    assert open_.reason == "the circuit breaker is open after 3 failures in a row"
    assert closed.outcome is Outcome.ACTED
    assert memory.breaker == (0, None)


def test_a_fix_can_be_undone_once(house: House, memory: Memory) -> None:
    armed = engine(house, memory)
    acted = armed.handle(event(), NOW)

    undone, again = armed.undo(acted.id, "arn:alice", later(1)), armed.undo(acted.id, "arn:alice", later(2))

    assert (undone.outcome, undone.principal) == (Outcome.UNDONE, "arn:alice")
    assert house.levels == {"lamp": 7}
    assert again.reason == "it was undone already"


def test_only_what_was_done_can_be_undone(house: House, memory: Memory) -> None:
    with pytest.raises(StorageError, match="nothing is kept"):
        engine(house, memory).undo("nothing", "arn:alice", NOW)


def test_a_decision_keeps_its_id() -> None:
    first = decision_id("e1", "switch", Outcome.ACTED)

    assert first == decision_id("e1", "switch", Outcome.ACTED)
    assert first not in (
        decision_id("e1", "switch", Outcome.FAILED),
        decision_id("e2", "switch", Outcome.ACTED),
    )
