"""An organization trail on the laptop, with moto's Organizations as the directory."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from moto.organizations.models import FakeDelegatedAdministrator

from opentrail.adapters.aws.organizations import CLOUDTRAIL
from tests.conformance.api.conftest import ACCOUNT, REGION, Laptop, bucket_policy

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"


def test_members_see_the_trail_and_cannot_change_it(
    laptop: Laptop, make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    supported = [*FakeDelegatedAdministrator.SUPPORTED_SERVICES, CLOUDTRAIL]  # moto's list is out of date
    monkeypatch.setattr(FakeDelegatedAdministrator, "SUPPORTED_SERVICES", supported)
    organizations = laptop.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    organizations.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    account = organizations.create_account(Email="a@example.com", AccountName="a")
    member = account["CreateAccountStatus"]["AccountId"]
    bucket = make_bucket()
    policy = bucket_policy(bucket)
    write = policy["Statement"][1]
    policy["Statement"].append({**write, "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{organization}/*"})
    laptop.clients("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

    laptop.client("cloudtrail").create_trail(
        Name="audit", S3BucketName=bucket, IsOrganizationTrail=True, IsMultiRegionTrail=True
    )
    seen = laptop.client("cloudtrail", "eu-west-1", account=member).describe_trails()["trailList"]

    assert [(t["TrailARN"], t["IsOrganizationTrail"], t["HomeRegion"]) for t in seen] == [(ARN, True, REGION)]
    with pytest.raises(ClientError, match=r"\(OperationNotPermittedException\)"):
        laptop.client("cloudtrail", account=member).stop_logging(Name=ARN)
    laptop.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=member)
    laptop.client("cloudtrail", account=member).start_logging(Name=ARN)
    assert laptop.client("cloudtrail").get_trail_status(Name="audit")["IsLogging"] is True
