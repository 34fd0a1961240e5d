"""Which trails an account sees in a Region, and which of them it may change there.

A trail is seen in its home Region; a multi-Region trail in every Region (the
"shadow" trails); an organization's trail in every account of the organization.
It is changed only from its home Region, and an organization's trail only by the
management account or a delegated administrator.

Source: user guide, "Understanding multi-Region trails" and "Creating a trail
for an organization".
"""

from __future__ import annotations

from collections.abc import Iterator

from opentrail.api.errors import ApiError
from opentrail.api.names import TrailRef, parse_trail_ref
from opentrail.api.ports import Stored
from opentrail.api.scene import Scene
from opentrail.model.resource import Organization
from opentrail.model.trail import Trail


def visible_trails(scene: Scene) -> list[Trail]:
    """Every trail the account sees in the Region: home trails first, then shadows, each by name."""
    seen = (trail for trail in _known_trails(scene) if _is_seen(trail, scene.region))
    return sorted(seen, key=lambda t: (is_shadow(t, scene), t.name, t.home_region))


def is_shadow(trail: Trail, scene: Scene) -> bool:
    """True when the trail's home is another Region, or another account of the organization."""
    return trail.home_region != scene.region or trail.account != scene.account


def find_readable(scene: Scene, text: str, *, expand: bool = True) -> Trail:
    """The trail a read operation names; shadows answer to their ARN only.

    UNCONFIRMED for the ARN of a trail that is not seen in the Region: the error is one observed in 2017.

    Args:
        scene: who asks, and where.
        text: name or ARN.
        expand: whether the error for a bare name shows it as an ARN, which is up to the operation.

    Raises:
        ApiError: TrailNotFoundException, InvalidTrailNameException or CloudTrailARNInvalidException.
    """
    ref = parse_trail_ref(text, scene.partition)
    stored = locate(scene, ref)
    if stored is None:
        raise _unknown(scene, ref, text, expand)
    if not _is_seen(stored.trail, scene.region):
        message = f"Region in ARN is wrong, you can only access resources in region {scene.region}."
        raise ApiError("CloudTrailARNInvalidException", message)
    return stored.trail


def find_writable(scene: Scene, text: str, *, expand: bool = True) -> Stored:
    """The trail a write operation names, with its version.

    Args and errors are those of ``find_readable``, and:

    Raises:
        ApiError: InvalidHomeRegionException from any other Region;
            OperationNotPermittedException for a member of the organization.
    """
    ref = parse_trail_ref(text, scene.partition)
    stored = locate(scene, ref)
    if stored is None:
        homes = [] if ref.account else [t.home_region for t in _shadows_named(scene, ref.name)]
        raise _foreign_home(homes[0]) if homes else _unknown(scene, ref, text, expand)
    if stored.trail.home_region != scene.region:
        raise _foreign_home(stored.trail.home_region)
    refuse_member(scene, stored.trail)
    return stored


def organization_of(scene: Scene) -> Organization | None:
    """The organization of the account that asks."""
    return scene.ports.organizations.of(scene.account)


def _known_trails(scene: Scene) -> Iterator[Trail]:
    yield from scene.ports.trails.trails_of(scene.account)
    organization = organization_of(scene)
    if organization and organization.management_account != scene.account:
        owned = scene.ports.trails.trails_of(organization.management_account)
        yield from (trail for trail in owned if trail.organization_id == organization.id)


def _is_seen(trail: Trail, region: str) -> bool:
    return trail.multi_region or trail.home_region == region


def locate(scene: Scene, ref: TrailRef) -> Stored | None:
    """The trail of that name or ARN if the account may know of it, seen from this Region or not."""
    account, region = ref.account or scene.account, ref.region or scene.region
    stored = scene.ports.trails.read(account, region, ref.name)
    if stored is None or account == scene.account:
        return stored
    organization = organization_of(scene)
    return stored if organization and organization.id == stored.trail.organization_id else None


def _shadows_named(scene: Scene, name: str) -> Iterator[Trail]:
    owned = scene.ports.trails.trails_of(scene.account)
    return (trail for trail in owned if trail.multi_region and trail.name == name)


def refuse_member(scene: Scene, trail: Trail) -> None:
    """Do nothing when the account may change ``trail``.

    Raises:
        ApiError: OperationNotPermittedException for a member of the organization that owns it.
    """
    if trail.account == scene.account:
        return
    organization = organization_of(scene)
    admins = scene.ports.organizations.delegated_admins(organization) if organization else frozenset()
    if scene.account not in admins:
        message = f"Account {scene.account} may not change the organization trail {trail.arn}."
        raise ApiError("OperationNotPermittedException", message)


def _unknown(scene: Scene, ref: TrailRef, text: str, expand: bool) -> ApiError:
    arn = f"arn:{scene.partition}:cloudtrail:{scene.region}:{scene.account}:trail/{ref.name}"
    shown = arn if expand and not ref.account else text
    return ApiError("TrailNotFoundException", f"Unknown trail: {shown} for the user: {scene.account}")


def _foreign_home(region: str) -> ApiError:
    message = f"The trail can be changed only from its home region, which is {region}."
    return ApiError("InvalidHomeRegionException", message)
