"""Records of our own -> the intake queue, so that trails and history have them, and the default bus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.errors import StorageError
from opentrail.format.own_record import EVENT_SOURCE
from opentrail.format.times import to_iso
from opentrail.model.event import Place


class OwnEvents:
    """The line first, then the default bus. Needs ``sqs:SendMessage`` and ``events:PutEvents``."""

    def __init__(self, intake: SqsQueue, events: Any, place: Place) -> None:
        self._intake = intake
        self._events = events
        self.place = place  # where the function runs

    def tell(
        self, record: bytes, *, id_: str, detail_type: str, time: datetime, resources: Sequence[str] = ()
    ) -> None:
        """Send the record to the intake queue, in an envelope as EventBridge's, and publish it.

        Raises:
            StorageError: SQS or EventBridge refused, or did not answer; telling it again does no harm.
        """
        head = {
            "version": "0",
            "id": id_,
            "detail-type": detail_type,
            "source": EVENT_SOURCE,
            "account": self.place.account,
            "time": to_iso(time),
            "region": self.place.region,
            "resources": list(resources),
        }
        detail = record.decode()
        self._intake.send_all([json.dumps(head)[:-1] + ',"detail":' + detail + "}"])
        entry = {"Source": EVENT_SOURCE, "DetailType": detail_type, "Detail": detail}
        with storage_errors(f"put an event {detail_type!r} on the bus"):
            (answer,) = self._events.put_events(Entries=[entry])["Entries"]
        if "ErrorCode" in answer:
            raise StorageError(f"put an event: {answer.get('ErrorMessage')}", answer["ErrorCode"])
