"""Log files: one gzip member of ``{"Records":[...]}``, the same bytes every time."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format import log_file
from tests.support.records import make_record, to_bytes

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
records = st.lists(st.fixed_dictionaries({"eventID": texts, "n": st.integers()}), min_size=1, max_size=8)


def in_pieces(lines: list[bytes], size: int) -> list[bytes]:
    return [b"\n".join(lines[at : at + size]) for at in range(0, len(lines), size)]


@pytest.mark.parametrize("quick", [False, True])
@given(found=records, size=st.integers(1, 4))
def test_a_file_holds_its_records_in_order_however_they_came(
    quick: bool, found: list[dict[str, Any]], size: int
) -> None:
    lines = [to_bytes(record) for record in found]

    sha256, body = log_file.build_log_file(in_pieces(lines, size), quick=quick)

    document = gzip.decompress(body)
    assert document == json.dumps({"Records": found}, separators=(",", ":"), ensure_ascii=False).encode()
    assert sha256 == hashlib.sha256(document).hexdigest()
    assert log_file.split_records(log_file.decompress(body)) == lines
    assert log_file.parse_records(body) == found


@pytest.mark.parametrize("quick", [False, True])
def test_a_file_is_one_gzip_member_with_nothing_behind_it(quick: bool) -> None:
    _, body = log_file.build_log_file([to_bytes(make_record())] * 50, quick=quick)

    member = zlib.decompressobj(wbits=31)
    member.decompress(body)
    assert (member.eof, member.unused_data) == (True, b"")


@pytest.mark.parametrize("quick", [False, True])
def test_the_same_records_give_the_same_bytes(quick: bool) -> None:
    lines = [to_bytes(make_record(eventID=str(i), requestID="r")) for i in range(50)]

    first, again = (log_file.build_log_file(in_pieces(lines, 7), quick=quick) for _ in range(2))

    assert first == again


def test_compression_names_no_file_and_no_time() -> None:
    flags, modified = log_file.compress(b"{}")[3], log_file.compress(b"{}")[4:8]

    assert (flags, modified) == (0, b"\0\0\0\0")


@given(document=st.binary(max_size=2000))
def test_what_is_compressed_is_read_back(document: bytes) -> None:
    assert log_file.decompress(log_file.compress(document)) == document


def test_plain_json_is_taken_as_it_is_for_clients_may_have_unpacked_it() -> None:
    assert log_file.decompress(b'{"Records":[]}') == b'{"Records":[]}'


WHOLE = log_file.compress(b'{"Records":[]}')
BROKEN = {
    "a byte behind it": (WHOLE + b"\0", "unexpected data after end of compressed stream"),
    "a second member": (WHOLE + WHOLE, "unexpected data after end of compressed stream"),
    "it ends early": (WHOLE[:-9], "broken gzip"),
    "its checksum is wrong": (WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:], "broken gzip"),
    "only its first two bytes": (WHOLE[:2], "broken gzip"),
}


@pytest.mark.parametrize(("body", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_gzip_is_a_format_error(body: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        log_file.decompress(body)


@given(body=st.binary() | st.binary().map(lambda tail: b"\x1f\x8b\x08\0" + tail))
def test_any_bytes_let_only_format_errors_out(body: bytes) -> None:
    with suppress(FormatError):
        assert log_file.parse_records(body) == json.loads(log_file.decompress(body))["Records"]


NO_LOGS = [
    b"",
    b"[]",
    b"{}",
    b'{"Records":1}',
    b'{"Records":[]} x',
    b'{"Records":[{]}',
    b'{"Records":[' + b"[" * 100_000,
    b'{"Records":[{"n":' + b"9" * 5000 + b"}]}",
]


@pytest.mark.parametrize("document", NO_LOGS, ids=range(len(NO_LOGS)))
def test_what_is_no_log_file_is_a_format_error(document: bytes) -> None:
    with pytest.raises(FormatError):
        log_file.parse_records(log_file.compress(document))


def test_only_the_file_with_that_hash_counts_as_there() -> None:
    sha256, body = log_file.build_log_file([b"{}"])
    _, other = log_file.build_log_file([b"[]"])

    held = [log_file.holds(found, sha256) for found in (body, other, body[:-5], body + b"\0", None)]

    assert held == [True, False, False, False, False]


def test_a_document_above_the_limit_is_refused_before_it_fills_the_memory() -> None:
    body = log_file.compress(b"x" * 100_000)

    assert log_file.decompress(body, limit=100_001) == b"x" * 100_000
    with pytest.raises(FormatError, match="more than 10 bytes"):
        log_file.decompress(body, limit=10)
