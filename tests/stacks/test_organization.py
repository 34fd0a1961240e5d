"""An organization on the laptop: three accounts, two Regions, the real forwarders, one trail."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from opentrail.format.keys import parse_digest_key, parse_log_key
from opentrail.format.log_file import split_records
from opentrail.local.deployer.engine import Engine
from opentrail.local.deployer.state import StackStore
from opentrail.local.events import Collector
from opentrail.model.event import Place
from opentrail.testing.trail import LoggingTrail
from opentrail.testing.world import OpenTrail
from tests.stacks.conftest import Forwarders

REGIONS = ("us-east-1", "eu-west-1")
CALLS = ("CreateQueue", "ListQueues")  # a write, and a read that only rules for all management events see
SESSION: Any = boto3  # its stubs know only literal names of services


class Organization:
    """The deployment's account as management account, two members, and the forwarders everywhere else."""

    def __init__(self, opentrail: OpenTrail, forwarders: Forwarders) -> None:
        self.home = opentrail
        directory = opentrail.client("organizations")
        self.id: str = directory.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        directory.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        self.members = [self._join(directory, name) for name in ("dev", "prod")]
        self.accounts = [opentrail.account, *self.members]
        self.places = list(product(self.accounts, REGIONS))
        for account, region in self.places:
            template = forwarders.region if account == opentrail.account else forwarders.member
            given = {"HomeRegion": opentrail.region, "HomeAccount": opentrail.account}
            engine = Engine(
                partial(opentrail.runtime.clients, account=account, region=region),
                account=account,
                region=region,
                store=StackStore(),
                now=lambda: datetime.now(UTC),
            )
            parameters = {name: given[name] for name in template.body["Parameters"]}
            engine.deploy("OpenTrailForwarder", template.body, parameters)

    def _join(self, directory: Any, name: str) -> str:
        made = directory.create_account(Email=f"{name}@example.com", AccountName=name)
        return str(made["CreateAccountStatus"]["AccountId"])

    def client(self, service: str, account: str, region: str) -> Any:
        """Somebody's client in an account and Region; its calls are recorded."""
        if account == self.home.account:
            return SESSION.client(service, region_name=region)
        role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        lent = self.home.client("sts").assume_role(RoleArn=role, RoleSessionName="admin")["Credentials"]
        return SESSION.client(
            service,
            region_name=region,
            aws_access_key_id=lent["AccessKeyId"],
            aws_secret_access_key=lent["SecretAccessKey"],
            aws_session_token=lent["SessionToken"],
        )


@pytest.fixture
def organization(opentrail: OpenTrail, forwarders: Forwarders) -> Organization:
    return Organization(opentrail, forwarders)


def delivered(trail: LoggingTrail, organization_id: str) -> list[tuple[tuple[str, str], str]]:
    """Place and name of every record, each checked to lie under the key of its account and Region."""
    found = []
    for key in trail.log_files():
        parsed = parse_log_key(key)
        assert parsed.organization == organization_id
        for raw in split_records(trail.read(key)):
            record = json.loads(raw)
            assert (record["recipientAccountId"], record["awsRegion"]) == parsed.place
            found.append((parsed.place, record["eventName"]))
    return found


def test_one_trail_holds_the_calls_of_all_accounts_and_regions_each_under_its_own_key(
    opentrail: OpenTrail, organization: Organization
) -> None:
    opentrail.runtime.bus.collector = Collector()  # nothing comes home but by the forwarders
    trail = opentrail.trail(IsOrganizationTrail=True)
    for account, region in organization.places:
        organization.client("sqs", account, region).create_queue(QueueName=f"q-{account}-{region}")
        organization.client("sqs", account, region).list_queues()

    opentrail.flush(digest=True)

    wanted = [(place, name) for place in organization.places for name in CALLS]
    assert sorted(one for one in delivered(trail, organization.id) if one[1] in CALLS) == sorted(wanted)
    digested = {parse_digest_key(key).place for key in trail.digests()}
    assert digested == {Place(*place) for place in organization.places}


def test_a_member_can_neither_stop_nor_change_nor_delete_the_trail(
    opentrail: OpenTrail, organization: Organization
) -> None:
    trail = opentrail.trail(IsOrganizationTrail=True)
    member = organization.client("cloudtrail", organization.members[0], REGIONS[0])
    attempts: dict[str, dict[str, Any]] = {
        "stop_logging": {"Name": trail.arn},
        "update_trail": {"Name": trail.arn, "IsMultiRegionTrail": False},
        "put_event_selectors": {"TrailName": trail.arn, "EventSelectors": [{"ReadWriteType": "ReadOnly"}]},
        "delete_trail": {"Name": trail.arn},
    }

    refusals = {}
    for method, arguments in attempts.items():
        with pytest.raises(ClientError) as refused:
            getattr(member, method)(**arguments)
        refusals[method] = refused.value.response["Error"]["Code"]

    assert refusals == dict.fromkeys(attempts, "OperationNotPermittedException")
    assert member.get_trail(Name=trail.arn)["Trail"]["IsOrganizationTrail"] is True
    assert opentrail.client("cloudtrail").get_trail_status(Name=trail.arn)["IsLogging"] is True
