"""A bucket for audit data: private, encrypted, versioned, TLS only, kept when its stack goes."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.options import Options

# An upload that never finished is billed and invisible; a week is ample for the largest file.
UNFINISHED_UPLOAD_DAYS = 7


class AuditBucket(Construct):
    """One hardened bucket.

    Object Lock is switched on at creation even without a default retention, because
    retention can then be added later without a new bucket.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: kms.IKey | None,
        lifecycle: Sequence[s3.LifecycleRule],
        access_logs_bucket: str = "",
        retention: s3.ObjectLockRetention | None = None,
        object_lock: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=bool(key) or None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_enabled=object_lock or None,
            object_lock_default_retention=retention,
            lifecycle_rules=[*lifecycle, _unfinished_uploads()],
            server_access_logs_bucket=self._access_logs(access_logs_bucket),
            server_access_logs_prefix=f"{id_}/" if access_logs_bucket else None,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        if self.bucket.policy is not None:  # a kept bucket without its policy would be an open door
            self.bucket.policy.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        if access_logs_bucket:
            acknowledge(
                self.bucket,
                "@aws-cdk/aws-s3:accessLogsPolicyNotAdded",
                "The bucket for access logs is not ours: its owner lets S3 log delivery write there.",
            )
        else:
            acknowledge(
                self.bucket,
                ("AwsSolutions-S1", "NIST.800.53.R5-S3BucketLoggingEnabled"),
                "Server access logs would need one more bucket that nothing watches. Reads and writes of "
                "this bucket are data events, which a trail can record; the option accessLogsBucket adds "
                "server access logs.",
            )
        if key is None:
            acknowledge(
                self.bucket,
                "NIST.800.53.R5-S3DefaultEncryptionKMS",
                "The option kmsEncryption is off: S3 encrypts with keys of its own.",
            )
        acknowledge(
            self.bucket,
            "NIST.800.53.R5-S3BucketReplicationEnabled",
            "A second copy is its owner's choice of Region, account and price; versions and Object Lock keep "
            "what was written, and a missing file is found by its digest.",
        )

    def _access_logs(self, name: str) -> s3.IBucket | None:
        return s3.Bucket.from_bucket_name(self, "AccessLogs", name) if name else None


def log_lifecycle(options: Options) -> list[s3.LifecycleRule]:
    """Return the rules that age log files by ``options``; none, when they are kept as they are for ever."""
    steps = (
        (s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, options.glacier_days),
        (s3.StorageClass.DEEP_ARCHIVE, options.deep_archive_days),
    )
    transitions = [
        s3.Transition(storage_class=storage_class, transition_after=cdk.Duration.days(days))
        for storage_class, days in steps
        if days
    ]
    if not transitions and not options.expire_days:
        return []
    expiration = cdk.Duration.days(options.expire_days) if options.expire_days else None
    return [
        s3.LifecycleRule(
            id="AgeLogFiles",
            transitions=transitions or None,
            expiration=expiration,
            noncurrent_version_expiration=expiration,
        )
    ]


def history_lifecycle(options: Options) -> list[s3.LifecycleRule]:
    """Return the rule that ends event history; one day late, so that no event of the last day is missed."""
    return [
        s3.LifecycleRule(
            id="ExpireHistory",
            prefix="history/",
            expiration=cdk.Duration.days(options.history_days + 1),
            noncurrent_version_expiration=cdk.Duration.days(1),
        )
    ]


def log_retention(options: Options) -> s3.ObjectLockRetention | None:
    """Return the default retention of every log file, or None."""
    days = cdk.Duration.days(options.object_lock_days)
    if options.object_lock_mode == "COMPLIANCE":
        return s3.ObjectLockRetention.compliance(days)
    if options.object_lock_mode == "GOVERNANCE":
        return s3.ObjectLockRetention.governance(days)
    return None


def allow_cloudtrail(bucket: s3.Bucket, organization_id: str) -> None:
    """Let CloudTrail's own trails of this account deliver to ``bucket``, with or without a key prefix.

    Source: CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail".
    """
    stack = cdk.Stack.of(bucket)
    from_own_trails = {
        "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:cloudtrail:*:{stack.account}:trail/*"}
    }
    cloudtrail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AWSCloudTrailAclCheck20150319",
            principals=[cloudtrail],
            actions=["s3:GetBucketAcl"],
            resources=[bucket.bucket_arn],
            conditions=from_own_trails,
        )
    )
    writes = {"AWSCloudTrailWrite20150319": stack.account}
    if organization_id:
        writes["AWSCloudTrailOrganizationWrite20150319"] = organization_id
    for sid, owner in writes.items():
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[cloudtrail],
                actions=["s3:PutObject"],
                resources=[
                    bucket.arn_for_objects(f"AWSLogs/{owner}/*"),
                    bucket.arn_for_objects(f"*/AWSLogs/{owner}/*"),
                ],
                conditions={
                    **from_own_trails,
                    "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"},
                },
            )
        )


def _unfinished_uploads() -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id="DropUnfinishedUploads",
        abort_incomplete_multipart_upload_after=cdk.Duration.days(UNFINISHED_UPLOAD_DAYS),
        expired_object_delete_marker=True,
    )
