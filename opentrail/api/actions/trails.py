"""Trails: create, read, update, delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from opentrail.api.destinations import (
    check_bucket,
    check_key,
    check_log_group,
    check_topic,
    find_bucket,
    find_key,
    topic_arn,
)
from opentrail.api.errors import ApiError
from opentrail.api.members import show_configuration, show_trail
from opentrail.api.names import check_trail_name, parse_trail_ref
from opentrail.api.organizations import owner_of_new_trail
from opentrail.api.scene import Scene
from opentrail.api.tag_rules import join_tags, read_tags
from opentrail.api.visibility import find_readable, find_writable, is_shadow, visible_trails
from opentrail.errors import StorageError
from opentrail.format.notification import VALIDATION_MESSAGE
from opentrail.model.trail import Trail

MAX_TRAILS = 5  # seen in one Region, shadows included. Source: user guide, "Quotas in AWS CloudTrail"

# The members that decide where log files go and who may write them there.
STORAGE_MEMBERS = {"S3BucketName", "S3KeyPrefix", "KmsKeyId", "IsOrganizationTrail"}

Input = Mapping[str, Any]
Output = Mapping[str, Any]


def create_trail(scene: Scene, given: Input) -> Output:
    """CreateTrail. The trail does not log before StartLogging."""
    _refuse_combination(
        multi_region=given.get("IsMultiRegionTrail", False),
        global_events=given.get("IncludeGlobalServiceEvents", True),
    )
    check_trail_name(given["Name"])
    tags = join_tags({}, read_tags(given.get("TagsList", [])))
    trail = _new_trail(scene, given, tags)
    _refuse_taken(scene, trail)
    trail = _checked(scene, trail, given)
    scene.ports.trails.delete_status(trail.arn)  # a trail of the same name may have been here before
    scene.ports.trails.put(trail, new=True)
    _greet_topic(scene, trail, "")
    return show_configuration(trail)


def update_trail(scene: Scene, given: Input) -> Output:
    """UpdateTrail. Members that are not given stay; an empty string clears."""
    stored = find_writable(scene, given["Name"], expand=False)
    trail = _changed(scene, stored.trail, given)
    _refuse_combination(multi_region=trail.multi_region, global_events=trail.include_global_service_events)
    trail = _checked(scene, trail, given)
    if trail != stored.trail:
        scene.ports.trails.replace(trail, version=stored.version)
    _greet_topic(scene, trail, stored.trail.sns_topic_arn)
    return show_configuration(trail)


def _greet_topic(scene: Scene, trail: Trail, before: str) -> None:
    """Tell a newly named topic so, as CloudTrail does; its subscribers know to skip the message.

    The trail is stored by now, so a topic that refuses fails no request: GetTrailStatus tells.
    """
    if not trail.sns_topic_arn or trail.sns_topic_arn == before:
        return
    now = scene.now.timestamp()
    status: dict[str, float | str] = {"latest_notification_attempt_time": now}
    try:
        scene.ports.topics.publish(trail.sns_topic_arn, VALIDATION_MESSAGE)
        status |= {"latest_notification_time": now, "latest_notification_error": ""}
    except StorageError as error:
        status["latest_notification_error"] = error.code or "InternalFailure"
    scene.ports.trails.update_status(trail.arn, trail.home_region, **status)


def delete_trail(scene: Scene, given: Input) -> Output:
    """DeleteTrail. Log files, digests, bucket and log group stay as they are."""
    trail = find_writable(scene, given["Name"], expand=False).trail
    scene.ports.trails.delete(trail)
    scene.ports.trails.delete_status(trail.arn)
    return {}


def get_trail(scene: Scene, given: Input) -> Output:
    """GetTrail, by name in the home Region or by ARN wherever the trail is seen."""
    return {"Trail": show_trail(find_readable(scene, given["Name"], expand=False))}


def describe_trails(scene: Scene, given: Input) -> Output:
    """DescribeTrails. What is named but not there is left out of the list, not refused."""
    trails: Iterable[Trail] = visible_trails(scene)
    if not given.get("includeShadowTrails", True):
        trails = [trail for trail in trails if not is_shadow(trail, scene)]
    wanted = [parse_trail_ref(text, scene.partition) for text in given.get("trailNameList", [])]
    if wanted:
        names = {ref.name for ref in wanted if not ref.account}
        arns = set(given["trailNameList"])
        trails = [t for t in trails if t.arn in arns or (t.name in names and not is_shadow(t, scene))]
    return {"trailList": [show_trail(trail) for trail in trails]}


def list_trails(scene: Scene, given: Input) -> Output:
    """ListTrails: every trail seen in the Region. They are few, so there is never a next page.

    UNCONFIRMED whether AWS also lists single-Region trails of other Regions; nothing else shows those.
    """
    del given
    trails = visible_trails(scene)
    return {
        "Trails": [{"TrailARN": t.arn, "Name": t.name, "HomeRegion": t.home_region} for t in trails],
    }


def _new_trail(scene: Scene, given: Input, tags: dict[str, str]) -> Trail:
    account, organization_id = scene.account, ""
    if given.get("IsOrganizationTrail"):
        account, organization_id = owner_of_new_trail(scene)
    blank = Trail(
        account=account,
        home_region=scene.region,
        name=given["Name"],
        bucket=given["S3BucketName"],
        partition=scene.partition,
        organization_id=organization_id,
        tags=tags,
        created_at=scene.seconds,
    )
    return _changed(scene, blank, {k: v for k, v in given.items() if k != "IsOrganizationTrail"})


def _changed(scene: Scene, trail: Trail, given: Input) -> Trail:
    """``trail`` with the members that are given; keys and destinations are not checked yet."""
    multi_region = given.get("IsMultiRegionTrail", trail.multi_region)
    # Turning a trail multi-Region brings the global events along unless they are refused outright.
    # UNCONFIRMED whether turning it back drops them: the guide says so, its own sample shows they stay.
    global_events = trail.include_global_service_events or (multi_region and not trail.multi_region)
    validation = given.get("EnableLogFileValidation", trail.log_file_validation)
    switched_on = validation and not trail.log_file_validation
    topic = given.get("SnsTopicName")
    return replace(
        trail,
        bucket=given.get("S3BucketName", trail.bucket),
        prefix=given.get("S3KeyPrefix", trail.prefix),
        sns_topic_arn=trail.sns_topic_arn if topic is None else topic and topic_arn(scene, topic),
        include_global_service_events=given.get("IncludeGlobalServiceEvents", global_events),
        multi_region=multi_region,
        log_file_validation=validation,
        validation_since=scene.seconds if switched_on else trail.validation_since,
        organization_id=_changed_organization(scene, trail, given),
        log_group_arn=given.get("CloudWatchLogsLogGroupArn", trail.log_group_arn),
        log_role_arn=given.get("CloudWatchLogsRoleArn", trail.log_role_arn),
        recursive_logging=given.get("RecursiveLogging", trail.recursive_logging),
    )


def _changed_organization(scene: Scene, trail: Trail, given: Input) -> str:
    wanted = given.get("IsOrganizationTrail", bool(trail.organization_id))
    if wanted == bool(trail.organization_id):
        return trail.organization_id
    owner, organization_id = owner_of_new_trail(scene)
    if owner != scene.account:
        message = "Only the management account may turn a trail into an organization trail or back."
        raise ApiError("NotOrganizationMasterAccountException", message)
    return organization_id if wanted else ""


def _checked(scene: Scene, trail: Trail, given: Input) -> Trail:
    """``trail`` with its key's ARN, once every destination that is given is found sufficient.

    UNCONFIRMED order: bucket, topic, key, log group.
    """
    bucket, key = None, None
    if given.keys() & STORAGE_MEMBERS:
        bucket = find_bucket(scene, trail)
        key_id = given.get("KmsKeyId", trail.kms_key_arn)
        key = find_key(scene, key_id)
        trail = replace(trail, kms_key_arn=key.arn if key else key_id)
        check_bucket(scene, trail, bucket)
    if "SnsTopicName" in given:
        check_topic(scene, trail)
    if bucket and trail.kms_key_arn:
        check_key(scene, trail, key, bucket)
    if "CloudWatchLogsLogGroupArn" in given or "CloudWatchLogsRoleArn" in given:
        _refuse_half(given)
        check_log_group(scene, trail)
    return trail


def _refuse_half(given: Input) -> None:
    """Log group and role come together, also when one of them is set already."""
    if "CloudWatchLogsRoleArn" not in given:
        message = "You must specify a role ARN as well as a log group."
        raise ApiError("InvalidCloudWatchLogsRoleArnException", message)
    if "CloudWatchLogsLogGroupArn" not in given:
        message = "You must specify a log group as well as a role ARN."
        raise ApiError("InvalidCloudWatchLogsLogGroupArnException", message)


def _refuse_combination(*, multi_region: bool, global_events: bool) -> None:
    if multi_region and not global_events:
        message = "Multi-Region trail must include global service events."
        raise ApiError("InvalidParameterCombinationException", message)


def _refuse_taken(scene: Scene, trail: Trail) -> None:
    owned = scene.ports.trails.trails_of(trail.account)
    seen = visible_trails(scene)
    rivals = [*seen, *(t for t in owned if t.home_region == trail.home_region)]
    if any(rival.name == trail.name for rival in rivals):
        message = f"Trail {trail.name} already exists for customer: {trail.account}"
        raise ApiError("TrailAlreadyExistsException", message)
    _refuse_sixth(scene, scene.region, len(seen))
    if trail.multi_region:
        for region in {t.home_region for t in owned} - {scene.region}:
            _refuse_sixth(scene, region, sum(t.multi_region or t.home_region == region for t in owned))


def _refuse_sixth(scene: Scene, region: str, count: int) -> None:
    if count >= MAX_TRAILS:
        message = f"User: {scene.account} already has {MAX_TRAILS} trails in {region}."
        raise ApiError("MaximumNumberOfTrailsExceededException", message)
