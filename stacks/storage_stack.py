"""What is kept: log bucket, history bucket, tables, keys.

Construct ids here never change: a new id is a new bucket.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.alarm_topic import alarm_topic
from stacks.constructs.anchor_table import anchor_table
from stacks.constructs.audit_bucket import (
    AuditBucket,
    allow_cloudtrail,
    history_lifecycle,
    log_lifecycle,
    log_retention,
)
from stacks.constructs.keys import encryption_key, signing_key
from stacks.constructs.stage_role import stage_role_arn
from stacks.constructs.state_table import state_table
from stacks.constructs.written_once import write_once
from stacks.options import Options


class StorageStack(cdk.Stack):
    """OpenTrailStorage: everything that must outlive a deployment, and nothing else."""

    def __init__(self, scope: Construct, id_: str, *, options: Options, **kwargs: Any) -> None:
        super().__init__(scope, id_, **kwargs)
        self.encryption_key = (
            encryption_key(
                self,
                "EncryptionKey",
                for_alarms=bool(options.alarm_email),
                source_topic_arn=options.source_topic_arn,
            )
            if options.kms_encryption
            else None
        )
        self.key_arns = [self.encryption_key.key_arn] if self.encryption_key else []
        self.signing_key = signing_key(
            self, "SigningKey", signer_role_arn=stage_role_arn(options.name_prefix, "digest")
        )
        self.log_bucket = AuditBucket(
            self,
            "Logs",
            key=self.encryption_key,
            lifecycle=log_lifecycle(options),
            access_logs_bucket=options.access_logs_bucket,
            object_lock=True,
            retention=log_retention(options),
        ).bucket
        allow_cloudtrail(self.log_bucket, options.organization_id)
        write_once(
            self.log_bucket,
            deliver_role_arn=stage_role_arn(options.name_prefix, "deliver"),
            digest_role_arn=stage_role_arn(options.name_prefix, "digest"),
        )
        self.history_bucket = AuditBucket(
            self,
            "History",
            key=self.encryption_key,
            lifecycle=history_lifecycle(options),
            access_logs_bucket=options.access_logs_bucket,
        ).bucket
        self.trails_table = state_table(self, "TrailsTable", key=self.encryption_key)
        self.ledger_table = state_table(self, "LedgerTable", key=self.encryption_key)
        self.history_table = state_table(self, "HistoryTable", key=self.encryption_key)
        self.alarm_topic_arn = options.alarm_topic_arn or self._alarm_topic_arn(options.alarm_email)
        self.anchor_table = anchor_table(
            self,
            "AnchorTable",
            key=self.encryption_key,
            writer_role_arn=stage_role_arn(options.name_prefix, "digest"),
        )
        self._write_outputs()

    def _alarm_topic_arn(self, email: str) -> str:
        """Here because a confirmed address is worth keeping, and all other stacks' alarms need it."""
        if not email:
            return ""
        return alarm_topic(self, "AlarmTopic", email=email, key=self.encryption_key).topic_arn

    def _write_outputs(self) -> None:
        outputs = {
            "LogBucketName": self.log_bucket.bucket_name,
            "HistoryBucketName": self.history_bucket.bucket_name,
            "TrailsTableName": self.trails_table.table_name,
            "LedgerTableName": self.ledger_table.table_name,
            "HistoryTableName": self.history_table.table_name,
            "AnchorTableName": self.anchor_table.table_name,
            "SigningKeyId": self.signing_key.key_id,
        }
        if self.encryption_key:
            outputs["EncryptionKeyArn"] = self.encryption_key.key_arn
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
