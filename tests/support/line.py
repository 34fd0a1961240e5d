"""The line wired to moto: the functions as deployed, without Lambda around them."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.deliver import handler as deliver
from lambdas.digest import handler as digest
from lambdas.ingest import handler as ingest
from lambdas.record import handler as record
from lambdas.rotate import handler as rotate
from opentrail.adapters.aws.ingest import Ingested
from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.adapters.aws.usage import DynamoUsage
from opentrail.format import keys, log_file
from opentrail.format.chunk import decode_chunk
from opentrail.model.event import Place
from opentrail.model.log_file import Chunk
from opentrail.model.signing_key import SigningKey
from opentrail.model.trail import Trail
from opentrail.model.usage import Usage
from opentrail.pipeline.deliver import Delivery
from opentrail.pipeline.digest import Closing
from opentrail.pipeline.record import Accepted, Message
from opentrail.settings import (
    DeliverSettings,
    DigestSettings,
    IngestSettings,
    RecordSettings,
    RotateSettings,
    ValidateSettings,
)
from tests.support.crash import Fuse, FusedClient
from tests.support.records import ACCOUNT, REGION

START = datetime(2026, 1, 10, 4, 20, tzinfo=UTC)
SETTLE_SECONDS = 120
_numbers = itertools.count()


@dataclass
class Line:
    """Tables, buckets, queues and a key of their own in moto, and a clock that only tests move."""

    client: Callable[[str], Any]
    now: datetime = START
    name: str = field(default_factory=lambda: f"line{next(_numbers)}")
    period_seconds: int = 3600
    asked_history: str = ""  # the history table, where the record function is to ask it for late events
    anchor_topic: str = ""  # hears of each head

    def __post_init__(self) -> None:
        s3, sqs, dynamodb = self.client("s3"), self.client("sqs"), self.client("dynamodb")
        self.bucket, self.history_bucket = f"{self.name}-audit", f"{self.name}-past"
        self.source = f"{self.name}-source"
        for bucket in (self.bucket, self.history_bucket, self.source):
            s3.create_bucket(Bucket=bucket)
        self.queue = sqs.create_queue(QueueName=f"{self.name}-delivery")["QueueUrl"]
        self.rejects = sqs.create_queue(QueueName=f"{self.name}-rejects")["QueueUrl"]
        for table in ("trails", "ledger", "history", "anchor"):
            dynamodb.create_table(
                TableName=f"{self.name}-{table}",
                KeySchema=[
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        self.trails = DynamoTrails(dynamodb, f"{self.name}-trails")
        self.key_id = signing_key(self.client)

    def record_settings(self) -> RecordSettings:
        """What the record function is told."""
        return RecordSettings(
            trails_table=f"{self.name}-trails",
            delivery_queue_url=self.queue,
            reject_queue_url=self.rejects,
            history_bucket=self.history_bucket,
            history_table=self.asked_history,
            late_seconds=600,
            own_role_arns=(f"arn:aws:iam::{ACCOUNT}:role/opentrail-deliver",),
            max_chunk_bytes=200_000,
            trail_cache_seconds=0,
        )

    def ingest_settings(self) -> IngestSettings:
        """What the ingest function is told."""
        return IngestSettings(
            trails_table=f"{self.name}-trails",
            delivery_queue_url=self.queue,
            reject_queue_url=self.rejects,
            history_table=f"{self.name}-history",
            history_bucket=self.history_bucket,
            own_role_arns=(f"arn:aws:iam::{ACCOUNT}:role/opentrail-ingest",),
            own_buckets=(self.bucket, self.history_bucket),
            source_bucket=self.source,
            source_prefix="",
            max_chunk_bytes=5_000,
            max_file_bytes=1_000_000,
            trail_cache_seconds=0,
        )

    def deliver_settings(self) -> DeliverSettings:
        """What the deliver function is told."""
        return DeliverSettings(
            trails_table=f"{self.name}-trails",
            ledger_table=f"{self.name}-ledger",
            history_table=f"{self.name}-history",
            max_file_bytes=50_000_000,
            settle_seconds=SETTLE_SECONDS,
            history_days=90,
        )

    def digest_settings(self) -> DigestSettings:
        """What the digest function is told."""
        return DigestSettings(
            trails_table=f"{self.name}-trails",
            ledger_table=f"{self.name}-ledger",
            anchor_table=f"{self.name}-anchor",
            anchor_topic_arn=self.anchor_topic,
            signing_key_id=self.key_id,
            period_seconds=self.period_seconds,
            settle_seconds=SETTLE_SECONDS,
        )

    def rotate_settings(self, days: int = 30) -> RotateSettings:
        """What the rotate function is told."""
        return RotateSettings(
            ledger_table=f"{self.name}-ledger",
            signing_key_id=self.key_id,
            key_policy=json.dumps({"Version": "2012-10-17", "Statement": []}),
            key_owner=self.name,
            rotation_days=days,
        )

    def validate_settings(
        self, topic_arn: str = "", lock_mode: str = "", lock_days: int = 0
    ) -> ValidateSettings:
        """What the validate function is told."""
        return ValidateSettings(
            trails_table=f"{self.name}-trails",
            ledger_table=f"{self.name}-ledger",
            anchor_table=f"{self.name}-anchor",
            signing_key_id=self.key_id,
            report_topic_arn=topic_arn,
            hours=26,
            lock_mode=lock_mode,
            lock_days=lock_days,
        )

    def clients(self, fuse: Fuse | None) -> Callable[..., Any]:
        """Clients for one function run, each call through ``fuse``."""

        def client(service: str, region: str = REGION) -> Any:
            return FusedClient(self.client(service), fuse) if fuse else self.client(service)

        return client

    def start_trail(self, name: str = "main", **changes: Any) -> Trail:
        """A logging trail with validation on, started now."""
        moment = self.now.timestamp()
        made: dict[str, Any] = {
            "account": ACCOUNT,
            "home_region": REGION,
            "name": name,
            "bucket": self.bucket,
            "multi_region": True,
            "log_file_validation": True,
            "logging": True,
            "started_at": moment,
            "validation_since": moment,
            **changes,
        }
        trail = Trail(**made)
        self.trails.put(trail, new=False)
        return trail

    def record(self, bodies: Iterable[str], fuse: Fuse | None = None) -> Accepted:
        """Run the record function over one batch."""
        settings = self.record_settings()
        messages = [Message(f"m{i}", body, self.now.timestamp()) for i, body in enumerate(bodies)]
        accepted, _ = record.build(settings, self.clients(fuse)).record(messages, self.now.timestamp())
        return accepted

    def put_source_file(
        self, *records: bytes, token: str = "abcdefABCDEF0123", folder: str = "CloudTrail"
    ) -> str:
        """A log file of CloudTrail's own in the source bucket; the notice of it."""
        key = keys.log_key(
            prefix="",
            organization="",
            place=Place(ACCOUNT, REGION),
            folder=folder,
            delivered=self.now,
            token=token,
        )
        _, body = log_file.build_log_file(records)
        self.client("s3").put_object(Bucket=self.source, Key=key, Body=body)
        return self.notice(key)

    def notice(self, key: str) -> str:
        """What EventBridge says of a new object of the source bucket."""
        detail = {"bucket": {"name": self.source}, "object": {"key": key}}
        return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})

    def ingest(self, notice: str, fuse: Fuse | None = None) -> list[Ingested]:
        """Run the ingest function over one message."""
        function = ingest.build(self.ingest_settings(), self.clients(fuse))
        return list(function.take({"messageId": "m", "body": notice}, self.now.timestamp()))

    def queued_chunks(self) -> list[Chunk]:
        """Everything on the delivery queue, taken off it."""
        return [decode_chunk(message["Body"]) for message in self._drain(self.queue)]

    def rejected(self) -> list[dict[str, Any]]:
        """The messages set aside, with their attributes."""
        return self._drain(self.rejects)

    def _drain(self, url: str) -> list[dict[str, Any]]:
        sqs = self.client("sqs")
        messages: list[dict[str, Any]] = []
        while True:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            if "Messages" not in answer:
                return messages
            for message in answer["Messages"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            messages += answer["Messages"]

    def deliver(self, chunks: Iterable[Chunk], fuse: Fuse | None = None) -> Delivery:
        """Run the deliver function over one batch."""
        return deliver.build(self.deliver_settings(), self.clients(fuse)).deliver(list(chunks), self.now)

    def close(self, fuse: Fuse | None = None, *, close_now: bool = False) -> Closing:
        """Run the digest function."""
        return digest.build(self.digest_settings(), self.clients(fuse)).close(self.now, close_now=close_now)

    def rotate(self, fuse: Fuse | None = None) -> SigningKey | None:
        """Run the rotate function, which makes a key whether or not it is due."""
        return rotate.build(self.rotate_settings(), self.clients(fuse)).rotate(self.now, at_once=True)

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def objects(self, bucket: str = "") -> dict[str, bytes]:
        """Every object of the log bucket by key."""
        s3, name = self.client("s3"), bucket or self.bucket
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
        found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=name, Key=key)["Body"].read() for key in found}

    def logs(self) -> dict[str, list[bytes]]:
        """Every log file's records, byte for byte."""
        return {
            key: log_file.split_records(log_file.decompress(body))
            for key, body in self.objects().items()
            if "/CloudTrail-Digest/" not in key and "/OpenTrail-Tree/" not in key
        }

    def digests(self) -> list[dict[str, Any]]:
        """Every digest's JSON, in the order of their keys."""
        return [
            json.loads(log_file.decompress(body))
            for key, body in sorted(self.objects().items())
            if "/CloudTrail-Digest/" in key
        ]

    def delivered_ids(self) -> Counter[str]:
        """How often each eventID is in a log file."""
        return Counter(json.loads(raw)["eventID"] for records in self.logs().values() for raw in records)

    def metered(self) -> dict[str, Usage]:
        """What is metered of each trail, by its name, and of history, over all days and places."""
        usage = DynamoUsage(self.client("dynamodb"), f"{self.name}-ledger")
        today = self.now.date()
        sums: dict[str, Usage] = {}
        for reading in usage.readings(START.date(), today, today=today):
            name = reading.destination.rpartition("/")[2]
            sums[name] = sums.get(name, Usage()) + reading.usage
        return sums

    def listed_files(self) -> Counter[str]:
        """How often each log file is in a digest."""
        return Counter(file["s3Object"] for found in self.digests() for file in found["logFiles"])


_keys: dict[int, str] = {}


def signing_key(client: Callable[[str], Any]) -> str:
    """One RSA key per moto world: making one takes most of a second."""
    kms = client("kms")
    if not any(key["KeyId"] in _keys.values() for key in kms.list_keys()["Keys"]):
        made = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        _keys[0] = made["KeyMetadata"]["KeyId"]
    return _keys[0]


def session_clients() -> Callable[[str], Any]:
    """Clients of one kept session, made once each: models load once."""
    session, made = boto3.Session(region_name=REGION), {}

    def client(service: str) -> Any:
        if service not in made:
            make: Any = session.client
            made[service] = make(service)
        return made[service]

    return client
