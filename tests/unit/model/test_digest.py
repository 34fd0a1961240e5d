"""Digest chains and their names."""

from __future__ import annotations

import msgspec

from opentrail.model.digest import Chain, Link, SealedDigest
from tests.support.values import ABROAD, HOME, make_trail


def make_chain() -> Chain:
    return Chain(
        trail_arn=make_trail().arn,
        place=HOME,
        bucket="audit-logs",
        started_at=1.5,
        head=Link(bucket="b", key="k", sha256="h", signature="s"),
        pending=SealedDigest(bucket="b", key="k", document=b"\xff", signature="s", file_ids=("f",)),
    )


def test_a_chain_is_named_by_trail_account_and_region() -> None:
    assert make_chain().id == f"{make_trail().arn}#123456789012#us-east-1"
    assert msgspec.structs.replace(make_chain(), place=ABROAD).id.endswith("#eu-west-1")


def test_a_chain_is_read_back_whole() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(make_chain()), type=Chain) == make_chain()
