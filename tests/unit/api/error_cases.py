"""For each modeled error of each built operation: a request that meets it, or why none can."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from opentrail.api.app import ACTIONS, MAX_ATTEMPTS
from opentrail.errors import ConflictError
from opentrail.model.resource import Bucket, Organization
from opentrail.model.trail import Trail
from tests.unit.api.fakes import (
    ABROAD,
    ACCOUNT,
    ADMIN,
    GROUP_ARN,
    HOME,
    KEY_ARN,
    MANAGEMENT,
    MEMBER,
    ORGANIZATION,
    ROLE_ARN,
    FakeTrails,
    World,
    bucket_policy,
    make_key,
    statements,
)
from tests.unit.api.test_app import Contested

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
ORG_ARN = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/org"
UUID = "11111111-2222-3333-4444-555555555555"
STORE = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:eventdatastore/{UUID}"
CHANNEL = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:channel/{UUID}"

Members = dict[str, Any]
Setting = Callable[[World], None]

# What each operation needs besides its trail, to get as far as the error under test.
REST: dict[str, Members] = {
    "AddTags": {"TagsList": [{"Key": "a"}]},
    "CreateTrail": {"Name": "fresh", "S3BucketName": "logs"},
    "ListInsightsData": {"InsightSource": ARN, "DataType": "InsightsEvents"},
    "ListInsightsMetricData": {
        "EventSource": "s3.amazonaws.com",
        "EventName": "GetObject",
        "InsightType": "ApiCallRateInsight",
    },
    "PutEventSelectors": {"EventSelectors": [{"ReadWriteType": "ReadOnly"}]},
    "PutInsightSelectors": {"InsightSelectors": [{"InsightType": "ApiErrorRateInsight"}]},
    "PutResourcePolicy": {"ResourcePolicy": "{}"},
    "RemoveTags": {"TagsList": [{"Key": "team"}]},
    "UpdateTrail": {"RecursiveLogging": False},
}
TRAIL_MEMBER = {
    **dict.fromkeys(["UpdateTrail", "DeleteTrail", "GetTrail", "GetTrailStatus"], "Name"),
    **dict.fromkeys(["StartLogging", "StopLogging"], "Name"),
    **dict.fromkeys(["PutEventSelectors", "GetEventSelectors"], "TrailName"),
    **dict.fromkeys(["PutInsightSelectors", "GetInsightSelectors"], "TrailName"),
    **dict.fromkeys(["PutEventConfiguration", "GetEventConfiguration"], "TrailName"),
    **dict.fromkeys(["AddTags", "RemoveTags"], "ResourceId"),
}
WRITERS = {
    *("UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    *("PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration", "AddTags", "RemoveTags"),
}
ORGANIZERS: dict[str, Members] = {
    "CreateTrail": {"IsOrganizationTrail": True},
    "UpdateTrail": {"Name": "audit", "IsOrganizationTrail": True},
    "RegisterOrganizationDelegatedAdmin": {"MemberAccountId": ADMIN},
    "DeregisterOrganizationDelegatedAdmin": {"DelegatedAdminAccountId": ADMIN},
}

STORES = {"PutInsightSelectors", "GetInsightSelectors", "PutEventConfiguration", "GetEventConfiguration"}

NEVER = {
    "CloudTrailInvalidClientTokenIdException": "a topic of a suspended account is just not there",
    "CloudWatchLogsDeliveryUnavailableException": "wherever there is a log group it can be written",
    "InactiveEventDataStoreException": "there are no event data stores",
    "InvalidEventDataStoreCategoryException": "there are no event data stores",
    "InvalidEventDataStoreStatusException": "there are no event data stores",
    "InsufficientDependencyServiceAccessPermissionException": "no service-linked role is used",
    "InsufficientIAMAccessPermissionException": "no service-linked role is used",
    "NoManagementAccountSLRExistsException": "no service-linked role is used",
    "InvalidTokenException": "no token is ever given out",
    "KmsKeyDisabledException": "retired by AWS",
    "TrailNotProvidedException": "retired by AWS",
    "ResourcePolicyNotFoundException": "nothing there is can have a resource policy",
    "ThrottlingException": "only what a deployment limits is throttled, and none of these is",
}
OF_INSIGHTS = {"ListInsightsData", "ListInsightsMetricData"}
READS_OR_ORGANIZES = {o for o in ACTIONS if o not in WRITERS | OF_INSIGHTS}
EVENT_CONFIGURATION = ("GetEventConfiguration", "PutEventConfiguration")


def for_all(operations: Iterable[str], code: str, reason: str) -> dict[tuple[str, str], str]:
    return {(operation, code): reason for operation in operations}


NEVER_HERE = {
    **for_all(
        READS_OR_ORGANIZES,
        "OperationNotPermittedException",
        "who sees it may read it, or other errors say so",
    ),
    **for_all(ACTIONS.keys() - STORES, "UnsupportedOperationException", "built completely"),
    **for_all(
        WRITERS - {"UpdateTrail"}, "NotOrganizationMasterAccountException", "members are not permitted"
    ),
    **for_all(["ListTrails", "CreateTrail"], "CloudTrailARNInvalidException", "takes no ARN"),
    **for_all(
        ORGANIZERS.keys() - {"UpdateTrail"}, "ConflictException", "the store or directory decides, once"
    ),
    **for_all(
        ["CreateTrail", "UpdateTrail"], "InvalidParameterException", "each member has an error of its own"
    ),
    **for_all(["AddTags", "RemoveTags", "ListTags"], "InvalidTrailNameException", "takes ARNs only"),
    **for_all(EVENT_CONFIGURATION, "EventDataStoreARNInvalidException", "stores are refused unseen"),
    **for_all(EVENT_CONFIGURATION, "EventDataStoreNotFoundException", "stores are refused unseen"),
    ("UpdateTrail", "InvalidEventSelectorsException"): "it takes no selectors",
    ("PutEventConfiguration", "ConflictException"): "it changes nothing",
    ("PutResourcePolicy", "ConflictException"): "it changes nothing",
    ("DeleteResourcePolicy", "ConflictException"): "it changes nothing",
}


def make_world() -> World:
    """An account with one multi-Region trail, and an organization with one trail beside it."""
    organization = Organization(id=ORGANIZATION, management_account=MANAGEMENT, all_features=True)
    world = World(organization=organization)
    policy = bucket_policy()
    statements(policy).extend(bucket_policy(owner=MANAGEMENT)["Statement"])
    statements(policy).extend(bucket_policy(owner=ORGANIZATION)["Statement"])
    world.buckets["logs"] = Bucket(region=HOME, policy=policy)
    world.create(IsMultiRegionTrail=True)
    world.create("org", account=MANAGEMENT, IsOrganizationTrail=True)
    return world


def nothing(world: World) -> None:
    """Leave the world as it is."""


def in_turn(*settings: Setting) -> Setting:
    """One setting made of several."""

    def apply(world: World) -> None:
        for setting in settings:
            setting(world)

    return apply


def contest(world: World) -> None:
    contested = Contested(MAX_ATTEMPTS)
    contested.stored = world.trails.stored
    world.trails = contested


class Vanishing(FakeTrails):
    """Reads show a trail that every deletion finds gone."""

    def delete(self, trail: Trail) -> None:
        raise ConflictError("gone")


def vanish(world: World) -> None:
    vanishing = Vanishing()
    vanishing.stored = world.trails.stored
    world.trails = vanishing


def fill(world: World) -> None:
    for number in range(4):
        world.create(f"trail{number}")


def lose_features(world: World) -> None:
    world.create(account=MANAGEMENT)
    world.organization = Organization(id=ORGANIZATION, management_account=MANAGEMENT, all_features=False)


def lose_trust(world: World) -> None:
    world.create(account=MANAGEMENT)
    world.trusted = False


def lose_buckets(world: World) -> None:
    world.buckets.clear()


def lose_bucket_policy(world: World) -> None:
    world.buckets["logs"] = Bucket(region=HOME, policy=None)


def encrypt(world: World) -> None:
    world.call("UpdateTrail", Name="audit", KmsKeyId=KEY_ARN)


def lose_keys(world: World) -> None:
    world.keys.clear()


def disable_key(world: World) -> None:
    world.keys[KEY_ARN] = make_key(enabled=False)


def lose_key_policy(world: World) -> None:
    world.keys[KEY_ARN] = make_key(policy={})


def start(world: World) -> None:
    world.call("StartLogging", Name="audit")


def tag(world: World) -> None:
    world.call("AddTags", ResourceId=ARN, TagsList=[{"Key": "team"}])


def delegate(world: World) -> None:
    world.admins.add(ADMIN)


def delegate_to_three(world: World) -> None:
    world.admins.update({"4" * 12, "5" * 12, "6" * 12})


CASES: dict[tuple[str, str], tuple[Members, Setting]] = {}


def case(operations: Iterable[str], code: str, change: Setting = nothing, /, **members: Any) -> None:
    """The request with ``members``, after ``change``, meets ``code``; the trail is "audit" unless named."""
    for operation in operations:
        name = TRAIL_MEMBER.get(operation)
        base = {name: ARN if name == "ResourceId" else "audit"} if name else {}
        CASES[operation, code] = (base | REST.get(operation, {}) | members, change)


def trail_case(
    operations: Iterable[str], code: str, trail: str, change: Setting = nothing, **members: Any
) -> None:
    """As ``case``, with ``trail`` for whatever member names the trail."""
    for operation in operations:
        case([operation], code, change, **{TRAIL_MEMBER[operation]: trail}, **members)


BY_NAME = {o for o, member in TRAIL_MEMBER.items() if member != "ResourceId"}
DELIVERS = ("CreateTrail", "UpdateTrail", "PutInsightSelectors")
MAKES = ("CreateTrail", "UpdateTrail")
TAGS = ("AddTags", "RemoveTags")
POLICIES = ("PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy")
CREATE, UPDATE, DESCRIBE, SELECT = (
    ("CreateTrail",),
    ("UpdateTrail",),
    ("DescribeTrails",),
    ("PutEventSelectors",),
)
INSIGHTS, LOOKUP = ("PutInsightSelectors",), ("LookupEvents",)
REGISTER, DEREGISTER = ("RegisterOrganizationDelegatedAdmin",), ("DeregisterOrganizationDelegatedAdmin",)

trail_case(BY_NAME, "TrailNotFoundException", "nothing")
trail_case(BY_NAME, "InvalidTrailNameException", "no name")
trail_case(BY_NAME, "CloudTrailARNInvalidException", "arn:nothing")
trail_case(TAGS, "CloudTrailARNInvalidException", "audit")
trail_case(WRITERS & BY_NAME, "InvalidHomeRegionException", ARN, region=ABROAD)
trail_case(WRITERS, "OperationNotPermittedException", ORG_ARN, account=MEMBER)
trail_case(WRITERS - {"DeleteTrail", "PutEventConfiguration"}, "ConflictException", ARN, contest)
case(["StopLogging"], "ConflictException", in_turn(start, contest))
case(["RemoveTags"], "ConflictException", in_turn(tag, contest))
case(["DeleteTrail"], "ConflictException", vanish)

case(CREATE, "InvalidTrailNameException", Name="no name")
case(CREATE, "TrailAlreadyExistsException", Name="audit")
case(CREATE, "MaximumNumberOfTrailsExceededException", fill)
case(MAKES, "InvalidParameterCombinationException", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False)
case(MAKES, "InvalidS3BucketNameException", S3BucketName="No Name")
case(MAKES, "InvalidS3PrefixException", S3KeyPrefix="p" * 201)
case(MAKES, "InvalidSnsTopicNameException", SnsTopicName="no name")
case(MAKES, "InsufficientSnsTopicPolicyException", SnsTopicName="none")
case(MAKES, "InvalidKmsKeyIdException", KmsKeyId="no key")
case(MAKES, "KmsKeyNotFoundException", KmsKeyId="alias/none")
case(MAKES, "KmsException", disable_key, KmsKeyId=KEY_ARN)
case(MAKES, "InsufficientEncryptionPolicyException", lose_key_policy, KmsKeyId=KEY_ARN)
case(
    MAKES,
    "InvalidCloudWatchLogsLogGroupArnException",
    CloudWatchLogsLogGroupArn="none",
    CloudWatchLogsRoleArn=ROLE_ARN,
)
case(
    MAKES,
    "InvalidCloudWatchLogsRoleArnException",
    CloudWatchLogsLogGroupArn=GROUP_ARN,
    CloudWatchLogsRoleArn="none",
)
case(DELIVERS, "S3BucketDoesNotExistException", lose_buckets, S3BucketName="logs")
case(DELIVERS, "InsufficientS3BucketPolicyException", lose_bucket_policy, S3BucketName="logs")
case(INSIGHTS, "KmsException", in_turn(encrypt, lose_keys))
case(INSIGHTS, "InsufficientEncryptionPolicyException", in_turn(encrypt, lose_key_policy))
case(INSIGHTS, "InvalidInsightSelectorsException", InsightSelectors=[{}])
case(["GetInsightSelectors"], "InsightNotEnabledException")
case(SELECT, "InvalidEventSelectorsException", EventSelectors=[])
case(DESCRIBE, "InvalidTrailNameException", trailNameList=["no name"])
case(DESCRIBE, "CloudTrailARNInvalidException", trailNameList=["arn:nothing"])
case(STORES, "InvalidParameterCombinationException", EventDataStore=STORE)
case(STORES, "InvalidParameterException", TrailName=None)
case(STORES, "UnsupportedOperationException", TrailName=None, EventDataStore=STORE)
case(["ListPublicKeys"], "InvalidTimeRangeException", StartTime=2, EndTime=1)
case(LOOKUP, "InvalidTimeRangeException", StartTime=2, EndTime=1)
case(LOOKUP, "InvalidMaxResultsException", MaxResults=51)
case(LOOKUP, "InvalidNextTokenException", NextToken="none of ours")
case(LOOKUP, "InvalidEventCategoryException", EventCategory="data")
case(OF_INSIGHTS, "InvalidParameterException", StartTime=2, EndTime=1)
case(["ListInsightsMetricData"], "InvalidTrailNameException", TrailName="nothing")
case(["ListInsightsMetricData"], "OperationNotPermittedException", account=MEMBER, TrailName=ORG_ARN)
case(["ListInsightsData"], "OperationNotPermittedException", account=MEMBER, InsightSource=ORG_ARN)
case(LOOKUP, "InvalidLookupAttributesException", LookupAttributes=[{"AttributeKey": "Colour"}])

case(["CreateTrail", "AddTags"], "TagsLimitExceededException", TagsList=[{"Key": str(n)} for n in range(51)])
case(["CreateTrail", *TAGS], "InvalidTagParameterException", TagsList=[{"Key": "<"}])
case(TAGS, "ChannelNotFoundException", ResourceId=CHANNEL)
for code, arn in {
    "CloudTrailARNInvalidException": "audit",
    "ResourceNotFoundException": ARN + "2",
    "ResourceTypeNotSupportedException": STORE.replace("eventdatastore", "user"),
    "EventDataStoreNotFoundException": STORE,
    "EventDataStoreARNInvalidException": STORE[:-1],
    "ChannelARNInvalidException": CHANNEL[:-1],
}.items():
    case(["ListTags"], code, ResourceIdList=[arn])
    case(TAGS, code, ResourceId=arn)
case(POLICIES, "ResourceARNNotValidException", ResourceArn="audit")
case(POLICIES, "ResourceNotFoundException", ResourceArn=STORE)
case(POLICIES, "ResourceTypeNotSupportedException", ResourceArn=ARN)
case(["PutResourcePolicy"], "ResourcePolicyNotValidException", ResourceArn=STORE, ResourcePolicy="x" * 9000)

for operation, given in ORGANIZERS.items():
    case([operation], "OrganizationsNotInUseException", **given)
    case([operation], "OrganizationNotInAllFeaturesModeException", lose_features, account=MANAGEMENT, **given)
    case([operation], "CloudTrailAccessNotEnabledException", lose_trust, account=MANAGEMENT, **given)
case(CREATE, "NotOrganizationMasterAccountException", account=MEMBER, IsOrganizationTrail=True)
case(
    UPDATE,
    "NotOrganizationMasterAccountException",
    delegate,
    account=ADMIN,
    Name=ORG_ARN,
    IsOrganizationTrail=False,
)
for operations, parameter in ((REGISTER, "MemberAccountId"), (DEREGISTER, "DelegatedAdminAccountId")):
    case(operations, "NotOrganizationManagementAccountException", account=MEMBER, **{parameter: ADMIN})
    case(operations, "AccountNotFoundException", account=MANAGEMENT, **{parameter: "9" * 12})
    case(operations, "InvalidParameterException", account=MANAGEMENT, **{parameter: "none"})
case(REGISTER, "CannotDelegateManagementAccountException", account=MANAGEMENT, MemberAccountId=MANAGEMENT)
case(REGISTER, "AccountRegisteredException", delegate, account=MANAGEMENT, MemberAccountId=ADMIN)
case(
    REGISTER,
    "DelegatedAdminAccountLimitExceededException",
    delegate_to_three,
    account=MANAGEMENT,
    MemberAccountId=ADMIN,
)
case(DEREGISTER, "AccountNotRegisteredException", account=MANAGEMENT, DelegatedAdminAccountId=ADMIN)
