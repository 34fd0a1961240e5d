"""The commands that make a failed check of a bucket pass: plain aws-cli, nothing to fill in but ``$MFA``.

What else is set there stays: a policy is printed with the statements it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentrail.branches.doctor import commands
from opentrail.branches.doctor.commands import Statement, as_json, as_policy, aws, put_policy
from opentrail.branches.doctor.facts import BucketFacts, TrailFacts
from opentrail.branches.doctor.verdict import NO_FIX, Fix
from opentrail.format.iam_document import statements

YEAR_DAYS = 365
LONGEST_NAME = 63  # S3 user guide, "Bucket naming rules"


def allow_delivery(trail: TrailFacts) -> Fix:
    """Give the bucket's policy what CloudTrail needs of it; keys are for a person to look at."""
    if not isinstance(trail.bucket, BucketFacts):
        return NO_FIX
    account = trail.arn.split(":")[4]
    folder = "/".join(filter(None, (trail.prefix, "AWSLogs", account, "*")))
    kept = [s for s in statements(trail.bucket.policy) if s.get("Sid") not in commands.GRANT_SIDS]
    return _policy(trail.bucket, [*kept, *commands.delivery_grants(trail.bucket_name, folder, [trail.arn])])


def block_public(bucket: BucketFacts, grants: Sequence[Statement]) -> Fix:
    """Block it, and take the statements for anybody out of the policy."""
    blocked = (commands.block_public(bucket.name),)
    if not grants:
        return Fix(commands=blocked)
    # Block Public Access refuses no policy that is there already, so the policy goes first.
    cleaned = _policy(bucket, [s for s in statements(bucket.policy) if s not in grants])
    return Fix(commands=(*cleaned.commands, *blocked), bucket=bucket.name, policy=cleaned.policy)


def version(bucket: BucketFacts) -> Fix:
    """Switch versioning on."""
    set_to = ("--versioning-configuration", "Status=Enabled")
    return Fix(commands=(aws("s3api", "put-bucket-versioning", "--bucket", bucket.name, *set_to),))


def lock(bucket: BucketFacts) -> Fix:
    """MFA delete, by the root user: ``$MFA`` is its device's serial number and present code.

    Object Lock would do, too, but cannot be taken back.
    """
    set_to = ("--versioning-configuration", "Status=Enabled,MFADelete=Enabled")
    command = aws("s3api", "put-bucket-versioning", "--bucket", bucket.name, *set_to)
    return Fix(commands=(f'{command} --mfa "$MFA"',))


def name_trails(bucket: BucketFacts, open_ones: Sequence[Statement], trails: list[TrailFacts]) -> Fix:
    """Ask for ``aws:SourceArn`` in each statement that does not."""
    arns = [trail.arn for trail in trails]
    return _policy(
        bucket, (_with_source(s, arns) if s in open_ones else s for s in statements(bucket.policy))
    )


def refuse_plain(bucket: BucketFacts) -> Fix:
    """Deny requests without TLS."""
    deny = {
        "Sid": "DenyWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return _policy(bucket, [*statements(bucket.policy), deny])


def log_access(bucket: BucketFacts) -> Fix:
    """A second bucket in the same Region that takes the access logs."""
    target = f"{bucket.name[: LONGEST_NAME - len('-access')]}-access"
    logger = {"Service": "logging.s3.amazonaws.com"}
    grant = commands.allow(logger, "s3:PutObject", f"arn:aws:s3:::{target}/*")
    status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{bucket.name}/"}}
    words = ("--bucket", bucket.name, "--bucket-logging-status", as_json(status))
    return Fix(
        commands=(
            *commands.create_bucket(target, bucket.region),
            put_policy(target, as_policy([grant])),
            aws("s3api", "put-bucket-logging", *words),
        )
    )


def keep(bucket: BucketFacts) -> Fix:
    """Let the rules that expire log files wait for a year; what else they do stays."""
    rules = [_for_a_year(rule) for rule in bucket.lifecycle]
    words = ("--bucket", bucket.name, "--lifecycle-configuration", as_json({"Rules": rules}))
    return Fix(commands=(aws("s3api", "put-bucket-lifecycle-configuration", *words),))


def _for_a_year(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    expiration = rule.get("Expiration", {})
    if not 0 < expiration.get("Days", 0) < YEAR_DAYS:
        return rule
    return {**rule, "Expiration": {**expiration, "Days": YEAR_DAYS}}


def _with_source(statement: Statement, arns: list[str]) -> Statement:
    conditions = dict(statement.get("Condition") or {})
    equals = {**conditions.get("StringEquals", {}), "aws:SourceArn": arns}
    return {**statement, "Condition": {**conditions, "StringEquals": equals}}


def _policy(bucket: BucketFacts, grants: Iterable[Statement]) -> Fix:
    policy = as_policy(grants)
    return Fix(commands=(put_policy(bucket.name, policy),), bucket=bucket.name, policy=policy)
