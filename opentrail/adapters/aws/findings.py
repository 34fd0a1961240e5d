"""Findings of detections: which were told, and to whom they are told.

One item per finding: ``finding#<id>``, ``told``; it expires when no event can come a second time any more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.items import Item, key
from opentrail.adapters.aws.own_events import OwnEvents
from opentrail.branches.detections.finding import DETAIL_TYPE, Finding, to_record

# EventBridge tries for a day to deliver an event, and a function's queue keeps it six hours.
TOLD_LIFE = timedelta(days=7)
SUBJECT_CHARACTERS = 100  # SNS API, Publish: ASCII, one line, shorter than that


class DynamoTold:
    """See ``opentrail.branches.detections.watch.Told``."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def was_told(self, finding_id: str) -> bool:
        """Is its item there?"""
        with storage_errors(f"read finding {finding_id} of {self._table}"):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(finding_id), ConsistentRead=True, ProjectionExpression="pk"
            )
        return "Item" in answer

    def note(self, finding: Finding) -> None:
        """Put its item."""
        expires = int((finding.time + TOLD_LIFE).timestamp())
        with storage_errors(f"write finding {finding.id} of {self._table}"):
            self._client.put_item(
                TableName=self._table, Item={**_key(finding.id), "expires": {"N": str(expires)}}
            )


class FindingOutlet:
    """See ``opentrail.branches.detections.watch.Outlet``. ``topic_arn`` may be empty."""

    def __init__(self, own_events: OwnEvents, sns: Any, topic_arn: str) -> None:
        self._own_events = own_events
        self._sns = sns
        self._topic_arn = topic_arn

    def tell(self, finding: Finding) -> None:
        """The line and the default bus, then the topic."""
        record = to_record(finding)
        self._own_events.tell(record, id_=finding.id, detail_type=DETAIL_TYPE, time=finding.time)
        if self._topic_arn:
            with storage_errors(f"publish to {self._topic_arn}"):
                self._sns.publish(
                    TopicArn=self._topic_arn,
                    Subject=_subject(finding),
                    Message=record.decode(),
                    MessageAttributes={
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in _attributes(finding).items()
                    },
                )


def _attributes(finding: Finding) -> dict[str, str]:
    """What subscriptions may filter by."""
    rule = finding.detection
    facts = {"ruleId": rule.id, "level": rule.level, "account": finding.place.account}
    return {name: value for name, value in facts.items() if value}


def _subject(finding: Finding) -> str:
    rule = finding.detection
    line = " ".join(f"{rule.level or 'finding'}: {rule.title}".split())
    text = "".join(character if " " <= character <= "~" else "?" for character in line)
    return text if len(text) < SUBJECT_CHARACTERS else text[: SUBJECT_CHARACTERS - 4] + "..."


def _key(finding_id: str) -> Item:
    return key(f"finding#{finding_id}", "told")
