"""AWS Organizations: which organization an account is in, and who runs CloudTrail for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.destinations import ClientsFor
from opentrail.adapters.aws.failure import storage_errors
from opentrail.model.resource import Organization

CLOUDTRAIL = "cloudtrail.amazonaws.com"


class AwsOrganizations:
    """Asked afresh each time: an account may join or leave at any moment.

    What only the management account may see or do is done in its name. ``region``
    is where Organizations, which has no Regions, is asked.
    """

    def __init__(self, clients_for: ClientsFor, region: str) -> None:
        self._clients_for = clients_for
        self._region = region

    def of(self, account: str) -> Organization | None:
        """See ``opentrail.api.ports.Organizations``."""
        with storage_errors(f"describe the organization of {account}"):
            try:
                found = self._client(account).describe_organization()["Organization"]
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
        client = self._client(organization.management_account)
        with storage_errors(f"list the services {organization.id} trusts"):
            pages = client.get_paginator("list_aws_service_access_for_organization").paginate()
            return any(
                s["ServicePrincipal"] == CLOUDTRAIL for p in pages for s in p["EnabledServicePrincipals"]
            )

    def delegated_admins(self, organization: Organization) -> frozenset[str]:
        """See ``opentrail.api.ports.Organizations``."""
        client = self._client(organization.management_account)
        with storage_errors(f"list the delegated administrators of {organization.id}"):
            pages = client.get_paginator("list_delegated_administrators").paginate(
                ServicePrincipal=CLOUDTRAIL
            )
            return frozenset(a["Id"] for p in pages for a in p["DelegatedAdministrators"])

    def has_account(self, organization: Organization, account: str) -> bool:
        """See ``opentrail.api.ports.Organizations``."""
        with storage_errors(f"look for {account} in {organization.id}"):
            try:
                self._client(organization.management_account).describe_account(AccountId=account)
            except ClientError as error:
                if error.response["Error"]["Code"] == "AccountNotFoundException":
                    return False
                raise
        return True

    def add_admin(self, organization: Organization, account: str) -> None:
        """See ``opentrail.api.ports.Organizations``."""
        with storage_errors(f"register {account} as delegated administrator"):
            self._client(organization.management_account).register_delegated_administrator(
                AccountId=account, ServicePrincipal=CLOUDTRAIL
            )

    def remove_admin(self, organization: Organization, account: str) -> None:
        """See ``opentrail.api.ports.Organizations``."""
        with storage_errors(f"deregister the delegated administrator {account}"):
            self._client(organization.management_account).deregister_delegated_administrator(
                AccountId=account, ServicePrincipal=CLOUDTRAIL
            )

    def _client(self, account: str) -> Any:
        return self._clients_for(account, self._region)("organizations")


class OwnOrganization:
    """The accounts of the organization that the deployment's own account is in.

    Only the management account and delegated administrators may list them, and only they
    may have trails of an organization. ``make_client`` makes a client of Organizations when
    it is needed first: loading it takes time that most deployments need not spend.
    """

    def __init__(self, make_client: Callable[[], Any]) -> None:
        self._make_client = make_client

    def members(self) -> dict[str, frozenset[str]]:
        """The accounts by organization ID; nothing when the account is in no organization.

        Raises:
            StorageError: Organizations refused or did not answer.
        """
        client = self._make_client()
        members: dict[str, set[str]] = {}
        with storage_errors("list the accounts of the organization"):
            try:
                for page in client.get_paginator("list_accounts").paginate():
                    for account in page["Accounts"]:
                        organization = account["Arn"].split("/")[1]  # ...:account/<organization>/<account>
                        members.setdefault(organization, set()).add(account["Id"])
            except client.exceptions.AWSOrganizationsNotInUseException:
                return {}
        return {organization: frozenset(accounts) for organization, accounts in members.items()}
