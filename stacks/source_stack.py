"""What makes AWS hand calls to EventBridge: a minimal trail of CloudTrail's own, where there is none."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.options import Options
from stacks.storage_stack import StorageStack

# Not AWSLogs/ alone, where our own files lie: both write the same names below it.
KEY_PREFIX = "aws-cloudtrail"


class SourceStack(cdk.Stack):
    """OpenTrailSource: one multi-Region trail of management events, the first copy of which is free.

    It adds what S3 asks for its log files, which lie in the log bucket under ``aws-cloudtrail/``.
    """

    def __init__(
        self, scope: Construct, id_: str, *, options: Options, storage: StorageStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        self.trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=f"{options.name_prefix}-source",
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            s3_bucket_name=storage.log_bucket.bucket_name,
            s3_key_prefix=KEY_PREFIX,
            kms_key_id=storage.encryption_key.key_arn if storage.encryption_key else None,
        )
        acknowledge(
            self.trail,
            "NIST.800.53.R5-CloudTrailCloudWatchLogsEnabled",
            "It is there for EventBridge; log groups are filled by OpenTrail's own trails.",
        )
        if storage.encryption_key is None:
            acknowledge(
                self.trail,
                "NIST.800.53.R5-CloudTrailEncryptionEnabled",
                "The option kmsEncryption is off: S3 encrypts with keys of its own.",
            )
        cdk.CfnOutput(self, "SourceTrailArn", value=self.trail.attr_arn)
