"""Where the verdicts of a round go: the default bus, and a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError
from opentrail.pipeline.validate.rounds import Verdict, summarize

SOURCE = "opentrail"  # EventBridge keeps aws.* to itself
DETAIL_TYPE = "OpenTrail Validation Report"
SUBJECT_CHARACTERS = 100  # SNS API, Publish


class Reports:
    """Publishes verdicts. ``topic_arn`` may be empty."""

    def __init__(self, events: Any, sns: Any, topic_arn: str) -> None:
        self._events = events
        self._sns = sns
        self._topic_arn = topic_arn

    def publish(self, verdicts: Sequence[Verdict]) -> None:
        """One event for each chain, and one message about all of them.

        Raises:
            StorageError: EventBridge or SNS refused, or did not answer.
        """
        for verdict in verdicts:  # one by one: a request holds 256 KB, and so may an event
            detail = msgspec.json.encode(verdict).decode()
            entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail}
            with storage_errors("put a validation report on the bus"):
                (answer,) = self._events.put_events(Entries=[entry])["Entries"]
            if "ErrorCode" in answer:
                raise StorageError(
                    f"put a validation report: {answer.get('ErrorMessage')}", answer["ErrorCode"]
                )
        if self._topic_arn and verdicts:
            subject, text = summarize(verdicts)
            with storage_errors(f"publish to {self._topic_arn}"):
                self._sns.publish(
                    TopicArn=self._topic_arn, Subject=subject[:SUBJECT_CHARACTERS], Message=text
                )
