"""An organization's trail on a laptop: one trail, every member, every Region, and what aws-cli says of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.laptop.conftest import Laptop, bucket_policy
from tests.support.records import ACCOUNT, REGION

BUCKET = "audit-organization"
ABROAD = "eu-west-1"


@dataclass(frozen=True)
class Organization:
    """An organization with one member and a logging trail of all Regions that the management account made."""

    laptop: Laptop
    id: str
    member: str
    trail_arn: str
    member_keys: dict[str, str]  # credentials in the member account
    files: list[str]  # log files as of the digests: whoever looks at the trail is recorded too

    def in_member(self, service: str, region: str = REGION) -> Any:
        """A client of somebody in the member account."""
        make: Any = boto3.client
        return make(service, endpoint_url=self.laptop.endpoint, region_name=region, **self.member_keys)

    def folder(self, account: str, region: str, kind: str = "CloudTrail") -> list[str]:
        return self.laptop.keys(BUCKET, f"AWSLogs/{self.id}/{account}/{kind}/{region}/")


@pytest.fixture(scope="module")
def organization(laptop: Laptop) -> Organization:
    directory = laptop.client("organizations")
    id_ = directory.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    directory.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    created = directory.create_account(Email="member@example.com", AccountName="member")
    member = created["CreateAccountStatus"]["AccountId"]
    s3, cloudtrail = laptop.client("s3"), laptop.client("cloudtrail")
    s3.create_bucket(Bucket=BUCKET)
    policy = bucket_policy(BUCKET)
    write = policy["Statement"][1]
    policy["Statement"].append({**write, "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/{id_}/*"})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    arn = cloudtrail.create_trail(
        Name="org",
        S3BucketName=BUCKET,
        IsOrganizationTrail=True,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
    )["TrailARN"]
    cloudtrail.start_logging(Name="org")
    role = f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole"
    session = laptop.client("sts").assume_role(RoleArn=role, RoleSessionName="ops")["Credentials"]
    keys = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }
    found = Organization(laptop, id_, member, arn, keys, files=[])
    laptop.client("iam").create_user(UserName="management-user")
    found.in_member("iam").create_user(UserName="member-user")
    found.in_member("sqs", ABROAD).create_queue(QueueName="member-queue")
    laptop.flush(digest=True)
    found.files.extend(laptop.keys(BUCKET, "/CloudTrail/"))
    return found


def test_its_files_lie_under_the_organization_by_account_and_region(organization: Organization) -> None:
    assert organization.trail_arn == f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/org"
    assert organization.folder(ACCOUNT, REGION)
    assert organization.folder(organization.member, REGION)
    assert organization.folder(organization.member, ABROAD)
    assert organization.folder(organization.member, ABROAD, "CloudTrail-Digest")
    assert organization.laptop.keys(BUCKET, f"AWSLogs/{ACCOUNT}/CloudTrail/") == []


@pytest.mark.parametrize(
    ("account", "region"), [("management", REGION), ("member", REGION), ("member", ABROAD)]
)
def test_the_cli_validates_it_account_by_account(
    organization: Organization, account: str, region: str
) -> None:
    number = ACCOUNT if account == "management" else organization.member

    done = organization.laptop.run(
        "aws",
        f"cloudtrail validate-logs --trail-arn {organization.trail_arn} --account-id {number} "
        f"--start-time 2020-01-01T00:00:00Z --verbose --region {region}",
    )

    logs = [key for key in organization.files if f"/{number}/CloudTrail/{region}/" in key]
    printed = done.stdout.splitlines()
    valid = {text.split("\t")[1] for text in printed if text.startswith("Log file\t") and "valid" in text}
    assert (done.returncode, done.stderr) == (0, "")
    assert valid == {f"s3://{BUCKET}/{key}" for key in logs}
    assert printed[-1] == f"{len(logs)}/{len(logs)} log files valid"


def test_the_cli_asks_for_the_account_of_an_organizations_trail(organization: Organization) -> None:
    done = organization.laptop.run(
        "aws",
        f"cloudtrail validate-logs --trail-arn {organization.trail_arn} --start-time 2020-01-01T00:00:00Z",
    )

    assert done.returncode != 0
    assert "Missing required parameter for organization trail" in done.stderr


def test_a_member_sees_the_trail_everywhere_and_changes_nothing(organization: Organization) -> None:
    for region in (REGION, ABROAD):
        trails = organization.in_member("cloudtrail", region).describe_trails()["trailList"]
        assert [(t["TrailARN"], t["HomeRegion"]) for t in trails] == [(organization.trail_arn, REGION)]
    member = organization.in_member("cloudtrail")
    assert member.get_trail_status(Name=organization.trail_arn)["IsLogging"] is True
    writes: dict[str, dict[str, Any]] = {
        "stop_logging": {"Name": organization.trail_arn},
        "delete_trail": {"Name": organization.trail_arn},
        "update_trail": {"Name": organization.trail_arn, "S3KeyPrefix": "x"},
        "put_event_selectors": {
            "TrailName": organization.trail_arn,
            "EventSelectors": [{"ReadWriteType": "ReadOnly"}],
        },
    }
    for method, parameters in writes.items():
        with pytest.raises(ClientError, match=r"\(OperationNotPermittedException\)"):
            getattr(member, method)(**parameters)
    with pytest.raises(ClientError, match=r"\(TrailNotFoundException\)"):
        member.get_trail_status(Name="org")


def test_a_delegated_administrator_makes_trails_that_the_management_account_owns(
    organization: Organization,
) -> None:
    laptop, member = organization.laptop, organization.in_member("cloudtrail")
    laptop.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=organization.member)

    made = member.create_trail(Name="org2", S3BucketName=BUCKET, IsOrganizationTrail=True)
    member.start_logging(Name=made["TrailARN"])

    assert made["TrailARN"] == f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/org2"
    assert laptop.client("cloudtrail").get_trail_status(Name="org2")["IsLogging"] is True
    member.delete_trail(Name=made["TrailARN"])
    laptop.client("cloudtrail").deregister_organization_delegated_admin(
        DelegatedAdminAccountId=organization.member
    )
