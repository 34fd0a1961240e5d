"""Delivered files on disk: which, where, and what may not happen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opentrail.local.call import Call, Caller, Reply
from opentrail.local.export import Export

LOG_FILE = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/01/10/a.json.gz"


def export_to(directory: Path) -> Export:
    return Export(directory, lambda: "past")


def put(key: str, body: bytes = b"content", bucket: str = "audit", **changes: Any) -> Call:
    fields: dict[str, Any] = {
        "service": "s3",
        "operation": "PutObject",
        "parameters": {"Bucket": bucket, "Key": key, "Body": body},
        "region": "us-east-1",
        "caller": Caller(account="123456789012", arn="", access_key="", identity={}),
        "method": "PUT",
        "path": "/",
        "query": "",
        "headers": {},
        "body": body,
        "source_ip": "127.0.0.1",
        "arrived": datetime(2026, 1, 10, tzinfo=UTC),
        "event_id": "",
        "request_id": "",
    }
    return Call(**{**fields, **changes})


def answered(status: int) -> Reply:
    return Reply(status=status, headers={}, body=b"")


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("prefix", ["", "one/two/"])
def test_a_delivered_file_is_written_under_its_bucket_and_key(tmp_path: Path, prefix: str) -> None:
    export_to(tmp_path).saw(put(prefix + LOG_FILE), answered(200))

    assert files(tmp_path) == {f"audit/{prefix}{LOG_FILE}": b"content"}


def test_a_second_file_of_a_key_replaces_the_first(tmp_path: Path) -> None:
    export = export_to(tmp_path)

    for body in (b"first", b"second"):
        export.saw(put(LOG_FILE, body), answered(200))

    assert files(tmp_path) == {f"audit/{LOG_FILE}": b"second"}


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (put(LOG_FILE), 403),
        (put(LOG_FILE, operation="GetObject"), 200),
        (put(LOG_FILE, service="dynamodb"), 200),
        (put("something/else"), 200),
        (put(f"history/{LOG_FILE}", bucket="past"), 200),
    ],
)
def test_everything_else_is_not_written(tmp_path: Path, call: Call, status: int) -> None:
    export_to(tmp_path).saw(call, answered(status))

    assert files(tmp_path) == {}


def test_no_key_leads_out_of_the_directory(tmp_path: Path) -> None:
    export_to(tmp_path / "export").saw(put(f"../../{LOG_FILE}"), answered(200))

    assert files(tmp_path) == {}


def test_a_directory_that_cannot_be_written_fails_no_delivery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.joinpath("audit").write_text("a file where a directory should be")

    export_to(tmp_path).saw(put(LOG_FILE), answered(200))

    assert f"not exported: s3://audit/{LOG_FILE}" in caplog.text
