"""Schedule -> a new signing key in KMS and in the ledger table, when the present one is due."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.signing_keys import DynamoKeyRegistry, KmsKeyMaker
from opentrail.errors import ConflictError
from opentrail.model.signing_key import SigningKey
from opentrail.pipeline.digest import rotate
from opentrail.settings import RotateSettings

logger = Logger(service="rotate")
metrics = Metrics(namespace="OpenTrail", service="rotate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotator:
    """The rotate function's parts."""

    settings: RotateSettings
    registry: DynamoKeyRegistry
    maker: KmsKeyMaker

    def rotate(self, now: datetime, *, at_once: bool) -> SigningKey | None:
        """The key that signs from now on, ``None`` when none was due."""
        return rotate(self.registry, self.maker, now=now, days=self.settings.rotation_days, at_once=at_once)


def build(settings: RotateSettings, clients: Any = client) -> Rotator:
    """Wire the function. ``clients`` answers a client for a service name."""
    return Rotator(
        settings=settings,
        registry=DynamoKeyRegistry(clients("dynamodb"), settings.ledger_table),
        maker=KmsKeyMaker(
            clients("kms"), settings.signing_key_id, policy=settings.key_policy, owner=settings.key_owner
        ),
    )


@cache
def wired() -> Rotator:
    """Read settings and open clients, once per container."""
    return build(RotateSettings.from_env(os.environ))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Rotate when it is time. ``{"rotate": true}`` does so now."""
    try:
        key = wired().rotate(datetime.now(UTC), at_once=event.get("rotate") is True)
    except ConflictError as error:
        logger.info("left to another run", reason=str(error))
        key = None

    if key is not None:
        logger.info("digests are signed with a new key", number=key.number, key=key.key_id)
    metrics.add_metric(name="KeysRotated", unit=MetricUnit.Count, value=int(key is not None))
    return {"rotated": key is not None, "key": key.key_id if key else ""}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
