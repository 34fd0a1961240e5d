"""What each function needs to know, written by its stack and read by its handler.

One frozen dataclass per function. ``to_env`` gives the Lambda environment,
``from_env`` reads it back and reports every bad variable at once. Values that
CDK only knows at deploy time are ``str``; plain numbers are ``int``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, get_type_hints

from opentrail.errors import SettingsError

PREFIX = "OPENTRAIL_"

# Signing keys that rotation makes: their part of the ledger table, and the tag they carry in KMS.
SIGNING_KEY_PARTITION = "signing-key"
SIGNING_KEY_TAG = "opentrail:signs-digests-of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Base: the mapping between fields and ``OPENTRAIL_...`` variables."""

    def to_env(self) -> dict[str, str]:
        """Return the environment that ``from_env`` reads back."""
        return {PREFIX + f.name.upper(): _to_text(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read every field from ``environ``.

        Raises:
            SettingsError: names every missing or malformed variable.
        """
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        problems: list[str] = []
        for field in fields(cls):
            variable = PREFIX + field.name.upper()
            text = environ.get(variable)
            if text is None:
                problems.append(f"{variable} is not set")
                continue
            try:
                values[field.name] = _from_text(text, hints[field.name])
            except ValueError:
                problems.append(f"{variable}={text!r} is not a whole number")
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(**values)


def _to_text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _from_text(text: str, kind: Any) -> Any:
    if kind is int:
        return int(text)
    if kind is str:
        return text
    return tuple(part for part in text.split(",") if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettings(Settings):
    """What ``lambdas/record`` needs."""

    trails_table: str
    delivery_queue_url: str
    reject_queue_url: str  # the intake dead-letter queue; malformed input goes there with its reason
    history_bucket: str
    history_table: str  # asked for late events, which may have come in a file before; "" = there are no files
    late_seconds: int  # how long after its call an event is late; 0 = none is
    own_role_arns: tuple[str, ...]  # calls by these roles are OpenTrail's own and are not recorded again
    max_chunk_bytes: int  # bytes of raw records per delivery message, before compression
    trail_cache_seconds: int  # how long a container may use its copy of the trails; 0 = read every time


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings(Settings):
    """What ``lambdas/ingest`` needs."""

    trails_table: str
    delivery_queue_url: str
    reject_queue_url: str  # the dead-letter queue of its own
    history_table: str
    history_bucket: str
    own_role_arns: tuple[str, ...]  # as in RecordSettings
    own_buckets: tuple[str, ...]  # what OpenTrail writes to, which is never ingested
    source_bucket: str
    source_prefix: str  # only keys that begin so; "" = all
    max_chunk_bytes: int  # as in RecordSettings
    max_file_bytes: int  # uncompressed; a larger object is no log file
    trail_cache_seconds: int  # as in RecordSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSettings(Settings):
    """What ``lambdas/deliver`` needs."""

    trails_table: str
    ledger_table: str
    history_table: str
    max_file_bytes: int  # uncompressed bytes; a log file is closed before it grows past this
    settle_seconds: int  # longer than any delivery can run; a pending file older than this was abandoned
    history_days: int  # how long event history is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings(Settings):
    """What ``lambdas/digest`` needs."""

    trails_table: str
    ledger_table: str
    anchor_table: str
    anchor_topic_arn: str  # SNS; "" = the table alone gets to know each head
    signing_key_id: str  # as in ApiSettings
    period_seconds: int  # length of a digest window
    settle_seconds: int  # as in DeliverSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings(Settings):
    """What ``lambdas/api`` needs."""

    trails_table: str
    history_table: str
    ledger_table: str
    signing_key_id: str  # the key the deployment came with; those after it are in the ledger table
    lookups_per_second: int  # per account and Region; CloudTrail's own quota is 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSettings(Settings):
    """What ``lambdas/rotate`` needs."""

    ledger_table: str
    signing_key_id: str  # as in ApiSettings
    key_policy: str  # JSON; that of the keys it makes
    key_owner: str  # the value of their tag
    rotation_days: int  # how long a key signs; 0 = for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateSettings(Settings):
    """What ``lambdas/validate`` needs."""

    trails_table: str
    ledger_table: str
    anchor_table: str
    signing_key_id: str  # as in ApiSettings
    report_topic_arn: str  # SNS; "" = nobody is told
    hours: int  # how far back a run proves; runs overlap, so that no digest falls between two
    lock_mode: str  # "GOVERNANCE" or "COMPLIANCE": how every object must be retained; "" = not looked at
    lock_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsSettings(Settings):
    """What ``lambdas/insights`` needs."""

    trails_table: str
    history_table: str
    intake_queue_url: str
    lag_minutes: int  # how long after its end a minute's counts are complete


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupSettings(Settings):
    """What ``lambdas/rollup`` needs."""

    history_table: str
    history_bucket: str
    max_events: int  # count; small segments are put together up to this many events


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationSettings(Settings):
    """What ``lambdas/remediation`` needs; there is one function per playbook."""

    playbook: str  # its id
    state_table: str
    intake_queue_url: str
    mode: str  # "observe" or "enforce", where remediation_modes says nothing
    remediation_modes: tuple[str, ...]  # "playbook=mode", "account=mode", "account/playbook=mode"
    own_roles: tuple[str, ...]  # patterns of ARNs: the playbooks' roles
    break_glass: tuple[str, ...]  # patterns of ARNs that are never hindered
    exempt: tuple[str, ...]  # patterns of ARNs whose changes are accepted, or "playbook=pattern"
    acts_per_hour: int  # of one playbook
    acts_per_resource: int  # in an hour
    keep_days: int  # how long a fix can be undone
    lease_seconds: int  # longer than a run can take: after it, another run may take the event over


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionsSettings(Settings):
    """What ``lambdas/detections`` needs."""

    state_table: str  # findings that were told
    intake_queue_url: str
    topic_arn: str  # SNS; "" = no topic hears of findings
    own_role_arns: tuple[str, ...]  # as in RecordSettings: their calls are never found
