"""Log groups that trails send their events to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.failure import storage_errors


class LogGroups:
    """Log groups of any Region. ``clients`` answers a client for a Region."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    def put(self, group_arn: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Append ``(milliseconds, message)`` events, ascending, to a stream that is made when missing.

        Raises:
            StorageError: CloudWatch Logs refused or did not answer.
        """
        _, _, _, region, _, _, group, *_ = group_arn.split(":")
        client = self._clients(region)
        batch = [{"timestamp": timestamp, "message": message} for timestamp, message in events]
        with storage_errors(f"put {len(batch)} events to {group}/{stream}"):
            try:
                client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
            except client.exceptions.ResourceNotFoundException:
                _make_stream(client, group, stream)
                client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)


def _make_stream(client: Any, group: str, stream: str) -> None:
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
