"""StartLogging, StopLogging, GetTrailStatus."""

from __future__ import annotations

from datetime import timedelta

from opentrail.model.trail import TrailStatus
from tests.unit.api.fakes import ABROAD, ACCOUNT, HOME, NOW, World

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
LATER = NOW + timedelta(minutes=5)


def test_a_trail_is_started_and_stopped_to_the_millisecond() -> None:
    world = World()
    world.create()

    world.call("StartLogging", Name="audit")
    world.call("StopLogging", Name=ARN, now=LATER)

    trail = world.stored()
    assert (trail.logging, trail.started_at, trail.stopped_at) == (False, 1768018831.123, 1768019131.123)


def test_starting_a_logging_trail_changes_nothing() -> None:
    world = World()
    world.create()
    world.call("StartLogging", Name="audit")
    before = world.trails.stored.copy()

    world.call("StartLogging", Name="audit", now=LATER)

    assert world.trails.stored == before


def test_stopping_a_stopped_trail_changes_nothing() -> None:
    world = World()
    world.create()
    world.call("StartLogging", Name="audit")
    world.call("StopLogging", Name="audit")
    before = world.trails.stored.copy()

    world.call("StopLogging", Name="audit", now=LATER)

    assert world.trails.stored == before


def test_the_status_of_a_new_trail() -> None:
    world = World()
    world.create()

    assert world.call("GetTrailStatus", Name="audit") == {
        "IsLogging": False,
        "LatestDeliveryAttemptTime": "",
        "LatestDeliveryAttemptSucceeded": "",
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "TimeLoggingStarted": "",
        "TimeLoggingStopped": "",
    }


def test_the_status_shows_every_outcome_of_its_region() -> None:
    world = World()
    world.create(IsMultiRegionTrail=True)
    world.call("StartLogging", Name="audit")
    world.trails.statuses[ARN, ABROAD] = TrailStatus(
        latest_delivery_time=1768018900.5,
        latest_delivery_attempt_time=1768018960.0,
        latest_delivery_error="AccessDenied",
        latest_digest_delivery_time=1768018800.0,
        latest_digest_delivery_error="NoSuchBucket",
        latest_notification_time=1768018901.0,
        latest_notification_attempt_time=1768018961.0,
        latest_notification_error="AuthorizationError",
        latest_log_stream_time=1768018902.0,
        latest_log_stream_error="Access denied.",
    )

    assert world.call("GetTrailStatus", Name=ARN, region=ABROAD) == {
        "IsLogging": True,
        "StartLoggingTime": 1768018831.123,
        "LatestDeliveryTime": 1768018900.5,
        "LatestDeliveryError": "AccessDenied",
        "LatestDigestDeliveryTime": 1768018800.0,
        "LatestDigestDeliveryError": "NoSuchBucket",
        "LatestNotificationTime": 1768018901.0,
        "LatestNotificationError": "AuthorizationError",
        "LatestCloudWatchLogsDeliveryTime": 1768018902.0,
        "LatestCloudWatchLogsDeliveryError": "Access denied.",
        "LatestDeliveryAttemptTime": "2026-01-10T04:22:40Z",
        "LatestDeliveryAttemptSucceeded": "2026-01-10T04:21:40Z",
        "LatestNotificationAttemptTime": "2026-01-10T04:22:41Z",
        "LatestNotificationAttemptSucceeded": "2026-01-10T04:21:41Z",
        "TimeLoggingStarted": "2026-01-10T04:20:31Z",
        "TimeLoggingStopped": "",
    }
    assert "LatestDeliveryTime" not in world.call("GetTrailStatus", Name=ARN)


def test_an_unknown_trail_is_named_by_its_arn() -> None:
    refusal = World().refusal("GetTrailStatus", Name="audit")

    assert refusal == ("TrailNotFoundException", f"Unknown trail: {ARN} for the user: {ACCOUNT}")
