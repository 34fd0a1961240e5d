"""``opentrail up --export DIR``: delivered log, digest and Insight files on disk, as they appear."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from opentrail.local.call import Call, Reply

OWN_PREFIX = "AWSLogs/"  # what follows a trail's own prefix in every key

log = logging.getLogger(__name__)


class Export:
    """Writes each delivered object to ``DIR/<bucket>/<key>``, whole or not at all."""

    def __init__(self, directory: Path, history_bucket: Callable[[], str]) -> None:
        """``history_bucket`` answers the bucket of the event history, whose files are OpenTrail's own."""
        self._directory = directory.resolve()
        self._history_bucket = history_bucket

    def saw(self, call: Call, reply: Reply) -> None:
        """Take note of a call that one of OpenTrail's functions made."""
        if (call.service, call.operation, reply.status) != ("s3", "PutObject", 200):
            return
        bucket, key = str(call.parameters["Bucket"]), str(call.parameters["Key"])
        if f"/{OWN_PREFIX}" in f"/{key}" and bucket != self._history_bucket():
            self._write(bucket, key, call.parameters["Body"])

    def _write(self, bucket: str, key: str, content: bytes) -> None:
        path = (self._directory / bucket / key).resolve()
        if not path.is_relative_to(self._directory):  # a trail's prefix may be any text
            log.warning("not exported, it would lie outside of the directory: s3://%s/%s", bucket, key)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.part")
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:  # a full disk must not stop the deliveries
            log.error("not exported: s3://%s/%s: %s", bucket, key, error)
