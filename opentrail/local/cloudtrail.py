"""CloudTrail on the laptop: the API over the deployed tables and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from opentrail.adapters.aws.destinations import (
    CloudWatchLogGroups,
    IamRoles,
    KmsKeys,
    S3Buckets,
    SnsTopics,
)
from opentrail.adapters.aws.history import DynamoLookupRate, DynamoSegments, S3SegmentFiles
from opentrail.adapters.aws.insights import DynamoInsights
from opentrail.adapters.aws.organizations import AwsOrganizations
from opentrail.adapters.aws.signing_keys import ListedKeys, signing_keys
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.api.app import ApiRequest, CloudTrailApi
from opentrail.api.ports import Ports
from opentrail.local.call import Call, Reply, ServiceHandler
from opentrail.local.policy_templates import TEMPLATE_OWNER, publish_policy_templates

FIRST_REGION = "us-east-1"  # where services without Regions are asked
UNSIGNED = Reply(
    status=403,
    headers={"Content-Type": "application/x-amz-json-1.1"},
    body=b'{"__type":"MissingAuthenticationTokenException","Message":"Missing Authentication Token"}',
)


class Clients(Protocol):
    """Unrecorded clients; without Region and account, of those OpenTrail is deployed in."""

    region: str

    def __call__(self, service: str, *, region: str = "", account: str = "") -> Any:
        """The client of ``service``."""


def cloudtrail_service(
    clients: Clients, outputs: Mapping[str, str], *, lookups_per_second: int = 0
) -> ServiceHandler:
    """The handler for the service ``cloudtrail``, and what the aws-cli expects to find beside it.

    Args:
        clients: makes boto3 clients below the gateway, of any account and Region.
        outputs: the storage stack's; ``TrailsTableName``, ``HistoryTableName``,
            ``LedgerTableName`` and ``SigningKeyId`` are used.
        lookups_per_second: LookupEvents that each account gets answered in each Region;
            0 for as many as anybody likes.

    Returns:
        ServiceHandler: it never raises for what a caller sends.
    """
    publish_policy_templates(clients("s3", account=TEMPLATE_OWNER), clients.region)
    api = CloudTrailApi(make_ports(clients, outputs, lookups_per_second))

    def handle(call: Call) -> Reply:
        if not call.caller.account.isdecimal():  # an unsigned call is nobody's
            return UNSIGNED
        reply = api.answer(
            ApiRequest(
                target=call.headers.get("x-amz-target", call.operation),
                body=call.body,
                account=call.caller.account,
                region=call.region,
                caller_arn=call.caller.arn,
                now=call.arrived,
                request_id=call.request_id,
            )
        )
        return Reply(status=reply.status, headers=reply.headers, body=reply.body)

    return handle


def make_ports(clients: Clients, outputs: Mapping[str, str], lookups_per_second: int = 0) -> Ports:
    """The AWS adapters over the deployed resources; buckets, keys and topics may be anywhere."""
    rate = DynamoLookupRate(clients("dynamodb"), outputs["HistoryTableName"], per_second=lookups_per_second)

    def clients_for(account: str, region: str) -> Callable[[str], Any]:
        return partial(clients, account=account, region=region)

    return Ports(
        trails=DynamoTrails(clients("dynamodb"), outputs["TrailsTableName"]),
        buckets=S3Buckets(clients_for, FIRST_REGION),
        keys=KmsKeys(clients_for),
        topics=SnsTopics(clients_for),
        log_groups=CloudWatchLogGroups(clients_for),
        roles=IamRoles(clients_for, FIRST_REGION),
        public_keys=ListedKeys(
            signing_keys(
                clients("dynamodb"),
                clients("kms"),
                table=outputs["LedgerTableName"],
                first_key_id=outputs["SigningKeyId"],
            )
        ),
        organizations=AwsOrganizations(clients_for, FIRST_REGION),
        segments=DynamoSegments(clients("dynamodb"), outputs["HistoryTableName"]),
        segment_files=S3SegmentFiles(clients("s3")),
        call_counts=DynamoInsights(clients("dynamodb"), outputs["HistoryTableName"]),
        lookup_rate=rate if lookups_per_second else None,
    )
