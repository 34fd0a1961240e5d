"""AWS Organizations: which organization an account is in, and who runs CloudTrail for it."""

from __future__ import annotations

from botocore.exceptions import ClientError

from opentrail.adapters.aws.destinations import ClientsFor
from opentrail.adapters.aws.failure import storage_errors
from opentrail.model.resource import Organization

CLOUDTRAIL = "cloudtrail.amazonaws.com"


class AwsOrganizations:
    """Asked afresh each time: an account may join or leave at any moment."""

    def __init__(self, clients_for: ClientsFor, region: str) -> None:
        self._clients_for = clients_for
        self._region = region

    def of(self, account: str) -> Organization | None:
        """See ``opentrail.api.ports.Organizations``."""
        client = self._clients_for(account, self._region)("organizations")
        with storage_errors(f"describe the organization of {account}"):
            try:
                found = client.describe_organization()["Organization"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException":
                    return None
                raise
        return Organization(
            id=found["Id"],
            management_account=found["MasterAccountId"],
            all_features=found["FeatureSet"] == "ALL",
        )

    def trusts_cloudtrail(self, organization: Organization) -> bool:
        """See ``opentrail.api.ports.Organizations``."""
        client = self._clients_for(organization.management_account, self._region)("organizations")
        with storage_errors(f"list the services {organization.id} trusts"):
            pages = client.get_paginator("list_aws_service_access_for_organization").paginate()
            services = {s["ServicePrincipal"] for p in pages for s in p["EnabledServicePrincipals"]}
        return CLOUDTRAIL in services

    def delegated_admins(self, organization: Organization) -> frozenset[str]:
        """See ``opentrail.api.ports.Organizations``."""
        client = self._clients_for(organization.management_account, self._region)("organizations")
        with storage_errors(f"list the delegated administrators of {organization.id}"):
            pages = client.get_paginator("list_delegated_administrators").paginate(
                ServicePrincipal=CLOUDTRAIL
            )
            return frozenset(a["Id"] for p in pages for a in p["DelegatedAdministrators"])
