"""A trail: what to record and where to deliver it. Made by the API, read by every stage."""

from __future__ import annotations

from typing import Any

import msgspec


class Trail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One trail and its logging state.

    Empty strings mean "not set", as CloudTrail's UpdateTrail has it. Selectors
    are kept exactly as the API took them (PascalCase members), ``None`` when
    nothing was ever put. Times are epoch seconds with milliseconds.
    """

    account: str  # owner, 12 digits
    home_region: str
    name: str
    bucket: str
    prefix: str = ""
    partition: str = "aws"
    include_global_service_events: bool = True
    multi_region: bool = False
    log_file_validation: bool = False
    organization_id: str = ""  # "o-..." makes it an organization trail
    kms_key_arn: str = ""
    sns_topic_arn: str = ""
    log_group_arn: str = ""
    log_role_arn: str = ""
    recursive_logging: bool = True
    event_selectors: list[dict[str, Any]] | None = None
    advanced_event_selectors: list[dict[str, Any]] | None = None
    insight_selectors: list[dict[str, Any]] | None = None
    tags: dict[str, str] = {}
    logging: bool = False
    created_at: float = 0.0
    started_at: float = 0.0  # 0 = never started
    stopped_at: float = 0.0  # 0 = never stopped
    validation_since: float = 0.0  # when log file validation was last switched on; 0 = never

    @property
    def digested_since(self) -> float:
        """Epoch seconds since when logging and validation have both been on; 0 while one of them is off."""
        on = self.logging and self.log_file_validation
        return max(self.started_at, self.validation_since) if on else 0.0

    @property
    def arn(self) -> str:
        """``arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME``."""
        return f"arn:{self.partition}:cloudtrail:{self.home_region}:{self.account}:trail/{self.name}"


class TrailStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The latest outcomes of one trail in one Region (GetTrailStatus). Times are epoch seconds, 0 = never."""

    latest_delivery_time: float = 0.0
    latest_delivery_attempt_time: float = 0.0
    latest_delivery_error: str = ""
    latest_digest_delivery_time: float = 0.0
    latest_digest_delivery_error: str = ""
    latest_notification_time: float = 0.0
    latest_notification_attempt_time: float = 0.0
    latest_notification_error: str = ""
    latest_log_stream_time: float = 0.0
    latest_log_stream_error: str = ""
