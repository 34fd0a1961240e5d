"""Topics that hear of delivered files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.adapters.aws.failure import storage_errors


class SnsTopics:
    """Topics of any Region. ``clients`` answers a client for a Region."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    def publish(self, topic_arn: str, message: str) -> None:
        """Send one message.

        Raises:
            StorageError: SNS refused or did not answer; its code goes into GetTrailStatus.
        """
        with storage_errors(f"publish to {topic_arn}"):
            self._clients(topic_arn.split(":")[3]).publish(TopicArn=topic_arn, Message=message)
