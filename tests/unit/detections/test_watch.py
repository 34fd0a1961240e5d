"""Event -> finding: judged by one rule, told once, and never about itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from opentrail.branches.detections import Detection, Finding
from opentrail.branches.detections.finding import DETAIL_TYPE, finding_id, to_record
from opentrail.branches.detections.predicate import Text
from opentrail.branches.detections.watch import Verdict, Watch, armed
from opentrail.errors import SettingsError, StorageError
from opentrail.model.event import Place
from tests.support.own_events import problems
from tests.support.records import ACCOUNT, REGION, make_record

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/OpenTrail-detections-{REGION}"
DETECTION = Detection(
    id="0b9e7c52-6b0b-4b0e-9d55-6b2f5b3b1a01",
    title="A user made",
    level="high",
    status="test",
    description="Somebody is new.",
    tags=("attack.t1136",),
    references=("https://example.com",),
    falsepositives=("Hiring",),
    condition=Text("eventName", "CreateUser"),
)


@dataclass
class Memory:
    """Findings that were told, in memory."""

    told: list[Finding] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)

    def was_told(self, finding_id: str) -> bool:
        """Is it noted?"""
        return finding_id in self.noted

    def note(self, finding: Finding) -> None:
        """Note it."""
        self.noted.add(finding.id)

    def tell(self, finding: Finding) -> None:
        """Hear it."""
        self.told.append(finding)


def watch(memory: Memory) -> Watch:
    """One rule, armed."""
    return Watch(
        rules=armed({DETECTION.id: DETECTION}),
        own_roles=[ROLE],
        home=Place(ACCOUNT, REGION),
        told=memory,
        outlet=memory,
    )


def judge(memory: Memory, event: dict[str, Any]) -> Verdict:
    """Judge an event by the rule."""
    verdict, _ = watch(memory).handle(DETECTION.id, event, NOW)
    return verdict


def test_what_matches_is_told() -> None:
    memory, event = Memory(), make_record(eventName="CreateUser", awsRegion="eu-west-1")

    assert judge(memory, event) is Verdict.FOUND

    (finding,) = memory.told
    assert finding.id == finding_id(DETECTION.id, event["eventID"])
    assert finding.place == Place(ACCOUNT, "eu-west-1")


def test_what_does_not_match_is_not_told_whatever_the_pattern_let_through() -> None:
    memory = Memory()

    assert judge(memory, make_record(eventName="DeleteUser")) is Verdict.NO_MATCH
    assert memory.told == []


def test_the_same_event_is_told_once() -> None:
    memory, event = Memory(), make_record(eventName="CreateUser")

    assert [judge(memory, event), judge(memory, event)] == [Verdict.FOUND, Verdict.TOLD_BEFORE]
    assert len(memory.told) == 1


def test_a_finding_that_could_not_be_told_is_told_by_the_retry() -> None:
    class Deaf(Memory):
        def tell(self, finding: Finding) -> None:
            raise StorageError("later")

    deaf, event = Deaf(), make_record(eventName="CreateUser")
    with pytest.raises(StorageError):
        judge(deaf, event)

    assert deaf.noted == set()


def test_its_own_calls_are_not_found() -> None:
    memory = Memory()
    own = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": ROLE}}}

    assert judge(memory, make_record(eventName="CreateUser", userIdentity=own)) is Verdict.OWN_CALL
    assert memory.told == []


def test_an_event_without_id_has_no_finding() -> None:
    assert judge(Memory(), make_record(eventName="CreateUser", eventID=None)) is Verdict.NO_EVENT_ID


def test_a_rule_nobody_deployed_is_an_error() -> None:
    with pytest.raises(SettingsError, match="there is no detection x"):
        watch(Memory()).handle("x", make_record(), NOW)


def test_the_record_of_a_finding_has_what_the_page_says_and_all_of_the_rule() -> None:
    memory = Memory()
    event = make_record(eventName="CreateUser", errorCode="AccessDenied")
    judge(memory, event)

    record = json.loads(to_record(memory.told[0]))

    assert problems({"source": "opentrail", "detail-type": DETAIL_TYPE, "detail": record}) == []
    assert record["serviceEventDetails"] == {
        "findingId": record["eventID"],
        "ruleId": DETECTION.id,
        "title": "A user made",
        "level": "high",
        "status": "test",
        "description": "Somebody is new.",
        "tags": ["attack.t1136"],
        "references": ["https://example.com"],
        "falsePositives": ["Hiring"],
        "madeBy": event["userIdentity"]["arn"],
        "sourceEventId": event["eventID"],
        "sourceEventTime": event["eventTime"],
        "sourceEventSource": "iam.amazonaws.com",
        "sourceEventName": "CreateUser",
        "sourceErrorCode": "AccessDenied",
        "sourceAddress": "192.0.2.1",
    }
