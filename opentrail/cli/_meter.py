"""What a deployment metered, read from its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployment import find_storage
from opentrail.adapters.aws.signing_keys import DynamoKeyRegistry
from opentrail.adapters.aws.usage import DynamoUsage
from opentrail.branches.cost import Load, combine, load_of
from opentrail.model.event import Place
from opentrail.model.usage import Reading

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Metered:
    """What was delivered from one day to another, the load it was, and how many KMS keys there are."""

    first: date
    last: date
    readings: Sequence[Reading]
    load: Load
    keys: int


def today() -> date:
    """The day it is, UTC, as in readings."""
    return datetime.now(UTC).date()


def read_meter(prefix: str, first: date, last: date) -> Metered:
    """Read every day from ``first`` to ``last``.

    Raises:
        StorageError: there is no such deployment, or AWS refused.
        BotoCoreError: nothing answers.
        ClientError: no valid credentials.
    """
    deployed, outputs = find_storage(client, prefix)
    usage = DynamoUsage(client("dynamodb"), outputs["LedgerTableName"])
    readings = combine(usage.readings(first, last, today=today()))
    load = load_of(readings, days=_days(first, last, deployed), home=_home())
    return Metered(first, last, readings, load, _count_keys(outputs))


def _days(first: date, last: date, deployed: datetime) -> float:
    """How long the deployment stood in that time."""
    start = max(datetime.combine(first, time(), UTC), deployed)
    end = min(datetime.combine(last + timedelta(days=1), time(), UTC), datetime.now(UTC))
    return max((end - start).total_seconds(), 0) / DAY_SECONDS


def _home() -> Place:
    sts = client("sts")
    return Place(sts.get_caller_identity()["Account"], sts.meta.region_name)


def _count_keys(outputs: Mapping[str, str]) -> int:
    """Keys that encrypt, if any, and those that sign or once did."""
    registry = DynamoKeyRegistry(client("dynamodb"), outputs["LedgerTableName"])
    return ("EncryptionKeyArn" in outputs) + max(len(registry.entries()), 1)
