"""``s3://bucket/prefix`` on a command line, and the records of CloudTrail's log files below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from opentrail.adapters.aws.source_files import SourceFiles
from opentrail.cli._backfill_plan import Range, find_folders, list_files
from opentrail.cli._event_files import records_in

MAX_FILE_BYTES = 100_000_000  # uncompressed; twice what CloudTrail writes
_SOURCE = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files lie."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class SourceType(click.ParamType[Source]):
    """``s3://bucket/prefix``."""

    name = "s3://bucket[/prefix]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Source:
        """Read it."""
        if isinstance(value, Source):
            return value
        match = _SOURCE.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not s3://BUCKET or s3://BUCKET/PREFIX", param, ctx)
        return Source(match["bucket"], match["prefix"] or "")


def bucket_records(files: SourceFiles, source: Source, when: Range) -> Iterator[dict[str, Any]]:
    """Every record of the log files below ``source`` that were delivered within ``when``, folder by folder.

    Raises:
        FormatError: a file is no log file.
        StorageError: S3 or KMS refused or did not answer.
    """
    for folder in find_folders(files, source.bucket, source.prefix):
        for listed in list_files(files, source.bucket, folder, when):
            body = files.read(source.bucket, listed.key).body
            yield from records_in(f"s3://{source.bucket}/{listed.key}", body)
