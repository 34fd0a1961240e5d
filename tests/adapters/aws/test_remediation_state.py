"""Remediation's table: who handles an event, how often, and what things were like before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opentrail.adapters.aws.own_events import OwnEvents
from opentrail.adapters.aws.remediation import DecisionLine, DynamoRemediation
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.branches.remediation import Decision, Engine, Outcome, Target
from opentrail.branches.remediation.decision import decide
from opentrail.branches.remediation.ports import Claim, Kept
from opentrail.errors import StorageError
from opentrail.format.envelope import parse_envelope
from opentrail.model.event import Place
from tests.support.aws import make_queue, make_table, take_all
from tests.unit.remediation.fakes import (
    ACCOUNT,
    NOW,
    REGION,
    SWITCH,
    House,
    Memory,
    engine,
    event,
    later,
    switch_of,
)

TARGET = Target(name="lamp", arn="arn:lamp", type="Test::Switch", account=ACCOUNT, region=REGION)
KEPT = Kept("switch", TARGET, {"level": 7}, undone=False)


@pytest.fixture
def state(clients: Callable[[str], Any]) -> DynamoRemediation:
    table = make_table(clients)
    return DynamoRemediation(clients("dynamodb"), table, lease_seconds=120, keep_days=90)


def decision(outcome: Outcome = Outcome.ACTED, minutes: float = 0) -> Decision:
    record = event()
    return decide(SWITCH, record, outcome, target=switch_of(record), mode="enforce", now=later(minutes))


def test_one_run_has_an_event_until_its_lease_ends(state: DynamoRemediation) -> None:
    claims = [state.claim("e1", "switch", later(minutes)) for minutes in (0, 1, 2, 3, 4)]

    assert claims == [Claim.OURS, Claim.BUSY, Claim.BUSY, Claim.RESUMED, Claim.BUSY]


def test_a_run_that_gives_an_event_back_lets_the_next_have_it_at_once(state: DynamoRemediation) -> None:
    state.claim("e1", "switch", NOW)
    state.release("e1", "switch", NOW)

    assert state.claim("e1", "switch", NOW) is Claim.RESUMED


def test_a_decision_nobody_could_be_told_is_told_by_lambdas_first_retry(state: DynamoRemediation) -> None:
    class Unreachable(Memory):
        def tell(self, decision: Decision) -> None:
            raise StorageError("the queue does not answer")

    house, heard = House(), Memory()

    def armed(reports: Memory) -> Engine:
        return replace(engine(house, reports), claims=state, limits=state, undo_log=state)

    with pytest.raises(StorageError, match="does not answer"):
        armed(Unreachable()).handle(event(), NOW)

    armed(heard).handle(event(), later(1))

    assert [told.outcome for told in heard.told] == [Outcome.ACTED]
    assert house.done == ["lamp"]


def test_playbooks_claim_the_same_event_each_for_itself(state: DynamoRemediation) -> None:
    assert [state.claim("e1", name, NOW) for name in ("switch", "alarm")] == [Claim.OURS, Claim.OURS]


@pytest.mark.parametrize(("final", "claim"), [(True, Claim.TAKEN), (False, Claim.RESUMED)])
def test_a_decided_event_is_never_claimed_again_a_failed_one_is(
    state: DynamoRemediation, final: bool, claim: Claim
) -> None:
    state.claim("e1", "switch", NOW)
    state.settle(decision(), final=final)

    assert state.claim("e1", "switch", NOW + timedelta(days=1)) is claim


def test_so_many_acts_an_hour(state: DynamoRemediation) -> None:
    taken = [state.take("switch", limit=2, now=NOW) for _ in range(3)]

    assert taken == [True, True, False]
    assert state.take("switch", limit=2, now=later(60))
    assert state.take("alarm", limit=2, now=NOW)


def test_failures_in_a_row_are_counted_until_a_success(state: DynamoRemediation) -> None:
    for minute in (0, 5):
        state.note("switch", failed=True, now=later(minute))
    counted = state.failures("switch")
    state.note("switch", failed=False, now=later(6))

    assert counted == (2, later(5))
    assert state.failures("switch") == (0, None)


def test_the_first_memory_of_a_resource_is_the_true_one(state: DynamoRemediation) -> None:
    state.keep("d1", KEPT, NOW)
    state.keep("d1", KEPT._replace(before={"level": 0}), NOW)

    assert state.read("d1") == KEPT


def test_what_was_undone_is_remembered(state: DynamoRemediation) -> None:
    state.keep("d1", KEPT, NOW)

    state.mark_undone("d1")

    assert state.read("d1") == KEPT._replace(undone=True)
    assert state.read("d2") is None


def test_the_newest_decisions_come_first(state: DynamoRemediation) -> None:
    state.settle(decision(Outcome.WOULD_ACT), final=True)
    state.settle(decision(Outcome.ACTED, minutes=1), final=True)

    assert [d["outcome"] for d in state.decisions(10)] == ["acted", "would-act"]
    assert [d["outcome"] for d in state.decisions(1)] == ["acted"]


def test_a_table_that_is_gone_is_a_storage_error(clients: Callable[[str], Any]) -> None:
    state = DynamoRemediation(clients("dynamodb"), "gone", lease_seconds=1, keep_days=1)

    with pytest.raises(StorageError, match="gone"):
        state.claim("e1", "switch", NOW)


def test_a_decision_goes_to_the_line_as_a_record_the_line_takes(clients: Callable[[str], Any]) -> None:
    queue = make_queue(clients)
    line = DecisionLine(OwnEvents(SqsQueue(clients("sqs"), queue), clients("events"), Place(ACCOUNT, REGION)))

    line.tell(replace(decision(), problem="lamp is on – still"))

    (message,) = take_all(clients, queue)
    read = parse_envelope(message["Body"], arrived_at=0.0)
    assert (read.event_id, read.source, read.name) == (decision().id, "opentrail", "RemediationActed")
    assert (read.place.account, read.place.region) == (ACCOUNT, REGION)
    record = json.loads(read.raw)
    assert (record["eventType"], record["readOnly"]) == ("AwsServiceEvent", False)
    assert record["serviceEventDetails"]["problem"] == "lamp is on – still"
    assert record["serviceEventDetails"]["changedBy"].endswith("user/mallory")


def test_a_bus_that_refuses_a_decision_is_a_storage_error(clients: Callable[[str], Any]) -> None:
    class Refusing:
        def put_events(self, **_: Any) -> dict[str, Any]:
            return {"Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "later"}]}

    queue = SqsQueue(clients("sqs"), make_queue(clients))
    line = DecisionLine(OwnEvents(queue, Refusing(), Place(ACCOUNT, REGION)))

    with pytest.raises(StorageError, match="later"):
        line.tell(decision())
