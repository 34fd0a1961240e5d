"""A trail -> the members CloudTrail's operations show of it."""

from __future__ import annotations

from typing import Any

from opentrail.format import times
from opentrail.model.trail import Trail, TrailStatus

# What CreateTrail leaves a trail with, as the API shows it for trails made by API or CLI.
DEFAULT_EVENT_SELECTOR: dict[str, Any] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


def show_configuration(trail: Trail) -> dict[str, Any]:
    """The members CreateTrail and UpdateTrail answer; strings that are not set are None, so left out."""
    return {
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "S3KeyPrefix": trail.prefix or None,
        "SnsTopicName": _topic_name(trail),
        "SnsTopicARN": trail.sns_topic_arn or None,
        "IncludeGlobalServiceEvents": trail.include_global_service_events,
        "IsMultiRegionTrail": trail.multi_region,
        "TrailARN": trail.arn,
        "LogFileValidationEnabled": trail.log_file_validation,
        "CloudWatchLogsLogGroupArn": trail.log_group_arn or None,
        "CloudWatchLogsRoleArn": trail.log_role_arn or None,
        "KmsKeyId": trail.kms_key_arn or None,
        "IsOrganizationTrail": bool(trail.organization_id),
        "RecursiveLogging": trail.recursive_logging,
    }


def show_trail(trail: Trail) -> dict[str, Any]:
    """The ``Trail`` structure of GetTrail and DescribeTrails."""
    return {
        **show_configuration(trail),
        "HomeRegion": trail.home_region,
        "HasCustomEventSelectors": has_custom_selectors(trail),
        "HasInsightSelectors": bool(trail.insight_selectors),
    }


def has_custom_selectors(trail: Trail) -> bool:
    """False as long as the trail takes what a new trail takes.

    Advanced selectors always count as custom: clients read them back only then.
    """
    if trail.advanced_event_selectors:
        return True
    return bool(trail.event_selectors) and trail.event_selectors != [DEFAULT_EVENT_SELECTOR]


def _topic_name(trail: Trail) -> str | None:
    """A topic of the trail's own account and Region by its name, another by its ARN."""
    home = f"arn:{trail.partition}:sns:{trail.home_region}:{trail.account}:"
    return trail.sns_topic_arn.removeprefix(home) or None


def show_status(trail: Trail, status: TrailStatus) -> dict[str, Any]:
    """The members of GetTrailStatus; the string ones are "no longer in use", yet old scanners read them."""
    return {
        "IsLogging": trail.logging,
        "StartLoggingTime": trail.started_at or None,
        "StopLoggingTime": trail.stopped_at or None,
        "LatestDeliveryTime": status.latest_delivery_time or None,
        "LatestDeliveryError": status.latest_delivery_error or None,
        "LatestNotificationTime": status.latest_notification_time or None,
        "LatestNotificationError": status.latest_notification_error or None,
        "LatestCloudWatchLogsDeliveryTime": status.latest_log_stream_time or None,
        "LatestCloudWatchLogsDeliveryError": status.latest_log_stream_error or None,
        "LatestDigestDeliveryTime": status.latest_digest_delivery_time or None,
        "LatestDigestDeliveryError": status.latest_digest_delivery_error or None,
        "LatestDeliveryAttemptTime": _iso(status.latest_delivery_attempt_time),
        "LatestDeliveryAttemptSucceeded": _iso(status.latest_delivery_time),
        "LatestNotificationAttemptTime": _iso(status.latest_notification_attempt_time),
        "LatestNotificationAttemptSucceeded": _iso(status.latest_notification_time),
        "TimeLoggingStarted": _iso(trail.started_at),
        "TimeLoggingStopped": _iso(trail.stopped_at),
    }


def _iso(seconds: float) -> str:
    return times.to_iso(times.from_epoch(seconds)) if seconds else ""
