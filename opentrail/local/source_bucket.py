"""A bucket on the laptop that stands for one CloudTrail has long been writing to, and its ingest stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STACK = "OpenTrailIngest"
BUCKET = "opentrail-source"  # `make synth` names it; a template cannot ask for a name

# EventBridge's copy comes first: a delivery window of the laptop, and what recording takes.
EXTRA_DELAY_SECONDS = 2
LONGEST_DELAY_SECONDS = 900
LATE_SECONDS = "600"  # the template's own; without a source bucket no event is asked for, however old


def make_source_bucket(clients: Callable[[str], Any]) -> None:
    """Make the bucket with EventBridge notifications on, as a user of AWS switches them on."""
    s3 = clients("s3")
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=BUCKET, **where)
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def ingest_parameters(delivery_seconds: int) -> dict[str, str]:
    """The stack's parameters with the laptop's cadence."""
    delay = min(delivery_seconds + EXTRA_DELAY_SECONDS, LONGEST_DELAY_SECONDS)
    return {"IngestDelaySeconds": str(delay)}
