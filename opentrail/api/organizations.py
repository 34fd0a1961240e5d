"""What only some accounts of an organization may do, and on which conditions.

Source: user guide, "Creating a trail for an organization" and "Organization
delegated administrator".
"""

from __future__ import annotations

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.api.visibility import organization_of
from opentrail.model.resource import Organization


def owner_of_new_trail(scene: Scene) -> tuple[str, str]:
    """(owner account, organization ID): the management account owns it whoever makes it.

    Raises:
        ApiError: OrganizationsNotInUseException, NotOrganizationMasterAccountException,
            OrganizationNotInAllFeaturesModeException or CloudTrailAccessNotEnabledException.
    """
    organization = _organization(scene)
    admins = scene.ports.organizations.delegated_admins(organization)
    if scene.account not in {organization.management_account, *admins}:
        message = "Only the management account or a delegated administrator may do this for the organization."
        raise ApiError("NotOrganizationMasterAccountException", message)
    _check_ready(scene, organization)
    return organization.management_account, organization.id


def managed_organization(scene: Scene) -> Organization:
    """The organization that the account manages.

    Raises:
        ApiError: as ``owner_of_new_trail``, but NotOrganizationManagementAccountException
            for every account except the management account.
    """
    organization = _organization(scene)
    if scene.account != organization.management_account:
        message = "Only the management account of the organization may do this."
        raise ApiError("NotOrganizationManagementAccountException", message)
    _check_ready(scene, organization)
    return organization


def _organization(scene: Scene) -> Organization:
    organization = organization_of(scene)
    if organization is None:
        message = f"Account {scene.account} is not a member of an organization."
        raise ApiError("OrganizationsNotInUseException", message)
    return organization


def _check_ready(scene: Scene, organization: Organization) -> None:
    if not organization.all_features:
        message = "The organization does not have all features enabled."
        raise ApiError("OrganizationNotInAllFeaturesModeException", message)
    if not scene.ports.organizations.trusts_cloudtrail(organization):
        message = "Trusted access for CloudTrail is not enabled in the organization."
        raise ApiError("CloudTrailAccessNotEnabledException", message)
