"""Remediation's table, and where its decisions go.

Items, all of which expire::

    event#<eventID>      <playbook>       who decides, until when; then: decided
    limit#<name>         <hour>           acts of that hour
    breaker#<playbook>   state            failures in a row
    undo#<decision>      state            what things were like before
    decisions            <time>#<id>      what ``opentrail remediation list`` shows
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.items import Item, key
from opentrail.adapters.aws.own_events import OwnEvents
from opentrail.branches.remediation.decision import DETAIL_TYPE, Decision, describe, to_record
from opentrail.branches.remediation.playbook import Target
from opentrail.branches.remediation.ports import Claim, Kept
from opentrail.errors import ConflictError
from opentrail.format.times import to_iso

# EventBridge tries for a day to deliver an event, and nothing after it; doubles come long before.
CLAIM_LIFE = timedelta(days=7)
LIMIT_LIFE = timedelta(hours=3)
BREAKER_LIFE = timedelta(days=1)
DECISIONS = "decisions"


class DynamoRemediation:
    """See ``opentrail.branches.remediation.ports``: claims, limits and the undo log."""

    def __init__(self, client: Any, table: str, *, lease_seconds: int, keep_days: int) -> None:
        self._client = client
        self._table = table
        self._lease = timedelta(seconds=lease_seconds)
        self._life = timedelta(days=keep_days)

    def claim(self, event_id: str, playbook: str, now: datetime) -> Claim:
        """Take the event, if it is new, failed, or its run is dead."""
        try:
            before = self._update(
                _event_key(event_id, playbook),
                "SET #s = :running, #u = :until, #e = :expires",
                {
                    ":running": {"S": "running"},
                    ":until": _number(now + self._lease),
                    ":expires": _number(now + CLAIM_LIFE),
                    ":failed": {"S": "failed"},
                    ":now": _number(now),
                },
                names={"#s": "state", "#u": "until", "#e": "expires"},
                condition="attribute_not_exists(pk) OR #s = :failed OR (#s = :running AND #u < :now)",
                returns="ALL_OLD",
            )
        except ConflictError as error:
            return Claim.BUSY if _state_in(error) == "running" else Claim.TAKEN
        return Claim.RESUMED if before else Claim.OURS

    def release(self, event_id: str, playbook: str, now: datetime) -> None:
        """Let the next run have the event at once."""
        self._leave(event_id, playbook, "failed", now)

    def settle(self, decision: Decision, *, final: bool) -> None:
        """Keep the decision for lists, then say that the event is decided."""
        stamp = f"{to_iso(decision.time)}#{decision.id}"
        body = json.dumps({"time": to_iso(decision.time), **describe(decision)})
        self._put(key(DECISIONS, stamp), {"body": {"S": body}}, decision.time + self._life)
        state = "decided" if final else "failed"
        self._leave(decision.event_id, decision.playbook, state, decision.time)

    def _leave(self, event_id: str, playbook: str, state: str, now: datetime) -> None:
        item = {"state": {"S": state}, "until": _number(now)}
        self._put(_event_key(event_id, playbook), item, now + CLAIM_LIFE)

    def take(self, name: str, *, limit: int, now: datetime) -> bool:
        """Count one act of this hour."""
        try:
            self._update(
                key(f"limit#{name}", to_iso(now)[:13]),
                "ADD #c :one SET #e = :expires",
                {":one": {"N": "1"}, ":expires": _number(now + LIMIT_LIFE), ":limit": {"N": str(limit)}},
                names={"#c": "count", "#e": "expires"},
                condition="attribute_not_exists(#c) OR #c < :limit",
            )
        except ConflictError:
            return False
        return True

    def failures(self, playbook: str) -> tuple[int, datetime | None]:
        """Failures in a row, and the time of the last."""
        item = self._get(key(f"breaker#{playbook}", "state"))
        if item is None:
            return 0, None
        return int(item["failures"]["N"]), datetime.fromtimestamp(int(item["last"]["N"]), UTC)

    def note(self, playbook: str, *, failed: bool, now: datetime) -> None:
        """Count a failure, or forget them."""
        breaker = key(f"breaker#{playbook}", "state")
        if not failed:
            with storage_errors(f"delete {breaker} of {self._table}"):
                self._client.delete_item(TableName=self._table, Key=breaker)
            return
        self._update(
            breaker,
            "ADD #f :one SET #l = :now, #e = :expires",
            {":one": {"N": "1"}, ":now": _number(now), ":expires": _number(now + BREAKER_LIFE)},
            names={"#f": "failures", "#l": "last", "#e": "expires"},
        )

    def keep(self, decision_id: str, kept: Kept, now: datetime) -> None:
        """Keep what things were like, the first time."""
        target = {name: value for name, value in asdict(kept.target).items() if name != "record"}
        body = {"playbook": kept.playbook, "target": target, "before": kept.before}
        try:
            self._put(
                key(f"undo#{decision_id}", "state"),
                {"body": {"S": json.dumps(body)}, "undone": {"BOOL": False}},
                now + self._life,
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ConflictError:
            return  # an earlier run of this event kept it, before it changed anything

    def read(self, decision_id: str) -> Kept | None:
        """What was kept for a decision."""
        item = self._get(key(f"undo#{decision_id}", "state"))
        if item is None:
            return None
        body = json.loads(item["body"]["S"])
        return Kept(body["playbook"], Target(**body["target"]), body["before"], item["undone"]["BOOL"])

    def mark_undone(self, decision_id: str) -> None:
        """Say that it was put back."""
        self._update(
            key(f"undo#{decision_id}", "state"),
            "SET #u = :true",
            {":true": {"BOOL": True}},
            names={"#u": "undone"},
        )

    def decisions(self, limit: int) -> list[dict[str, Any]]:
        """The newest decisions first, at most ``limit``.

        Raises:
            StorageError: the table refused or did not answer.
        """
        with storage_errors(f"query decisions of {self._table}"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": DECISIONS}},
                ScanIndexForward=False,
                Limit=limit,
            )
        return [json.loads(item["body"]["S"]) for item in answer["Items"]]

    def _get(self, item_key: Item) -> Item | None:
        with storage_errors(f"read {item_key} of {self._table}"):
            answer = self._client.get_item(TableName=self._table, Key=item_key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def _put(self, item_key: Item, attributes: Item, expires: datetime, **condition: Any) -> None:
        item = {**item_key, **attributes, "expires": _number(expires)}
        with storage_errors(f"write {item_key} of {self._table}"):
            self._client.put_item(TableName=self._table, Item=item, **condition)

    def _update(
        self,
        item_key: Item,
        expression: str,
        values: Item,
        *,
        names: Mapping[str, str],
        condition: str = "",
        returns: str = "NONE",
    ) -> Item | None:
        more: dict[str, Any] = {}
        if condition:
            more = {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        with storage_errors(f"update {item_key} of {self._table}"):
            answer = self._client.update_item(
                TableName=self._table,
                Key=item_key,
                UpdateExpression=expression,
                ExpressionAttributeNames=dict(names),
                ExpressionAttributeValues=dict(values),
                ReturnValues=returns,
                **more,
            )
        before: Item | None = answer.get("Attributes")
        return before


class DecisionLine:
    """See ``opentrail.branches.remediation.ports.Reports``: the line first, then the default bus."""

    def __init__(self, own_events: OwnEvents) -> None:
        self._own_events = own_events

    def tell(self, decision: Decision) -> None:
        """Send the decision's record to the intake queue and publish it."""
        place, target = self._own_events.place, decision.target
        self._own_events.tell(
            to_record(decision, account=place.account, region=place.region),
            id_=decision.id,
            detail_type=DETAIL_TYPE,
            time=decision.time,
            resources=[target.arn] if target else [],
        )


def _event_key(event_id: str, playbook: str) -> Item:
    return key(f"event#{event_id}", playbook)


def _state_in(error: ConflictError) -> str:
    """The state of the item whose condition did not hold."""
    answer = getattr(error.__cause__, "response", {})
    return str(answer.get("Item", {}).get("state", {}).get("S", ""))


def _number(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp()))}
