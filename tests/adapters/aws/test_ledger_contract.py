"""What deliver and digest rely on in a ledger; the tests' own double and DynamoDB keep it alike."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.errors import ConflictError
from opentrail.model.digest import Chain, Link, SealedDigest
from opentrail.model.event import Place
from opentrail.model.log_file import HISTORY, Destination, FileRow, FileState
from opentrail.pipeline.deliver import Intent
from opentrail.pipeline.deliver.deliver import file_id
from tests.support.aws import Clients, make_table
from tests.support.fakes import FakeLedger, describe
from tests.support.values import ABROAD, BUCKET, HOME, START, make_destination, make_log_file

TRAIL = make_destination()
CHAIN = f"{TRAIL.name}#{HOME.account}#{HOME.region}"

AnyLedger = FakeLedger | DynamoLedger


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest, clients: Clients) -> AnyLedger:
    return FakeLedger() if request.param == "fake" else in_dynamodb(clients)


def in_dynamodb(clients: Clients) -> DynamoLedger:
    return DynamoLedger(
        clients("dynamodb"), make_table(clients), history_table=make_table(clients), history_seconds=60
    )


def make_intent(
    token: str = "t",
    *claims: str,
    destination: Destination = TRAIL,
    place: Place = HOME,
    seconds: float = 0.0,
    reclaimed: dict[str, str] | None = None,
) -> Intent:
    """A file that takes ``claims``, begun so many seconds after ``START``."""
    moment = START.timestamp() + seconds
    created = START.fromtimestamp(moment, START.tzinfo)
    file = make_log_file(token, created_at=moment)
    return Intent(
        id=file_id(destination, place, created, token),
        destination=destination,
        place=place,
        file=file,
        claims=claims,
        reclaimed=reclaimed or {},
        segment=describe(place, file, []) if destination.is_history else None,
    )


def row_of(intent: Intent, state: FileState) -> FileRow:
    return FileRow(id=intent.id, state=state, file=intent.file)


def claim(name: str) -> str:
    return f"{name}#{TRAIL.name}"


def test_a_file_is_pending_until_it_is_settled(ledger: AnyLedger) -> None:
    intent = make_intent("t", claim("a"), claim("b"))

    ledger.intend(intent)
    before = ledger.owners([claim("a"), claim("b"), claim("c")])
    ledger.settle(intent.id, FileState.DELIVERED)

    assert before == dict.fromkeys([claim("a"), claim("b")], row_of(intent, FileState.PENDING))
    assert ledger.owners([claim("a")]) == {claim("a"): row_of(intent, FileState.DELIVERED)}


def test_a_chunk_of_another_file_refuses_the_whole_intent(ledger: AnyLedger) -> None:
    first, second = make_intent("t", claim("a")), make_intent("u", claim("b"), claim("a"))
    ledger.intend(first)

    with pytest.raises(ConflictError):
        ledger.intend(second)

    assert ledger.owners([claim("a"), claim("b")]) == {claim("a"): row_of(first, FileState.PENDING)}
    assert ids(ledger) == [first.id]


def test_a_chunk_belongs_to_one_file_of_each_destination(ledger: AnyLedger) -> None:
    other = make_destination("other")
    mine = make_intent("t", claim("a"))
    theirs = make_intent("u", f"a#{other.name}", destination=other)

    ledger.intend(mine)
    ledger.intend(theirs)

    assert ledger.owners([claim("a"), f"a#{other.name}"]) == {
        claim("a"): row_of(mine, FileState.PENDING),
        f"a#{other.name}": row_of(theirs, FileState.PENDING),
    }


def test_a_file_is_settled_once(ledger: AnyLedger) -> None:
    intent = make_intent("t", claim("a"))
    ledger.intend(intent)
    ledger.settle(intent.id, FileState.DROPPED)

    with pytest.raises(ConflictError):
        ledger.settle(intent.id, FileState.DELIVERED)

    assert ledger.owners([claim("a")]) == {claim("a"): row_of(intent, FileState.DROPPED)}


def test_a_file_nobody_began_cannot_be_settled(ledger: AnyLedger) -> None:
    with pytest.raises(ConflictError):
        ledger.settle(make_intent().id, FileState.DELIVERED)

    assert ids(ledger) == []


def test_chunks_of_a_dropped_file_can_be_taken_over_by_who_names_it(ledger: AnyLedger) -> None:
    dropped = make_intent("t", claim("a"), claim("b"))
    ledger.intend(dropped)
    ledger.settle(dropped.id, FileState.DROPPED)
    heir = make_intent("u", claim("a"), reclaimed={claim("a"): dropped.id})

    ledger.intend(heir)

    assert ledger.owners([claim("a"), claim("b")]) == {
        claim("a"): row_of(heir, FileState.PENDING),
        claim("b"): row_of(dropped, FileState.DROPPED),
    }


def test_of_two_heirs_one_wins(ledger: AnyLedger) -> None:
    dropped = make_intent("t", claim("a"))
    ledger.intend(dropped)
    ledger.settle(dropped.id, FileState.DROPPED)
    ledger.intend(make_intent("u", claim("a"), reclaimed={claim("a"): dropped.id}))

    with pytest.raises(ConflictError):
        ledger.intend(make_intent("v", claim("a"), reclaimed={claim("a"): dropped.id}))

    assert len(ids(ledger)) == 1


def test_a_digested_file_is_gone_and_its_chunks_still_have_had_one(ledger: AnyLedger) -> None:
    intent = make_intent("t", claim("a"))
    ledger.intend(intent)
    ledger.settle(intent.id, FileState.DELIVERED)

    ledger.close_files([intent.id])
    ledger.close_files([intent.id])

    assert ids(ledger) == []
    assert ledger.owners([claim("a")]) == {claim("a"): None}
    with pytest.raises(ConflictError):
        ledger.intend(make_intent("u", claim("a")))


def test_more_files_than_one_request_takes_can_be_closed(ledger: AnyLedger) -> None:
    intents = [make_intent(f"{i:02}", claim(f"{i}")) for i in range(30)]
    for intent in intents:
        ledger.intend(intent)

    ledger.close_files([intent.id for intent in intents])

    assert ids(ledger) == []


def test_more_claims_than_one_request_reads_are_found(ledger: AnyLedger) -> None:
    intents = [make_intent(f"{i}", *[claim(f"{i}-{j}") for j in range(60)]) for i in range(2)]
    for intent in intents:
        ledger.intend(intent)
    claims = [name for intent in intents for name in intent.claims]

    owners = ledger.owners(claims)

    assert {name: row.id for name, row in owners.items() if row} == {
        name: intent.id for intent in intents for name in intent.claims
    }


def ids(ledger: AnyLedger, *, before: float = 1e6, limit: int = 100) -> list[str]:
    return [row.id for row in ledger.open_files(CHAIN, before=START.timestamp() + before, limit=limit)]


def test_open_files_come_oldest_first_up_to_a_moment_and_a_number(ledger: AnyLedger) -> None:
    late, early, middle = (
        make_intent(f"{i}", claim(f"{i}"), seconds=s) for i, s in enumerate((9.5, 0, 3.25))
    )
    for intent in (late, early, middle):
        ledger.intend(intent)

    assert ids(ledger) == [early.id, middle.id, late.id]
    assert ids(ledger, before=9.5) == [early.id, middle.id]
    assert ids(ledger, before=9.501) == [early.id, middle.id, late.id]
    assert ids(ledger, before=0) == []
    assert ids(ledger, limit=2) == [early.id, middle.id]


def test_dropped_files_are_not_open_and_do_not_count(ledger: AnyLedger) -> None:
    first, second = make_intent("t", claim("a")), make_intent("u", claim("b"), seconds=1)
    for intent in (first, second):
        ledger.intend(intent)
    ledger.settle(first.id, FileState.DROPPED)

    assert ids(ledger, limit=1) == [second.id]


def test_files_of_other_chains_and_of_no_chain_are_not_open(ledger: AnyLedger) -> None:
    undigested = make_destination("plain", digested_since=0.0)
    ledger.intend(make_intent("t", claim("a"), place=ABROAD))
    ledger.intend(make_intent("u", f"b#{undigested.name}", destination=undigested))
    ledger.intend(make_intent("v", f"c#{HISTORY}", destination=Destination(name=HISTORY, bucket="past")))

    assert ids(ledger) == []
    assert [chain.place for chain in ledger.chains()] == [ABROAD]


def test_the_first_file_of_a_place_begins_its_chain(ledger: AnyLedger) -> None:
    trail = make_destination(prefix="p", organization_id="o-abcdefghij", kms_key_arn="k")

    for token, place in (("t", HOME), ("u", ABROAD), ("v", HOME)):
        ledger.intend(make_intent(token, f"{token}#{trail.name}", destination=trail, place=place, seconds=5))

    begun = {chain.place: chain for chain in ledger.chains()}
    assert begun[HOME] == Chain(
        trail_arn=trail.name,
        place=HOME,
        bucket=BUCKET,
        prefix="p",
        organization_id="o-abcdefghij",
        kms_key_arn="k",
        started_at=START.timestamp(),
        version=1,
    )
    assert begun[ABROAD].started_at == START.timestamp() + 5
    assert len(begun) == 2


def make_chain(**changes: Any) -> Chain:
    facts: dict[str, Any] = {"trail_arn": TRAIL.name, "place": HOME, "bucket": BUCKET, "started_at": 1.5}
    return Chain(**(facts | changes))


def test_a_chain_is_kept_whole(ledger: AnyLedger) -> None:
    pending = SealedDigest(
        bucket=BUCKET, key="k", document=b'{"a":1}\xff', signature="abcd", file_ids=("f1", "f2")
    )
    head = Link(bucket=BUCKET, key="k", sha256="h", signature="s")
    chain = make_chain(end="2026-01-10T05:00:00Z", head=head, pending=pending, ended=True)

    saved = ledger.save_chain(chain)

    assert saved == msgspec.structs.replace(chain, version=1)
    assert list(ledger.chains()) == [saved]


def test_of_two_that_save_a_chain_the_second_is_told(ledger: AnyLedger) -> None:
    read = ledger.save_chain(make_chain())
    ledger.save_chain(msgspec.structs.replace(read, end="mine"))

    with pytest.raises(ConflictError):
        ledger.save_chain(msgspec.structs.replace(read, end="theirs"))

    assert [chain.end for chain in ledger.chains()] == ["mine"]


def test_of_two_that_begin_a_chain_the_second_is_told(ledger: AnyLedger) -> None:
    ledger.save_chain(make_chain())

    with pytest.raises(ConflictError):
        ledger.save_chain(make_chain())

    assert [chain.version for chain in ledger.chains()] == [1]
