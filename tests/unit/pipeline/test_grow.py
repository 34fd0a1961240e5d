"""Trees over the records of a chain: they only grow, and never hold up a digest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

import pytest

from opentrail.format import digest_file, log_file, merkle, tree_head
from opentrail.format.digest_file import ListedFile
from opentrail.format.tree_head import TreeFile
from opentrail.model.report import Finding, Report
from opentrail.model.tree import TreeHead
from opentrail.pipeline.digest import grow
from opentrail.pipeline.validate import PublicKey, Span, StoredObject, check_log, prove
from tests.support.chains import Digests
from tests.support.fakes import FakeStore
from tests.support.values import HOME, START


class Bucket:
    """What the digest stage stored, for a verifier."""

    def __init__(self, line: Digests) -> None:
        self._line = line

    def keys_under(self, bucket: str, prefix: str) -> Iterator[str]:
        found = self._line.store.objects
        return iter(sorted(key for place, key in found if place == bucket and key.startswith(prefix)))

    def fetch_all(self, places: Sequence[tuple[str, str]]) -> Iterable[StoredObject]:
        absent = [StoredObject(bucket=bucket, key=key, body=None) for bucket, key in places]
        return [self._line.store.objects.get((none.bucket, none.key), none) for none in absent]

    def judge_logs(self, files: Sequence[ListedFile], on_judged: Callable[[int], None]) -> Iterable[Finding]:
        bodies = [stored.body for stored in self.fetch_all([(file.bucket, file.key) for file in files])]
        verdicts = map(check_log, files, bodies)
        return [finding for finding in verdicts if finding is not None]

    def public_keys(self, start: object, end: object) -> dict[str, PublicKey]:
        pkcs1 = digest_file.pkcs1_of(self._line.signer.public_key())
        name = digest_file.fingerprint_of(pkcs1)
        return {name: PublicKey(name, pkcs1, START.timestamp(), START.timestamp() + 30 * 86_400)}


def verdict(line: Digests) -> Report:
    (arn,) = line.trails
    span = Span(
        trail_arn=arn,
        bucket="audit-logs",
        prefix="",
        organization="",
        place=HOME,
        start=START,
        end=line.now + timedelta(hours=1),
    )
    return prove(Bucket(line), Bucket(line), span)


def trees(line: Digests) -> list[TreeFile]:
    found = sorted(key for key in line.store.objects if "/OpenTrail-Tree/" in key[1])
    return [tree_head.parse_tree(line.store.objects[place].body or b"") for place in found]


def heads(line: Digests) -> list[TreeHead]:
    return [tree_head.parse_head(tree.head.text) for tree in trees(line)]


def records(line: Digests, keys: Iterable[str]) -> list[bytes]:
    bodies = [line.store.objects["audit-logs", key].body or b"" for key in keys]
    return [raw for body in bodies for raw in log_file.split_records(log_file.decompress(body))]


def test_a_head_is_the_root_over_all_records_in_the_order_the_digests_list_them() -> None:
    line = Digests()
    keys = line.deliver(3)
    line.wait(hours=1)
    line.close()
    keys += line.deliver(2)
    line.wait(hours=1)
    line.close()

    everything = merkle.leaves(0, records(line, keys))

    assert [(head.number, head.size) for head in heads(line)] == [(1, 3), (2, 5)]
    assert heads(line)[1].root == merkle.root_of(everything)


def test_a_quiet_hour_has_a_head_too_and_the_verifier_is_content() -> None:
    line = Digests()
    for count in (0, 4, 0, 0, 1):
        line.deliver(count)
        line.wait(hours=1)
    line.close()

    assert [head.size for head in heads(line)] == [0, 4, 4, 4, 5]
    assert (verdict(line).findings, verdict(line).tree_heads_valid) == ((), 5)


def test_a_tree_goes_on_when_the_chain_begins_anew() -> None:
    line = Digests()
    line.deliver(2)
    line.stop()
    line.wait(hours=1)
    line.close()
    line.wait(hours=3)
    line.start()
    line.deliver(1)
    line.wait(hours=1)
    line.close()

    assert True in line.starting()[1:]
    assert heads(line)[-1].size == 3
    assert verdict(line).findings == ()


def change(store: FakeStore, key: str, body: bytes | None) -> None:
    place = ("audit-logs", key)
    if body is None:
        del store.objects[place]
    else:
        store.objects[place] = StoredObject(bucket="audit-logs", key=key, body=body)


@pytest.mark.parametrize("body", [None, b"", log_file.compress(b'{"Records":[{}]}')])
def test_a_file_that_is_not_what_was_delivered_adds_nothing(body: bytes | None) -> None:
    line = Digests()
    first, second = line.deliver(2)
    change(line.store, first, body)
    line.wait(hours=1)

    line.close()

    assert line.listed() == [[first, second]]
    assert [tree.leaves for tree in trees(line)] == [[None, 1]]
    assert {finding.key for finding in verdict(line).findings} == {first}


def test_more_records_than_fit_stay_out_of_the_tree_not_out_of_the_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grow, "MAX_RECORDS", 2)
    line = Digests()
    keys = line.deliver(3)
    line.wait(hours=1)

    line.close()

    assert line.listed() == [keys]
    assert [tree.leaves for tree in trees(line)] == [[1, 1, None]]


def test_a_tree_that_was_decided_but_not_stored_is_stored_by_the_next_run() -> None:
    line = Digests()
    line.wait(hours=1)
    line.store.closed = {"audit-logs"}
    line.close()
    decided = line.chain().pending
    line.store.closed = set()

    line.close()

    assert decided is not None
    assert [tree_head.encode_tree(tree) for tree in trees(line)] == [decided.tree]
