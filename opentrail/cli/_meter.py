"""What a deployment metered, read from its ledger, and what AWS measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployment import find_installed
from opentrail.adapters.aws.measured import measure
from opentrail.adapters.aws.signing_keys import DynamoKeyRegistry
from opentrail.adapters.aws.usage import DynamoUsage
from opentrail.branches.cost import Load, Measured, combine, load_of
from opentrail.model.event import Place
from opentrail.model.usage import Reading

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Metered:
    """What was delivered from one day to another, the load it was, what AWS measured, how many KMS keys."""

    first: date
    last: date
    readings: Sequence[Reading]
    load: Load
    measured: Measured
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
    deployed, outputs = find_installed(client, prefix)
    usage = DynamoUsage(client("dynamodb"), outputs["LedgerTableName"])
    readings = combine(usage.readings(first, last, today=today()))
    start, end = _midnight(first), _midnight(last + timedelta(days=1))
    stood = min(end, datetime.now(UTC)) - max(start, deployed)
    load = load_of(readings, days=max(stood.total_seconds(), 0) / DAY_SECONDS, home=_home())
    return Metered(first, last, readings, load, measure(client, outputs, start, end), _count_keys(outputs))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _home() -> Place:
    sts = client("sts")
    return Place(sts.get_caller_identity()["Account"], sts.meta.region_name)


def _count_keys(outputs: Mapping[str, str]) -> int:
    """Keys that encrypt, if any, and those that sign or once did."""
    registry = DynamoKeyRegistry(client("dynamodb"), outputs["LedgerTableName"])
    return ("EncryptionKeyArn" in outputs) + max(len(registry.entries()), 1)
