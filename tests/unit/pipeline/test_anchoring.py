"""Each digest's head is written down once the digest is stored, and nothing is digested twice."""

from __future__ import annotations

import msgspec

from opentrail.format import log_file, tree_head
from opentrail.model.digest import Head
from tests.support.chains import Digests
from tests.support.values import ABROAD


def heads(line: Digests, *, backfill: bool = False) -> list[Head]:
    chain_id = line.chain().id
    return list(line.anchor.lines.get(f"{chain_id}#backfill" if backfill else chain_id, {}).values())


def test_every_stored_digest_is_written_down_with_its_tree() -> None:
    line = Digests()
    line.deliver(2)
    line.wait(hours=2)

    line.close()

    for head, stored in zip(heads(line), line.stored(), strict=True):
        tree = line.store.objects[stored.bucket, tree_head.tree_key(stored.key)]
        signed = tree_head.parse_head(tree_head.parse_tree(tree.body or b"").head.text)
        assert (head.bucket, head.key) == (stored.bucket, stored.key)
        assert head.sha256 == log_file.sha256_hex(log_file.decompress(stored.body or b""))
        assert head.signature == stored.metadata["signature"]
        assert (head.tree_size, head.tree_root) == (signed.size, signed.root.hex())
    assert [head.end for head in heads(line)] == ["2026-01-10T05:00:00Z", "2026-01-10T06:00:00Z"]


def test_a_backfill_digest_is_written_down_in_a_line_of_its_own() -> None:
    line = Digests()
    line.wait(minutes=39)
    line.abandon()
    line.wait(minutes=1)
    line.close()
    line.store_late()
    line.wait(hours=1)

    line.close()

    (late,) = heads(line, backfill=True)
    assert (late.key, late.tree_size) == (line.backfill()[0].key, 1)
    assert len(heads(line)) == len(line.stored()) == 2


def test_each_place_has_its_own_heads() -> None:
    line = Digests()
    line.deliver(place=ABROAD)
    line.wait(hours=1)

    line.close()

    assert sorted(line.anchor.lines) == sorted(chain.id for chain in line.ledger.chains())


def test_nothing_is_digested_beyond_what_is_written_down() -> None:
    line = Digests()
    line.wait(hours=3)
    line.anchor.closed = True
    refused = line.close()
    line.anchor.closed = False

    line.close()

    assert ([trouble.code for trouble in refused.troubles], refused.closed) == (["AccessDenied"], [])
    assert len(heads(line)) == len(line.stored()) == 3


def test_where_the_ledger_was_moved_back_no_hour_is_digested_anew() -> None:
    line = Digests()
    line.wait(minutes=40)
    line.close()
    before = line.chain()
    hidden = line.deliver()
    line.wait(hours=1)
    line.close()
    stored = line.stored()
    moved_back = msgspec.structs.replace(before, version=line.chain().version)
    line.ledger.save_chain(moved_back)
    line.wait(hours=1)

    closing = line.close()

    assert [trouble.code for trouble in closing.troubles] == ["AnchorRefused"]
    assert line.stored() == stored
    assert line.listed()[1] == hidden
