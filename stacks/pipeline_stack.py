"""What runs: bus -> intake -> record -> delivery -> deliver; digest, insights and rollup by the clock."""

from __future__ import annotations

from functools import partial
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from opentrail.settings import (
    DeliverSettings,
    DigestSettings,
    InsightsSettings,
    RecordSettings,
    RollupSettings,
    Settings,
)
from stacks import parameters, permissions
from stacks.constructs.alarms import Alarms
from stacks.constructs.code_assets import function_code, package_layer
from stacks.constructs.dashboard import Dashboard
from stacks.constructs.home_bus import HomeBus
from stacks.constructs.rules import CallRule, Clock
from stacks.constructs.stage_function import StageFunction
from stacks.constructs.stage_role import stage_role, stage_role_arn
from stacks.constructs.work_queue import WorkQueue, allow_rules
from stacks.options import Options
from stacks.storage_stack import StorageStack

RECORD_SECONDS = 60
DELIVER_SECONDS = 120
DIGEST_SECONDS = 900
ROLLUP_SECONDS = 900
INSIGHTS_SECONDS = 900  # once a day it makes the baselines; else it takes seconds

ROLLUP_SCHEDULE = "cron(40 * * * ? *)"
# A file of a thousand records is read in the time of one round trip; the index gains nothing above.
SEGMENT_EVENTS = 1000

# Longer than any delivery runs, shorter than the five minutes after the hour at which digests are
# made: by then every file of the hour is either in the ledger as delivered, or was abandoned.
SETTLE_SECONDS = 180

LONGEST_WINDOW_SECONDS = 300  # Lambda's own limit on a batching window

# Lambda user guide, "Creating and configuring an Amazon SQS event source mapping": visibility of at
# least six times the function's timeout, plus the batching window.
INTAKE_VISIBILITY = cdk.Duration.seconds(6 * RECORD_SECONDS + LONGEST_WINDOW_SECONDS)
DELIVERY_VISIBILITY = cdk.Duration.seconds(6 * DELIVER_SECONDS + LONGEST_WINDOW_SECONDS)

# An intake message fails alone only for what passes by itself (a table that throttles); what never
# can succeed, the record function rejects at once.
INTAKE_RECEIVES = 10

# A bucket that refuses log files may be repaired days later, and until then nothing may be lost.
# A failed message comes again after 17 minutes (its visibility timeout): 340 times are four days of
# trying, and ten more days wait in the dead-letter queue, for whoever repairs it to redrive.
DELIVERY_RECEIVES = 340

# One failed attempt and its next, but not a second one.
INTAKE_LATE_SECONDS = 15 * 60
DELIVERY_LATE_SECONDS = 60 * 60

# Few, full chunks and files: every poller holds a window of its own, and two is the fewest SQS allows.
# What a chunk costs on its way, in requests and claims, outweighs all else (docs/cost.md).
INTAKE_BATCH = 10_000  # in practice some three thousand: Lambda takes 6 MB
INTAKE_CONCURRENCY = 2
DELIVERY_BATCH = 10_000
DELIVERY_CONCURRENCY = 2

# Base64 adds a third: a chunk fits SQS's 1 MiB even when its records do not compress at all.
CHUNK_BYTES = 700_000

FILE_BYTES = 50_000_000  # CloudTrail closes a log file at 50 MB uncompressed (user guide, "Log files")


class PipelineStack(cdk.Stack):
    """OpenTrailPipeline: queues, rules and functions."""

    def __init__(
        self, scope: Construct, id_: str, *, options: Options, storage: StorageStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        self._options = options
        self._storage = storage
        self._read_parameters()
        key = storage.encryption_key
        self.intake = WorkQueue(
            self, "Intake", key=key, visibility=INTAKE_VISIBILITY, max_receives=INTAKE_RECEIVES
        )
        self.delivery = WorkQueue(
            self, "Delivery", key=key, visibility=DELIVERY_VISIBILITY, max_receives=DELIVERY_RECEIVES
        )
        self._collect_calls()

        # Roles before functions: the record function must know all of them.
        self.roles = {
            stage: stage_role(self, f"{stage.capitalize()}Role", name_prefix=options.name_prefix, stage=stage)
            for stage in ("record", "deliver", "digest", "insights", "rollup")
        }
        self.own_role_arns = tuple(role.role_arn for role in self.roles.values())
        if options.source_bucket:
            self.own_role_arns += (stage_role_arn(options.name_prefix, "ingest"),)
        if options.detections_folder:
            self.own_role_arns += (stage_role_arn(options.name_prefix, "detections"),)
        self._destinations = permissions.destinations(self, options, storage.log_bucket, storage.key_arns)
        self._code = function_code()
        self._layer = package_layer(self, "Packages", bundle=options.bundle_layer)
        self.record = self._add_record()
        self.deliver = self._add_deliver()
        self.digest = self._add_digest()
        self.insights = self._add_insights()
        self.rollup = self._add_rollup()
        self._add_alarms()
        self._write_outputs()

    def _read_parameters(self) -> None:
        number = partial(parameters.number, self)
        self._intake_window = number(
            "IntakeWindowSeconds",
            60,
            1,
            LONGEST_WINDOW_SECONDS,
            "How long calls are collected before recording",
        )
        self._delivery_window = number(
            "DeliveryWindowSeconds",
            300,
            1,
            LONGEST_WINDOW_SECONDS,
            "How long records are collected into a file",
        )
        self._trail_cache = parameters.trail_cache_seconds(self)
        self._late = number(
            "LateSeconds",
            600,
            0,
            900,
            "How long after its call an event may have come in a file of the source bucket, if there is one",
        )
        self._digest_period = number(
            "DigestPeriodSeconds", 3600, 1, 86_400, "Length of a digest's window; goes with DigestSchedule"
        )
        self._insights_lag = number(
            "InsightsLagMinutes",
            9,
            0,
            60,
            "How long after a minute its calls are counted: both windows, and what AWS takes to report calls",
        )
        self._digest_schedule = cdk.CfnParameter(
            self,
            "DigestSchedule",
            default="cron(5 * * * ? *)",
            description="When digests are made, UTC; minutes after a window ends, for its files to be there",
        )

    def _collect_calls(self) -> None:
        """Calls of this account and Region by the default bus, those of all others by a bus of our own."""
        here = CallRule(self, "Calls", intake=self.intake)
        bus = HomeBus(
            self,
            "HomeBus",
            name_prefix=self._options.name_prefix,
            organization_id=self._options.organization_id,
            intake=self.intake,
        )
        for queue in (self.intake.queue, self.intake.dead_letters):
            allow_rules(queue, [here.rule_arn, bus.rule_arn])

    def _add_record(self) -> StageFunction:
        storage, role = self._storage, self.roles["record"]
        stage = self._add_stage(
            "record",
            RecordSettings(
                trails_table=storage.trails_table.table_name,
                delivery_queue_url=self.delivery.queue.queue_url,
                reject_queue_url=self.intake.dead_letters.queue_url,
                history_bucket=storage.history_bucket.bucket_name,
                history_table=storage.history_table.table_name if self._options.source_bucket else "",
                late_seconds=parameters.as_setting(self._late),
                own_role_arns=self.own_role_arns,
                max_chunk_bytes=CHUNK_BYTES,
                trail_cache_seconds=parameters.as_setting(self._trail_cache),
            ),
            timeout_seconds=RECORD_SECONDS,
            memory_mib=1024,
        )
        stage.read_queue(
            self.intake.queue,
            batch_size=INTAKE_BATCH,
            window=parameters.as_duration(self._intake_window),
            max_concurrency=INTAKE_CONCURRENCY,
        )
        permissions.take_messages(role, self.intake.queue)
        permissions.send_messages(role, [self.delivery.queue, self.intake.dead_letters])
        permissions.use_table(role, storage.trails_table, permissions.READ_TRAILS + permissions.NOTE_STATUS)
        permissions.use_keys(role, storage.key_arns, "dynamodb", "sqs", *self._let_ask_history(role))
        permissions.stream(role, permissions.streamed_groups(self._options))
        permissions.list_members(role)
        return stage

    def _let_ask_history(self, role: iam.Role) -> tuple[str, ...]:
        """Only where files of a source bucket may have brought a late event; answer what service it takes."""
        if not self._options.source_bucket:
            return ()
        permissions.use_table(role, self._storage.history_table, permissions.FIND_SEGMENTS)
        permissions.read_history(role, self._storage.history_bucket)
        return ("s3",)

    def _add_deliver(self) -> StageFunction:
        storage, role = self._storage, self.roles["deliver"]
        stage = self._add_stage(
            "deliver",
            DeliverSettings(
                trails_table=storage.trails_table.table_name,
                ledger_table=storage.ledger_table.table_name,
                history_table=storage.history_table.table_name,
                max_file_bytes=FILE_BYTES,
                settle_seconds=SETTLE_SECONDS,
                history_days=self._options.history_days,
            ),
            timeout_seconds=DELIVER_SECONDS,
            memory_mib=1769,  # one whole processor: compressing is what it does
        )
        stage.read_queue(
            self.delivery.queue,
            batch_size=DELIVERY_BATCH,
            window=parameters.as_duration(self._delivery_window),
            max_concurrency=DELIVERY_CONCURRENCY,
        )
        permissions.take_messages(role, self.delivery.queue)
        permissions.use_table(role, storage.trails_table, permissions.NOTE_STATUS)
        permissions.use_table(role, storage.ledger_table, permissions.ENTER_FILES)
        permissions.use_table(role, storage.history_table, permissions.ADD_SEGMENTS)
        self._let_write_log_files(role, "sqs")
        permissions.use_history(role, storage.history_bucket)
        permissions.notify(role, self._options.notification_topic_arns, self._options.delivery_key_arns)
        return stage

    def _add_digest(self) -> StageFunction:
        storage, role = self._storage, self.roles["digest"]
        stage = self._add_stage(
            "digest",
            DigestSettings(
                trails_table=storage.trails_table.table_name,
                ledger_table=storage.ledger_table.table_name,
                anchor_table=storage.anchor_table.table_name,
                anchor_topic_arn=self._options.anchor_topic_arn,
                signing_key_id=storage.signing_key.key_id,
                period_seconds=parameters.as_setting(self._digest_period),
                settle_seconds=SETTLE_SECONDS,
            ),
            timeout_seconds=DIGEST_SECONDS,
            memory_mib=512,
        )
        Clock(self, "DigestClock", schedule=self._digest_schedule.value_as_string, function=stage.function)
        permissions.use_table(role, storage.trails_table, permissions.READ_TRAILS + permissions.NOTE_STATUS)
        permissions.use_table(role, storage.ledger_table, permissions.CLOSE_FILES)
        permissions.use_table(role, storage.anchor_table, permissions.ANCHOR_HEADS)
        permissions.notify(
            role, list(filter(None, [self._options.anchor_topic_arn])), self._options.delivery_key_arns
        )
        self._let_write_log_files(role)
        permissions.sign(role, storage.signing_key, self._options.name_prefix)
        return stage

    def _add_insights(self) -> StageFunction:
        storage, role = self._storage, self.roles["insights"]
        stage = self._add_stage(
            "insights",
            InsightsSettings(
                trails_table=storage.trails_table.table_name,
                history_table=storage.history_table.table_name,
                intake_queue_url=self.intake.queue.queue_url,
                lag_minutes=parameters.as_setting(self._insights_lag),
            ),
            timeout_seconds=INSIGHTS_SECONDS,
            memory_mib=1769,  # one whole processor, for the daily baselines
        )
        Clock(self, "InsightsClock", schedule="rate(1 minute)", function=stage.function)
        permissions.use_table(role, storage.trails_table, permissions.READ_TRAILS)
        permissions.use_table(role, storage.history_table, permissions.JUDGE_COUNTS)
        permissions.send_messages(role, [self.intake.queue])
        permissions.put_events(role, self)
        permissions.use_keys(role, storage.key_arns, "dynamodb", "sqs")
        return stage

    def _add_rollup(self) -> StageFunction:
        storage, role = self._storage, self.roles["rollup"]
        stage = self._add_stage(
            "rollup",
            RollupSettings(
                history_table=storage.history_table.table_name,
                history_bucket=storage.history_bucket.bucket_name,
                max_events=SEGMENT_EVENTS,
            ),
            timeout_seconds=ROLLUP_SECONDS,
            memory_mib=1024,
        )
        Clock(self, "RollupClock", schedule=ROLLUP_SCHEDULE, function=stage.function)
        permissions.use_table(role, storage.history_table, permissions.ROLL_UP)
        permissions.use_history(role, storage.history_bucket)
        permissions.use_keys(role, storage.key_arns, "dynamodb", "s3")
        return stage

    def _add_stage(
        self, stage: str, settings: Settings, *, timeout_seconds: int, memory_mib: int
    ) -> StageFunction:
        return StageFunction(
            self,
            stage.capitalize(),
            stage=stage,
            settings=settings,
            role=self.roles[stage],
            code=self._code,
            layer=self._layer,
            timeout=cdk.Duration.seconds(timeout_seconds),
            memory_mib=memory_mib,
            log_retention_days=self._options.log_retention_days,
        )

    def _let_write_log_files(self, role: iam.Role, *further_services: str) -> None:
        permissions.use_log_files(role, self._destinations.buckets)
        permissions.use_keys(role, self._destinations.keys, "dynamodb", "s3", *further_services)

    def _add_alarms(self) -> None:
        alarms = Alarms(self, "Alarms", topic_arn=self._storage.alarm_topic_arn)
        alarms.watch_queue("Intake", self.intake, oldest_seconds=INTAKE_LATE_SECONDS)
        alarms.watch_queue("Delivery", self.delivery, oldest_seconds=DELIVERY_LATE_SECONDS)
        alarms.watch_digests(self.digest.function)
        for name, stage, description in (
            ("Record", self.record, "Calls are not recorded; they wait in the intake queue."),
            ("Deliver", self.deliver, "Records are not delivered; they wait in the delivery queue."),
            ("Insights", self.insights, "Insights judges nothing; it catches up when it works again."),
            ("Rollup", self.rollup, "Event history stays in small pieces: it answers, but more slowly."),
        ):
            alarms.watch_function(name, stage.function, description=description)
        queues = {"Intake": self.intake, "Delivery": self.delivery}
        stages = (self.record, self.deliver, self.digest, self.insights, self.rollup)
        Dashboard(self, "Dashboard", queues=queues, functions=[stage.function for stage in stages])

    def _write_outputs(self) -> None:
        outputs = {
            "IntakeQueueUrl": self.intake.queue.queue_url,
            "IntakeDeadLetterQueueUrl": self.intake.dead_letters.queue_url,
            "DeliveryQueueUrl": self.delivery.queue.queue_url,
            "DeliveryDeadLetterQueueUrl": self.delivery.dead_letters.queue_url,
            "RecordFunctionName": self.record.function.function_name,
            "DeliverFunctionName": self.deliver.function.function_name,
            "DigestFunctionName": self.digest.function.function_name,
            "InsightsFunctionName": self.insights.function.function_name,
            "RollupFunctionName": self.rollup.function.function_name,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
