"""Files with records on disk -> the records: log files as delivered, lists, lines, events, answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opentrail.errors import FormatError

SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_GZIP = b"\x1f\x8b"


def records_of(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Every record of files, and of those in folders, in the order of their names.

    Raises:
        FormatError: a file is not there, or holds something else.
    """
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.name.endswith(SUFFIXES)) if path.is_dir() else [path]
        if not files:
            raise FormatError(f"{path} holds no files with events ({', '.join(SUFFIXES)})")
        for file in files:
            yield from _read(file)


def _read(file: Path) -> Iterator[dict[str, Any]]:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise FormatError(f"{file}: {error}") from error
    yield from records_in(str(file), body)


def records_in(file: str, body: bytes) -> Iterator[dict[str, Any]]:
    """Every record of one file, which its errors call ``file``.

    Raises:
        FormatError: it holds something else.
    """
    try:
        text = (gzip.decompress(body) if body.startswith(_GZIP) else body).decode()
    except (OSError, EOFError, ValueError) as error:
        raise FormatError(f"{file}: {error}") from error
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [_line(file, number, line) for number, line in enumerate(text.splitlines(), start=1)]
    for document in documents:
        yield from _records(file, document)


def _line(file: str, number: int, line: str) -> Any:
    try:
        return json.loads(line) if line.strip() else []
    except ValueError as error:
        raise FormatError(f"{file}: line {number} is no JSON: {error}") from error


def _records(file: str, document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for element in document:
            yield from _records(file, element)
        return
    if not isinstance(document, dict):
        raise FormatError(f"{file}: {str(document)[:40]!r} is no event")
    for member in ("Records", "Events"):  # a log file; what `aws cloudtrail lookup-events` prints
        if isinstance(document.get(member), list):
            yield from _records(file, document[member])
            return
    if isinstance(document.get("CloudTrailEvent"), str):
        yield from _records(file, _line(file, 1, document["CloudTrailEvent"]))
    elif isinstance(document.get("detail"), dict) and "detail-type" in document:
        yield document["detail"]
    else:
        yield document
