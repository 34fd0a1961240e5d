"""Event history of days gone by: what delivery would have kept of made-up calls, without recording each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from opentrail.adapters.aws import items
from opentrail.branches.history import build_segment
from opentrail.model.event import Place
from opentrail.model.log_file import LogFile
from tests.support.records import ACCOUNT, REGION, make_record, to_bytes

PLACE = Place(ACCOUNT, REGION)


class Past:
    """Writes index items of segments into a history table."""

    def __init__(self, dynamodb: Any, table: str, place: Place = PLACE) -> None:
        self._place = place
        self._dynamodb = dynamodb
        self._table = table
        self._number = 0

    def add(self, moments: list[datetime], *calls: tuple[str, str, int]) -> None:
        """One segment: (name, error code, number) calls of EC2 within each minute of ``moments``."""
        lines = [
            to_bytes(
                make_record(
                    eventTime=moment.strftime("%Y-%m-%dT%H:%M:00Z"),
                    eventSource="ec2.amazonaws.com",
                    eventName=name,
                    errorCode=code or None,
                )
            )
            for moment in moments
            for name, code, number in calls
            for _ in range(number)
        ]
        self._number += 1
        file = LogFile(
            bucket="past",
            key=f"history/{self._number:016d}.json.gz",
            sha256="",
            count=len(lines),
            oldest=moments[0].strftime("%Y-%m-%dT%H:%M:%SZ"),
            newest=moments[-1].strftime("%Y-%m-%dT%H:%M:%SZ"),
            created_at=moments[-1].timestamp() + 59,
        )
        segment = build_segment(self._place, file, [b"\n".join(lines)])
        item = items.segment_item(segment, created_at=file.created_at, expires=0)
        self._dynamodb.put_item(TableName=self._table, Item=item)
