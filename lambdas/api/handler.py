"""HTTP API request (payload format 2.0) -> CloudTrail's answer.

API Gateway has checked the signature and that the caller may invoke this route; who
called, it says in the request context, and only that is believed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.destinations import CloudWatchLogGroups, IamRoles, KmsKeys, S3Buckets, SnsTopics
from opentrail.adapters.aws.history import DynamoLookupRate, DynamoSegments, S3SegmentFiles
from opentrail.adapters.aws.insights import DynamoInsights
from opentrail.adapters.aws.organizations import AwsOrganizations
from opentrail.adapters.aws.regions import known_regions
from opentrail.adapters.aws.signing_keys import ListedKeys, signing_keys
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.api.app import ApiReply, ApiRequest, CloudTrailApi
from opentrail.api.ports import Ports
from opentrail.settings import ApiSettings

# Which Region's CloudTrail is meant; absent means this function's own. An unchanged client says it in
# the scope of its signature, and a request has been signed anew for the Region of the API when it
# arrives here (opentrail/client.py), so it needs a place of its own. Signed like any header.
REGION_HEADER = "x-opentrail-region"

logger = Logger(service="api")
metrics = Metrics(namespace="OpenTrail", service="api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The API function's parts."""

    api: CloudTrailApi
    region: str  # the one this function runs in

    def answer(self, request: dict[str, Any], now: datetime) -> ApiReply:
        """Answer one request of API Gateway; whatever is wrong with it, the answer says so."""
        context = request["requestContext"]
        caller = context.get("authorizer", {}).get("iam") or {}
        region = request.get("headers", {}).get(REGION_HEADER, self.region)
        if not caller.get("accountId"):  # a route somebody made without authorization
            return _refuse(context, "MissingAuthenticationTokenException", "The request is not signed.")
        if region not in known_regions():
            return _refuse(context, "InvalidSignatureException", f"There is no Region {region[:64]!r}.")
        return self.api.answer(
            ApiRequest(
                # The route, never X-Amz-Target: the caller was allowed this operation and no other.
                target=request["routeKey"].rpartition("/")[2],
                body=_body(request),
                account=caller["accountId"],
                region=region,
                caller_arn=caller.get("userArn", ""),
                now=now,
                request_id=context.get("requestId", ""),
            )
        )


def _body(request: dict[str, Any]) -> bytes:
    body = request.get("body") or ""
    if not request.get("isBase64Encoded"):
        return str(body).encode("utf-8", "surrogatepass")  # a lone surrogate is then refused as no JSON
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return str(body).encode("utf-8", "surrogatepass")  # what is neither is refused as no JSON


def _refuse(context: dict[str, Any], code: str, message: str) -> ApiReply:
    body = json.dumps({"__type": code, "Message": message}).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-RequestId": context.get("requestId", ""),
    }
    return ApiReply(status=403, body=body, headers=headers)


def build(settings: ApiSettings, clients: Any = client, *, region: str) -> Endpoint:
    """Wire the function. ``clients`` answers a client for a service, of a Region if one is given."""

    # The function has one identity: what is another account's it sees as far as that account lets it.
    def clients_for(_account: str, region: str) -> Callable[[str], Any]:
        return partial(clients, region=region)

    ports = Ports(
        trails=DynamoTrails(clients("dynamodb"), settings.trails_table),
        buckets=S3Buckets(clients_for, region),
        keys=KmsKeys(clients_for),
        topics=SnsTopics(clients_for),
        log_groups=CloudWatchLogGroups(clients_for),
        roles=IamRoles(clients_for, region),
        public_keys=ListedKeys(
            signing_keys(
                clients("dynamodb"),
                clients("kms"),
                table=settings.ledger_table,
                first_key_id=settings.signing_key_id,
            )
        ),
        organizations=AwsOrganizations(clients_for, region),
        segments=DynamoSegments(clients("dynamodb"), settings.history_table),
        segment_files=S3SegmentFiles(clients("s3")),
        call_counts=DynamoInsights(clients("dynamodb"), settings.history_table),
        lookup_rate=DynamoLookupRate(
            clients("dynamodb"), settings.history_table, per_second=settings.lookups_per_second
        ),
    )
    return Endpoint(api=CloudTrailApi(ports), region=region)


@cache
def wired() -> Endpoint:
    """Read settings and open clients, once per container."""
    return build(ApiSettings.from_env(os.environ), region=os.environ["AWS_REGION"])


@logger.inject_lambda_context
@metrics.log_metrics
def handler(request: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    reply = wired().answer(request, datetime.now(UTC))

    operation = request["routeKey"].rpartition("/")[2]
    if reply.failure:
        logger.error("request failed", operation=operation, status=reply.status, reason=reply.failure)
    logger.info("answered", operation=operation, status=reply.status)
    metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="RequestsFailed", unit=MetricUnit.Count, value=int(reply.status >= 500))
    return {"statusCode": reply.status, "headers": reply.headers, "body": reply.body.decode()}


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # pay for clients in INIT, not in the first call
    wired()
