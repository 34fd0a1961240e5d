"""The commands that make a failed check of a trail pass: plain aws-cli, nothing left to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentrail.branches.doctor.commands import (
    CLOUDTRAIL,
    allow,
    as_json,
    as_policy,
    aws,
    create_bucket,
    delivery_grants,
    put_policy,
    write_grant,
)
from opentrail.branches.doctor.facts import BucketFacts, KeyFacts, TrailFacts
from opentrail.branches.doctor.verdict import NO_FIX, Fix
from opentrail.format.iam_document import statements

ALL_OBJECTS = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
ROOT_USAGE = (
    '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS '
    '&& $.eventType != "AwsServiceEvent" }'
)


def start_logging(trail: TrailFacts) -> Fix:
    """Start it."""
    return Fix(commands=(_of(trail, "start-logging", "--name", trail.arn),))


def validate(trail: TrailFacts) -> Fix:
    """Switch validation on."""
    return Fix(commands=(_update(trail, "--enable-log-file-validation"),))


def complete(trail: TrailFacts, *, selectors: bool) -> Fix:
    """Make a trail record all management events of every Region."""
    widen = _update(trail, "--is-multi-region-trail", "--include-global-service-events")
    chosen = _with_management(trail) if selectors else NO_FIX
    return Fix(
        commands=(widen, *chosen.commands, *start_logging(trail).commands),
        trail=chosen.trail,
        basic=chosen.basic,
        advanced=chosen.advanced,
    )


def create_trail(account: str, region: str) -> Fix:
    """A bucket, and a trail into it."""
    bucket, name = f"cloudtrail-logs-{account}-{region}", "management-events"
    arn = f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"
    made = ("--name", name, "--s3-bucket-name", bucket, "--region", region)
    policy = as_policy(delivery_grants(bucket, f"AWSLogs/{account}/*", [arn]))
    return Fix(
        commands=(
            *create_bucket(bucket, region),
            put_policy(bucket, policy),
            aws(
                "cloudtrail", "create-trail", *made, "--is-multi-region-trail", "--enable-log-file-validation"
            ),
            aws("cloudtrail", "start-logging", "--name", name, "--region", region),
        )
    )


def encrypt(trail: TrailFacts, account: str) -> Fix:
    """A key that this trail may encrypt with."""
    region = trail.bucket.region if isinstance(trail.bucket, BucketFacts) else trail.home_region
    context = {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{account}:trail/*"}
    grants = [
        allow({"AWS": f"arn:aws:iam::{account}:root"}, "kms:*", "*"),
        allow(
            CLOUDTRAIL,
            "kms:GenerateDataKey*",
            "*",
            StringEquals={"aws:SourceArn": trail.arn},
            StringLike=context,
        ),
        allow(CLOUDTRAIL, ["kms:DescribeKey", "kms:Decrypt"], "*"),
    ]
    made = aws(
        *("kms", "create-key", "--region", region, "--description", f"log files of {trail.name}"),
        *("--query", "KeyMetadata.Arn", "--output", "text", "--policy", as_json(as_policy(grants))),
    )
    return Fix(commands=(f"KEY=$({made})", _update(trail) + ' --kms-key-id "$KEY"'))


def enable_key(key: KeyFacts) -> Fix:
    """Enable it again, also when it waits for its deletion."""
    saved = (_key(key, "cancel-key-deletion"),) if key.state == "PendingDeletion" else ()
    return Fix(commands=(*saved, _key(key, "enable-key")))


def rotate_key(key: KeyFacts) -> Fix:
    """Switch rotation on."""
    return Fix(commands=(_key(key, "enable-key-rotation"),))


def stream(trail: TrailFacts, account: str) -> Fix:
    """A log group, and a role that may write to it."""
    group, role, region = f"cloudtrail-{trail.name}", f"cloudtrail-{trail.name[:40]}-logs", trail.home_region
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    trust = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "sts:AssumeRole"}
    write = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{arn}:log-stream:*",
    }
    trusted = ("--assume-role-policy-document", as_json(as_policy([trust])))
    written = ("--policy-name", "write", "--policy-document", as_json(as_policy([write])))
    return Fix(
        commands=(
            aws("logs", "create-log-group", "--region", region, "--log-group-name", group) + " || true",
            aws("iam", "create-role", "--role-name", role, *trusted) + " || true",
            aws("iam", "put-role-policy", "--role-name", role, *written),
            _update(
                *(trail, "--cloud-watch-logs-log-group-arn", f"{arn}:*"),
                *("--cloud-watch-logs-role-arn", f"arn:aws:iam::{account}:role/{role}"),
            ),
        )
    )


def first_alarm(group_arn: str) -> Fix:
    """An alarm on the root user, the first to have."""
    _, _, _, region, _, _, group, *_ = group_arn.split(":")
    metric = "metricName=RootUsage,metricNamespace=CloudTrail,metricValue=1"
    return Fix(
        commands=(
            aws(
                *("logs", "put-metric-filter", "--region", region, "--log-group-name", group),
                *("--filter-name", "root-usage", "--filter-pattern", ROOT_USAGE),
                *("--metric-transformations", metric),
            ),
            aws(
                *(
                    "cloudwatch",
                    "put-metric-alarm",
                    "--region",
                    region,
                    "--alarm-name",
                    "cloudtrail-root-usage",
                ),
                *("--metric-name", "RootUsage", "--namespace", "CloudTrail", "--statistic", "Sum"),
                *("--period", "300", "--evaluation-periods", "1", "--threshold", "1"),
                *("--comparison-operator", "GreaterThanOrEqualToThreshold"),
            ),
        )
    )


def watch(trail: TrailFacts) -> Fix:
    """Both insight types."""
    types = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]
    words = ("--trail-name", trail.arn, "--insight-selectors", as_json(types))
    return Fix(commands=(_of(trail, "put-insight-selectors", *words),))


def record_objects(trail: TrailFacts) -> Fix:
    """The objects of all buckets, beside what is selected already."""
    if trail.advanced:
        fields = [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        ]
        return _put_advanced(trail, [*trail.advanced, {"Name": "S3 objects", "FieldSelectors": fields}])
    selectors = [*trail.selectors] or [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
    wide = [s for s in selectors if s.get("ReadWriteType", "All") == "All"]
    if not wide:
        added = {"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [ALL_OBJECTS]}
        return _put_basic(trail, [*selectors, added])
    return _put_basic(trail, [_with_objects(s) if s is wide[0] else s for s in selectors])


def cover_organization(trail: TrailFacts, organization: str) -> Fix:
    """Turn the management account's trail into the organization's."""
    trust = ("--service-principal", "cloudtrail.amazonaws.com")
    trusted = aws("organizations", "enable-aws-service-access", *trust)
    changed = _update(trail, "--is-organization-trail", "--is-multi-region-trail")
    if not isinstance(trail.bucket, BucketFacts):
        return Fix(commands=(trusted, changed))
    folder = "/".join(filter(None, (trail.prefix, "AWSLogs", organization, "*")))
    grant = write_grant(trail.bucket_name, folder, [trail.arn])
    policy = as_policy([*statements(trail.bucket.policy), grant])
    return Fix(
        commands=(trusted, put_policy(trail.bucket_name, policy), changed),
        bucket=trail.bucket_name,
        policy=policy,
    )


def _with_management(trail: TrailFacts) -> Fix:
    if trail.advanced:
        others = [s for s in trail.advanced if not _is_management(s)]
        fields = [{"Field": "eventCategory", "Equals": ["Management"]}]
        return _put_advanced(trail, [{"Name": "Management events", "FieldSelectors": fields}, *others])
    resources = [r for s in trail.selectors for r in s.get("DataResources", [])]
    wanted = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": resources}
    return _put_basic(trail, [wanted])


def _is_management(selector: Mapping[str, Any]) -> bool:
    return any(
        field["Field"] == "eventCategory" and field.get("Equals") == ["Management"]
        for field in selector.get("FieldSelectors", [])
    )


def _with_objects(selector: Mapping[str, Any]) -> Mapping[str, Any]:
    others = [r for r in selector.get("DataResources", []) if r.get("Type") != ALL_OBJECTS["Type"]]
    return {**selector, "DataResources": [*others, ALL_OBJECTS]}


def _put_basic(trail: TrailFacts, selectors: Sequence[Mapping[str, Any]]) -> Fix:
    words = ("--trail-name", trail.arn, "--event-selectors", as_json(selectors))
    commands = (_of(trail, "put-event-selectors", *words),)
    return Fix(commands=commands, trail=trail.arn, basic=tuple(selectors))


def _put_advanced(trail: TrailFacts, selectors: Sequence[Mapping[str, Any]]) -> Fix:
    words = ("--trail-name", trail.arn, "--advanced-event-selectors", as_json(selectors))
    commands = (_of(trail, "put-event-selectors", *words),)
    return Fix(commands=commands, trail=trail.arn, advanced=tuple(selectors))


def _key(key: KeyFacts, verb: str) -> str:
    return aws("kms", verb, "--region", key.arn.split(":")[3], "--key-id", key.arn)


def _update(trail: TrailFacts, *words: str) -> str:
    return _of(trail, "update-trail", "--name", trail.arn, *words)


def _of(trail: TrailFacts, verb: str, *words: str) -> str:
    return aws("cloudtrail", verb, *words, "--region", trail.home_region)
