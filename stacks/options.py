"""What an installation may choose, read from the CDK context (`cdk.json` or `--context name=value`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, get_type_hints

from opentrail.errors import SettingsError

LOCK_MODES = ("", "GOVERNANCE", "COMPLIANCE")
REMEDIATION_MODES = ("observe", "enforce")

# Function logs expire; CloudWatch Logs takes only these numbers of days (API PutRetentionPolicy), shortened
# to those that make sense for logs that hold no audit data.
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One installation. The context names are these in camelCase: ``objectLockDays``.

    Days are whole days; 0 means never. ``name_prefix`` starts the stack names and the
    role names, so two installations in one account differ in it.
    """

    name_prefix: str = "OpenTrail"
    regions: tuple[str, ...] = ()  # other Regions of this account whose calls are forwarded home
    organization_id: str = ""  # "o-..." lets CloudTrail deliver an organization trail's files, too
    kms_encryption: bool = True  # False: S3's, DynamoDB's and SQS's own keys, which cost nothing
    object_lock_mode: str = ""  # "", "GOVERNANCE" or "COMPLIANCE": default retention of every log file
    object_lock_days: int = 0
    glacier_days: int = 0  # log files move to Glacier Instant Retrieval
    deep_archive_days: int = 0  # and on to Deep Archive; validation then needs a restore
    expire_days: int = 0  # and are deleted
    history_days: int = 90  # how long LookupEvents answers; CloudTrail's own is 90
    log_retention_days: int = 30  # the functions' own logs
    tracing: bool = False  # AWS X-Ray samples the functions' invocations
    key_rotation_days: int = 30  # how long a key signs digests; 0 keeps the first for ever
    access_logs_bucket: str = ""  # an existing bucket for S3 server access logs
    delivery_buckets: tuple[str, ...] = ()  # names of further buckets that trails may deliver to
    delivery_key_arns: tuple[str, ...] = ()  # KMS keys that trails may name, or that encrypt their topics
    notification_topic_arns: tuple[str, ...] = ()  # SNS topics that trails may notify
    log_group_arns: tuple[str, ...] = ()  # CloudWatch Logs groups that trails may send events to
    validation_schedule: str = "cron(45 2 * * ? *)"  # when the last day is proven, UTC
    validation_topic_arn: str = ""  # an SNS topic that hears of each proof
    anchor_topic_arn: str = ""  # an SNS topic that hears of each digest's head; without it none follows
    alarm_topic_arn: str = ""  # an SNS topic that hears of alarms
    alarm_email: str = ""  # or an address: a topic is made for it, and AWS asks it to confirm
    trail_name: str = "management-events"  # what `opentrail trail create --default` makes
    trail_data_types: tuple[str, ...] = ()  # and whose data events it records: "AWS::S3::Object"
    trail_insights: bool = False  # and whether unusual rates are looked for, which AWS would charge for
    minimal_trail: bool = False  # a trail of AWS's own, where none logs: EventBridge carries calls only then
    source_bucket: str = ""  # a bucket that CloudTrail writes already: its new log files are ingested
    source_prefix: str = ""  # only keys that begin so, "central/AWSLogs/o-abcdefghij/"; "": all
    source_topic_arn: str = ""  # an SNS topic that hears of its new objects; "": EventBridge of this account
    source_key_arns: tuple[str, ...] = ()  # KMS keys that encrypt its log files
    cis_alarms: bool = False  # alarms of CIS AWS Foundations section 4, in a stack of their own
    cis_log_group: str = ""  # the trail's log group they watch; "" makes one
    remediation_mode: str = ""  # "observe" or "enforce" adds OpenTrailRemediation; "": no such stack
    remediation_modes: tuple[str, ...] = ()  # exceptions: playbook=mode, account=mode, account/playbook=mode
    remediation_exempt: tuple[str, ...] = ()  # patterns of ARNs whose changes stay, or playbook=pattern
    break_glass: tuple[str, ...] = ()  # patterns of ARNs that remediation never hinders
    playbooks_folder: str = ""  # a folder with playbooks of your own
    detections_folder: str = ""  # a folder with Sigma rules adds OpenTrailDetections; "": no such stack
    detections_topic_arn: str = ""  # an SNS topic that hears of each finding
    bundle_layer: bool = True  # False: no pip run; the layer then holds no packages (laptop, tests)

    @classmethod
    def from_context(cls, lookup: Callable[[str], Any]) -> Self:
        """Read every option through ``lookup`` (``node.try_get_context``); absent ones take their default.

        Raises:
            SettingsError: names every option that is malformed or contradicts another.
        """
        values, problems = _read(get_type_hints(cls), lookup, [f.name for f in fields(cls)])
        options = cls(**values)
        problems += options._contradictions()
        if problems:
            raise SettingsError("; ".join(problems))
        return options

    def _contradictions(self) -> list[str]:
        rules = {
            # Role names are at most 64 characters and carry stage and Region beside the prefix.
            "namePrefix must be 1 to 24 letters, digits or hyphens, and start with a letter": re.fullmatch(
                r"[A-Za-z][A-Za-z0-9-]{0,23}", self.name_prefix
            ),
            "organizationId must look like o-abcdefghij": re.fullmatch(
                r"(o-[a-z0-9]{10,32})?", self.organization_id
            ),
            f"objectLockMode must be one of {', '.join(filter(None, LOCK_MODES))}": self.object_lock_mode
            in LOCK_MODES,
            "objectLockMode and objectLockDays go together": bool(self.object_lock_mode)
            == bool(self.object_lock_days),
            "cisLogGroup must be a log group's name, and goes with cisAlarms": not self.cis_log_group
            or (self.cis_alarms and re.fullmatch(r"[\w./#-]{1,512}", self.cis_log_group, re.ASCII)),
            "alarmEmail must be one e-mail address, and does not go with alarmTopicArn": not self.alarm_email
            or (not self.alarm_topic_arn and re.fullmatch(r"[^@\s,]+@[^@\s,]+", self.alarm_email)),
            "trailName must be 3 to 128 letters, digits, periods, underscores or hyphens": re.fullmatch(
                r"(?=.{3,128}$)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*", self.trail_name
            ),
            "regions must be names like eu-west-1, each once": len(set(self.regions)) == len(self.regions)
            and all(re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", name, re.ASCII) for name in self.regions),
            "trailDataTypes must be resource types like AWS::S3::Object": all(
                re.fullmatch(r"AWS::\w+::\w+", name, re.ASCII) for name in self.trail_data_types
            ),
            **self._of_the_source(),
            "no option may be negative": min(self._days()) >= 0,
            "historyDays must be at least 90": self.history_days >= 90,
            "deepArchiveDays must be at least 90 days after glacierDays": not (
                self.glacier_days and self.deep_archive_days
            )
            or self.deep_archive_days >= self.glacier_days + 90,
            "expireDays must be after glacierDays, deepArchiveDays and objectLockDays": not self.expire_days
            or self.expire_days > max(self.glacier_days, self.deep_archive_days, self.object_lock_days - 1),
            f"remediationMode must be one of {', '.join(REMEDIATION_MODES)}": self.remediation_mode
            in ("", *REMEDIATION_MODES),
            "remediationModes must be SCOPE=observe or SCOPE=enforce": all(
                re.fullmatch(r"[^=]+=(observe|enforce)", entry) for entry in self.remediation_modes
            ),
            f"logRetentionDays must be one of {LOG_RETENTION_DAYS}": self.log_retention_days
            in LOG_RETENTION_DAYS,
        }
        return [rule for rule, kept in rules.items() if not kept]

    def _of_the_source(self) -> dict[str, object]:
        bucket = self.source_bucket
        own = rf"{self.name_prefix.lower()}storage-(logs|history)bucket.*"  # as CloudFormation names ours
        return {
            "sourceBucket must be the name of a bucket": re.fullmatch(
                r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?", bucket
            ),
            "sourceBucket must not be a bucket OpenTrail itself writes to": not bucket
            or not (re.fullmatch(own, bucket) or bucket in (*self.delivery_buckets, self.access_logs_bucket)),
            "sourcePrefix, sourceTopicArn and sourceKeyArns go with sourceBucket": bucket
            or not (self.source_prefix or self.source_topic_arn or self.source_key_arns),
            "sourceKeyArns must be ARNs of KMS keys": all(
                re.fullmatch(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+", arn, re.ASCII)
                for arn in self.source_key_arns
            ),
            "sourcePrefix must not begin with /": not self.source_prefix.startswith("/"),
            "sourceTopicArn must be the ARN of an SNS topic": not self.source_topic_arn
            or re.fullmatch(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+", self.source_topic_arn, re.ASCII),
        }

    def _days(self) -> tuple[int, ...]:
        return (
            self.object_lock_days,
            self.glacier_days,
            self.deep_archive_days,
            self.expire_days,
            self.history_days,
            self.key_rotation_days,
        )


def context_name(field: str) -> str:
    """``object_lock_days`` -> ``objectLockDays``."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _read(
    hints: Mapping[str, Any], lookup: Callable[[str], Any], names: list[str]
) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name in names:
        given = lookup(context_name(name))
        if given is None:
            continue
        try:
            values[name] = _READERS[hints[name]](given)
        except ValueError as error:
            problems.append(f"{context_name(name)}={given!r} is not {error}")
    return values, problems


# `--context` on the command line gives text, cdk.json gives JSON values: each reader takes both.


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("text")
    return given


def _whole(given: Any) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"-?\d+", str(given)):
        raise ValueError("a whole number")
    return int(given)


def _flag(given: Any) -> bool:
    if str(given).lower() not in ("true", "false"):
        raise ValueError("true or false")
    return str(given).lower() == "true"


def _names(given: Any) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError("a list of names")
    return tuple(part.strip() for part in parts if part.strip())


_READERS: dict[Any, Callable[[Any], Any]] = {str: _text, int: _whole, bool: _flag, tuple[str, ...]: _names}
