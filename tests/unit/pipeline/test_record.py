"""Messages -> events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opentrail.pipeline.record import Message, accept_messages
from tests.support.records import ACCOUNT, envelope, make_record, to_bytes

OWN = f"arn:aws:iam::{ACCOUNT}:role/opentrail-deliver"


def message(body: str, number: int = 0) -> Message:
    return Message(f"m{number}", body, 1768018831.5)


def by_role(arn: str) -> str:
    identity = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": arn}}}
    return envelope(to_bytes(make_record(userIdentity=identity)))


def test_an_event_arrived_when_the_queue_took_it() -> None:
    accepted = accept_messages([message(envelope(to_bytes(make_record())))], own_roles=())

    assert [event.arrived_at for event in accepted.events] == [1768018831.5]


def test_an_unreadable_message_is_set_aside_with_its_reason_and_harms_no_other() -> None:
    bad = message("{", 1)

    accepted = accept_messages([bad, message(envelope(to_bytes(make_record())), 2)], own_roles=())

    assert [rejected.message for rejected in accepted.rejected] == [bad]
    assert accepted.rejected[0].reason.startswith("message is not an EventBridge event")
    assert len(accepted.events) == 1


def test_calls_of_our_own_roles_are_left_out_and_counted() -> None:
    accepted = accept_messages([message(by_role(OWN)), message(by_role(OWN + "2"))], own_roles=[OWN])

    assert (accepted.own, len(accepted.events)) == (1, 1)


def test_a_caller_without_a_role_is_never_our_own() -> None:
    body = envelope(to_bytes(make_record(userIdentity=None)))

    accepted = accept_messages([message(body)], own_roles=[""])

    assert (accepted.own, len(accepted.events)) == (0, 1)


KINDS = {
    "event": envelope(to_bytes(make_record())),
    "own": by_role(OWN),
    "rejected": "[]",
}


@given(kinds=st.lists(st.sampled_from(list(KINDS)), max_size=20))
def test_every_message_ends_in_exactly_one_place(kinds: list[str]) -> None:
    messages = [message(KINDS[kind], number) for number, kind in enumerate(kinds)]

    accepted = accept_messages(messages, own_roles=[OWN])

    counts = (len(accepted.events), accepted.own, len(accepted.rejected))
    assert counts == (kinds.count("event"), kinds.count("own"), kinds.count("rejected"))
