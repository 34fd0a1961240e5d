"""Organization trails and delegated administrators."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.model.resource import Bucket, Organization
from tests.unit.api.fakes import (
    ABROAD,
    ACCOUNT,
    ADMIN,
    HOME,
    MANAGEMENT,
    MEMBER,
    ORGANIZATION,
    World,
    bucket_policy,
    statements,
)

ARN = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/audit"


def make_world(**changes: Any) -> World:
    facts: dict[str, Any] = {"id": ORGANIZATION, "management_account": MANAGEMENT, "all_features": True}
    world = World(organization=Organization(**(facts | changes)))
    policy = bucket_policy(owner=MANAGEMENT)
    statements(policy).append(bucket_policy(owner=ORGANIZATION)["Statement"][1])
    world.buckets["logs"] = Bucket(region=HOME, policy=policy)
    return world


def create(world: World, account: str = MANAGEMENT, **members: Any) -> dict[str, Any]:
    return world.create(
        account=account, **({"IsOrganizationTrail": True, "IsMultiRegionTrail": True} | members)
    )


@pytest.fixture
def world() -> World:
    return make_world()


def test_the_management_account_owns_a_trail_of_the_organization(world: World) -> None:
    created = create(world)

    assert (created["TrailARN"], created["IsOrganizationTrail"]) == (ARN, True)
    assert world.stored(account=MANAGEMENT).organization_id == ORGANIZATION


def test_so_it_does_when_a_delegated_administrator_makes_it(world: World) -> None:
    world.admins.add(ADMIN)

    assert create(world, account=ADMIN)["TrailARN"] == ARN
    code, message = world.refusal(
        "CreateTrail", account=ADMIN, Name="audit", S3BucketName="logs", IsOrganizationTrail=True
    )
    assert code == "TrailAlreadyExistsException"
    assert message == f"Trail audit already exists for customer: {MANAGEMENT}"


def test_the_bucket_has_to_admit_the_members_logs(world: World) -> None:
    world.buckets["logs"] = Bucket(region=HOME, policy=bucket_policy(owner=MANAGEMENT))

    refusal = world.refusal(
        "CreateTrail", account=MANAGEMENT, Name="audit", S3BucketName="logs", IsOrganizationTrail=True
    )

    assert refusal[0] == "InsufficientS3BucketPolicyException"


@pytest.mark.parametrize(
    ("account", "changes", "trusted", "code"),
    [
        (ACCOUNT, {}, True, "OrganizationsNotInUseException"),
        (MEMBER, {}, True, "NotOrganizationMasterAccountException"),
        (MANAGEMENT, {"all_features": False}, True, "OrganizationNotInAllFeaturesModeException"),
        (MANAGEMENT, {}, False, "CloudTrailAccessNotEnabledException"),
    ],
)
def test_who_may_not_make_one(account: str, changes: dict[str, Any], trusted: bool, code: str) -> None:
    world = make_world(**changes)
    world.trusted = trusted

    refusal = world.refusal(
        "CreateTrail", account=account, Name="audit", S3BucketName="logs", IsOrganizationTrail=True
    )

    assert refusal[0] == code


@pytest.mark.parametrize("region", [HOME, ABROAD])
def test_members_see_the_trail_by_its_arn(world: World, region: str) -> None:
    create(world)
    create(world, name="private", IsOrganizationTrail=False)

    listed = world.call("ListTrails", account=MEMBER, region=region)["Trails"]
    own = world.call("DescribeTrails", account=MEMBER, region=region, includeShadowTrails=False)

    assert [trail["TrailARN"] for trail in listed] == [ARN]
    assert own == {"trailList": []}
    assert world.call("GetTrailStatus", account=MEMBER, region=region, Name=ARN)["IsLogging"] is False
    refusal = world.refusal("GetTrailStatus", account=MEMBER, region=region, Name="audit")
    assert refusal[0] == "TrailNotFoundException"
    private = ARN.replace("audit", "private")
    refusal = world.refusal("GetTrailStatus", account=MEMBER, region=region, Name=private)
    assert refusal[0] == "TrailNotFoundException"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("UpdateTrail", {"Name": ARN}),
        ("DeleteTrail", {"Name": ARN}),
        ("StopLogging", {"Name": ARN}),
        ("PutEventSelectors", {"TrailName": ARN, "EventSelectors": [{}]}),
        ("AddTags", {"ResourceId": ARN, "TagsList": [{"Key": "a"}]}),
    ],
)
def test_members_cannot_change_it_and_administrators_can(
    world: World, operation: str, members: dict[str, Any]
) -> None:
    create(world)
    world.admins.add(ADMIN)

    assert world.refusal(operation, account=MEMBER, **members)[0] == "OperationNotPermittedException"
    assert world.ask(operation, account=ADMIN, **members).status == 200


def test_an_account_outside_sees_nothing(world: World) -> None:
    create(world)

    assert world.call("ListTrails", account=ACCOUNT) == {"Trails": []}
    assert world.refusal("GetTrail", account=ACCOUNT, Name=ARN)[0] == "TrailNotFoundException"


def test_it_counts_in_every_member(world: World) -> None:
    create(world)
    world.buckets["own"] = Bucket(region=HOME, policy=bucket_policy("own", owner=MEMBER))
    for number in range(4):
        world.create(f"own{number}", account=MEMBER, S3BucketName="own")

    refusal = world.refusal("CreateTrail", account=MEMBER, Name="sixth", S3BucketName="own")

    assert refusal[0] == "MaximumNumberOfTrailsExceededException"


def test_the_management_account_turns_a_trail_into_one_and_back(world: World) -> None:
    create(world, IsOrganizationTrail=False)

    turned = world.call("UpdateTrail", account=MANAGEMENT, Name="audit", IsOrganizationTrail=True)
    assert turned["IsOrganizationTrail"] is True
    back = world.call("UpdateTrail", account=MANAGEMENT, Name="audit", IsOrganizationTrail=False)

    assert back["IsOrganizationTrail"] is False
    assert world.call("ListTrails", account=MEMBER) == {"Trails": []}


def test_an_administrator_does_not_turn_trails(world: World) -> None:
    create(world)
    world.admins.add(ADMIN)

    refusal = world.refusal("UpdateTrail", account=ADMIN, Name=ARN, IsOrganizationTrail=False)

    assert refusal[0] == "NotOrganizationMasterAccountException"


def test_an_administrator_is_registered_and_deregistered(world: World) -> None:
    world.call("RegisterOrganizationDelegatedAdmin", account=MANAGEMENT, MemberAccountId=ADMIN)
    assert world.admins == {ADMIN}

    world.call("DeregisterOrganizationDelegatedAdmin", account=MANAGEMENT, DelegatedAdminAccountId=ADMIN)

    assert world.admins == set()


@pytest.mark.parametrize(
    ("account", "admin", "code"),
    [
        (ACCOUNT, ADMIN, "OrganizationsNotInUseException"),
        (MEMBER, ADMIN, "NotOrganizationManagementAccountException"),
        (MANAGEMENT, MANAGEMENT, "CannotDelegateManagementAccountException"),
        (MANAGEMENT, "999999999999", "AccountNotFoundException"),
        (MANAGEMENT, MEMBER, "AccountRegisteredException"),
        (MANAGEMENT, "nonsense", "InvalidParameterException"),
    ],
)
def test_who_cannot_be_registered(world: World, account: str, admin: str, code: str) -> None:
    world.admins.add(MEMBER)

    refusal = world.refusal("RegisterOrganizationDelegatedAdmin", account=account, MemberAccountId=admin)

    assert refusal[0] == code


def test_there_are_at_most_three_administrators(world: World) -> None:
    world.admins.update({"4" * 12, "5" * 12, "6" * 12})

    refusal = world.refusal("RegisterOrganizationDelegatedAdmin", account=MANAGEMENT, MemberAccountId=ADMIN)

    assert refusal[0] == "DelegatedAdminAccountLimitExceededException"


@pytest.mark.parametrize(
    ("admin", "code"),
    [("999999999999", "AccountNotFoundException"), (ADMIN, "AccountNotRegisteredException")],
)
def test_who_cannot_be_deregistered(world: World, admin: str, code: str) -> None:
    refusal = world.refusal(
        "DeregisterOrganizationDelegatedAdmin", account=MANAGEMENT, DelegatedAdminAccountId=admin
    )

    assert refusal[0] == code
