"""Who runs CloudTrail for an organization besides its management account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.api.errors import ApiError
from opentrail.api.organizations import managed_organization
from opentrail.api.scene import Scene

MAX_ADMINS = 3  # Source: user guide, "Organization delegated administrator"

Members = Mapping[str, Any]


def register_admin(scene: Scene, given: Members) -> Members:
    """RegisterOrganizationDelegatedAdmin, by the management account only."""
    account, port = given["MemberAccountId"], scene.ports.organizations
    organization = managed_organization(scene)
    if account == organization.management_account:
        message = "The management account cannot be a delegated administrator."
        raise ApiError("CannotDelegateManagementAccountException", message)
    if not port.has_account(organization, account):
        raise _not_found(account)
    admins = port.delegated_admins(organization)
    if account in admins:
        message = f"Account {account} is a delegated administrator already."
        raise ApiError("AccountRegisteredException", message)
    if len(admins) >= MAX_ADMINS:
        message = f"An organization has at most {MAX_ADMINS} delegated administrators for CloudTrail."
        raise ApiError("DelegatedAdminAccountLimitExceededException", message)
    port.add_admin(organization, account)
    return {}


def deregister_admin(scene: Scene, given: Members) -> Members:
    """DeregisterOrganizationDelegatedAdmin. Trails the account made stay; it never owned them."""
    account, port = given["DelegatedAdminAccountId"], scene.ports.organizations
    organization = managed_organization(scene)
    if not port.has_account(organization, account):
        raise _not_found(account)
    if account not in port.delegated_admins(organization):
        message = f"Account {account} is not a delegated administrator."
        raise ApiError("AccountNotRegisteredException", message)
    port.remove_admin(organization, account)
    return {}


def _not_found(account: str) -> ApiError:
    return ApiError("AccountNotFoundException", f"Account {account} is not in the organization.")
