"""An existing CloudTrail bucket as a source: notices -> queue, with a delay -> ingest -> delivery queue."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from opentrail.settings import IngestSettings
from stacks import parameters, permissions
from stacks.constructs.alarms import Alarms
from stacks.constructs.code_assets import function_code, package_layer
from stacks.constructs.stage_function import StageFunction
from stacks.constructs.stage_role import stage_role
from stacks.constructs.work_queue import WorkQueue, allow_rules
from stacks.options import Options
from stacks.pipeline_stack import CHUNK_BYTES, FILE_BYTES, PipelineStack
from stacks.storage_stack import StorageStack

STAGE = "ingest"

# EventBridge's copy of a management event is in history after both windows, some six minutes after the call;
# CloudTrail's file comes about then. A quarter of an hour more, the longest SQS delays, makes the order sure.
LONGEST_DELAY_SECONDS = 900

INGEST_SECONDS = 300
VISIBILITY = cdk.Duration.seconds(6 * INGEST_SECONDS)
RECEIVES = 10  # five hours of a key or a bucket that refuses; the rest of 14 days is for whoever repairs it
BATCH = 10  # files, one after another; the largest takes seconds
CONCURRENCY = 5
MEMORY_MIB = 1769  # one whole processor; a file of CloudTrail's 50 MB takes a quarter of it

# A file in the other account's hands is at most 50 MB, uncompressed; the margin costs nothing.
MAX_FILE_BYTES = 2 * FILE_BYTES

LATE_SECONDS = 60 * 60


class IngestStack(cdk.Stack):
    """OpenTrailIngest: only when ``sourceBucket`` names one. It keeps nothing."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        options: Options,
        storage: StorageStack,
        pipeline: PipelineStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        self._options, self._storage, self._pipeline = options, storage, pipeline
        delay = parameters.number(
            self,
            "IngestDelaySeconds",
            LONGEST_DELAY_SECONDS,
            0,
            LONGEST_DELAY_SECONDS,
            "How long a new file waits, so that EventBridge's copy of its events comes first",
        )
        self._trail_cache = parameters.trail_cache_seconds(self)
        self.work = WorkQueue(
            self,
            "Notices",
            key=storage.encryption_key,
            visibility=VISIBILITY,
            max_receives=RECEIVES,
            delay=parameters.as_duration(delay),
        )
        if options.source_topic_arn:
            self._hear_topic()
        else:
            self._hear_event_bridge()
        self.role = stage_role(self, "IngestRole", name_prefix=options.name_prefix, stage=STAGE)
        self.ingest = self._add_function()
        self._grant()
        self._add_alarms()
        outputs = {
            "IngestQueueUrl": self.work.queue.queue_url,
            "IngestDeadLetterQueueUrl": self.work.dead_letters.queue_url,
            "IngestFunctionName": self.ingest.function.function_name,
            "SourceBucketName": options.source_bucket,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _hear_event_bridge(self) -> None:
        """The bucket stays as it is, with EventBridge notifications switched on: it is not our resource."""
        told: dict[str, Any] = {"bucket": {"name": [self._options.source_bucket]}}
        if self._options.source_prefix:
            told["object"] = {"key": [{"prefix": self._options.source_prefix}]}
        rule = events.CfnRule(
            self,
            "NewObjects",
            description="OpenTrail: new objects of the source bucket, to the ingest queue",
            event_pattern={"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": told},
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Ingest",
                    arn=self.work.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.work.dead_letters.queue_arn
                    ),
                )
            ],
        )
        for queue in (self.work.queue, self.work.dead_letters):
            allow_rules(queue, [rule.attr_arn])

    def _hear_topic(self) -> None:
        """The way into other accounts and Regions: the topic's owner lets this account subscribe."""
        topic = self._options.source_topic_arn
        self.work.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowTopicToSend",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.work.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic}},
            )
        )
        sns.CfnSubscription(
            self,
            "Subscription",
            topic_arn=topic,
            protocol="sqs",
            endpoint=self.work.queue.queue_arn,
            region=topic.split(":")[3],
            raw_message_delivery=True,
        )

    def _add_function(self) -> StageFunction:
        options, storage = self._options, self._storage
        stage = StageFunction(
            self,
            "Ingest",
            stage=STAGE,
            settings=IngestSettings(
                trails_table=storage.trails_table.table_name,
                delivery_queue_url=self._pipeline.delivery.queue.queue_url,
                reject_queue_url=self.work.dead_letters.queue_url,
                history_table=storage.history_table.table_name,
                history_bucket=storage.history_bucket.bucket_name,
                own_role_arns=self._pipeline.own_role_arns,
                own_buckets=(
                    storage.log_bucket.bucket_name,
                    storage.history_bucket.bucket_name,
                    *options.delivery_buckets,
                ),
                source_bucket=options.source_bucket,
                source_prefix=options.source_prefix,
                max_chunk_bytes=CHUNK_BYTES,
                max_file_bytes=MAX_FILE_BYTES,
                trail_cache_seconds=parameters.as_setting(self._trail_cache),
            ),
            role=self.role,
            code=function_code(),
            layer=package_layer(self, "Packages", bundle=options.bundle_layer),
            timeout=cdk.Duration.seconds(INGEST_SECONDS),
            memory_mib=MEMORY_MIB,
            log_retention_days=options.log_retention_days,
        )
        stage.read_queue(
            self.work.queue,
            batch_size=BATCH,
            window=cdk.Duration.seconds(0),
            max_concurrency=CONCURRENCY,
        )
        return stage

    def _grant(self) -> None:
        options, storage, role = self._options, self._storage, self.role
        source = s3.Bucket.from_bucket_name(self, "Source", options.source_bucket)
        permissions.take_messages(role, self.work.queue)
        permissions.send_messages(role, [self._pipeline.delivery.queue, self.work.dead_letters])
        permissions.use_table(role, storage.trails_table, permissions.READ_TRAILS + permissions.NOTE_STATUS)
        permissions.use_table(role, storage.history_table, permissions.FIND_SEGMENTS)
        permissions.read_history(role, storage.history_bucket)
        permissions.read_source(role, source, options.source_prefix)
        permissions.use_keys(role, storage.key_arns, "dynamodb", "s3", "sqs")
        permissions.decrypt_source(role, options.source_key_arns)
        permissions.stream(role, permissions.streamed_groups(options))
        permissions.list_members(role)

    def _add_alarms(self) -> None:
        alarms = Alarms(self, "Alarms", topic_arn=self._storage.alarm_topic_arn)
        alarms.watch_queue("Ingest", self.work, oldest_seconds=LATE_SECONDS)
        alarms.watch_function(
            "Ingest",
            self.ingest.function,
            description="Log files of the source bucket are not read; they wait in the ingest queue.",
        )
