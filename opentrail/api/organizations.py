"""Who may make a trail for the organization, and who owns it then."""

from __future__ import annotations

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.api.visibility import organization_of


def owner_of_new_trail(scene: Scene) -> tuple[str, str]:
    """(owner account, organization ID): the management account owns it whoever makes it.

    Raises:
        ApiError: OrganizationsNotInUseException, NotOrganizationMasterAccountException,
            OrganizationNotInAllFeaturesModeException or CloudTrailAccessNotEnabledException.

    Source: user guide, "Creating a trail for an organization".
    """
    organization = organization_of(scene)
    if organization is None:
        message = f"Account {scene.account} is not a member of an organization."
        raise ApiError("OrganizationsNotInUseException", message)
    port = scene.ports.organizations
    if scene.account not in {organization.management_account, *port.delegated_admins(organization)}:
        message = "Only the management account or a delegated administrator may do this for the organization."
        raise ApiError("NotOrganizationMasterAccountException", message)
    if not organization.all_features:
        message = "The organization does not have all features enabled."
        raise ApiError("OrganizationNotInAllFeaturesModeException", message)
    if not port.trusts_cloudtrail(organization):
        message = "Trusted access for CloudTrail is not enabled in the organization."
        raise ApiError("CloudTrailAccessNotEnabledException", message)
    return organization.management_account, organization.id
