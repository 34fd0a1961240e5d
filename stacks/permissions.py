"""What each stage may do: every statement names its actions and its resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from opentrail.settings import SIGNING_KEY_PARTITION, SIGNING_KEY_TAG
from stacks.acknowledge import acknowledge
from stacks.options import Options

# What a stage may do with the items of a table. Transactions need the permissions of the writes in
# them; only batches have actions of their own (DynamoDB developer guide, "Actions, resources").
READ_TRAILS = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")
NOTE_STATUS = ("dynamodb:UpdateItem",)
# Delivery enters files and settles them, and cannot take one out again.
ENTER_FILES = (
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)
CLOSE_FILES = (*ENTER_FILES, "dynamodb:BatchWriteItem", "dynamodb:DeleteItem")
# Heads are written down once, by a transaction of two Puts, and never taken away.
ANCHOR_HEADS = ("dynamodb:GetItem", "dynamodb:PutItem")
READ_AND_WRITE = ("s3:GetObject", "s3:PutObject")
ADD_SEGMENTS = ("dynamodb:PutItem",)
FIND_SEGMENTS = ("dynamodb:Query",)
ROLL_UP = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query")
JUDGE_COUNTS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")


@dataclass(frozen=True, slots=True)
class Destinations:
    """The buckets trails may deliver to, with the keys that encrypt in them."""

    buckets: tuple[s3.IBucket, ...]
    keys: tuple[str, ...]  # KMS key ARNs


def destinations(
    scope: cdk.Stack, options: Options, log_bucket: s3.IBucket, key_arns: Sequence[str]
) -> Destinations:
    """Return our own log bucket and its key, if it has one, and those the installation names."""
    further = [
        s3.Bucket.from_bucket_name(scope, f"Delivery{number}", name)
        for number, name in enumerate(options.delivery_buckets)
    ]
    return Destinations((log_bucket, *further), (*key_arns, *options.delivery_key_arns))


def use_table(role: iam.Role, table: dynamodb.ITable, actions: Sequence[str]) -> None:
    """Grant ``actions`` on the items of ``table``."""
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[table.table_arn]))


def use_log_files(role: iam.Role, buckets: Iterable[s3.IBucket]) -> None:
    """Grant reading and writing under ``AWSLogs/``, with or without a key prefix, and nowhere else."""
    for bucket in buckets:
        _use_folders(role, bucket, "AWSLogs/*", "*/AWSLogs/*")


def use_history(role: iam.Role, bucket: s3.IBucket) -> None:
    """Grant reading and writing history segments."""
    _use_folders(role, bucket, "history/*")


def read_history(role: iam.Role, bucket: s3.IBucket) -> None:
    """Grant reading history segments."""
    _use_folders(role, bucket, "history/*", actions=("s3:GetObject",))


def read_source(role: iam.Role, bucket: s3.IBucket, prefix: str) -> None:
    """Grant reading the log files of somebody else's ``bucket`` below ``prefix``, or all of CloudTrail's."""
    patterns = [f"{prefix}*"] if prefix else ["AWSLogs/*", "*/AWSLogs/*"]
    _use_folders(role, bucket, *patterns, actions=("s3:GetObject",))


def _use_folders(
    role: iam.Role, bucket: s3.IBucket, *patterns: str, actions: Sequence[str] = READ_AND_WRITE
) -> None:
    """Grant objects of ``bucket`` whose key matches.

    ``s3:ListBucket`` makes S3 answer "not found" for an object that is not there; without
    it the answer is "forbidden", and a lost file could not be told from a broken policy.
    """
    objects = [bucket.arn_for_objects(pattern) for pattern in patterns]
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=objects))
    role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]))
    for pattern in patterns:
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::{_finding_text(role, bucket)}/{pattern}]",
            "One folder of one bucket: keys below it name accounts, Regions and days, and a trail may put a "
            "prefix of its own before AWSLogs/.",
        )


def _finding_text(role: iam.Role, bucket: s3.IBucket) -> str:
    """The bucket's ARN as rule IAM5 spells it: its export's name, or the ARN with references in ``<>``."""
    owner = cdk.Stack.of(bucket)
    if owner is not cdk.Stack.of(role):
        return str(owner.resolve(owner.export_value(bucket.bucket_arn))["Fn::ImportValue"])
    resolved = owner.resolve(bucket.bucket_arn)
    parts = [resolved] if isinstance(resolved, str) else resolved["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


def use_keys(role: iam.Role, key_arns: Sequence[str], *services: str) -> None:
    """Grant encryption at rest with ``key_arns``, but only through ``services`` ("s3", "sqs", "dynamodb")."""
    actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
    _use_keys(role, actions, key_arns, services)


def decrypt(role: iam.Role, key_arns: Sequence[str], *services: str) -> None:
    """Grant reading what ``key_arns`` encrypted, and writing nothing, through ``services``."""
    _use_keys(role, ["kms:Decrypt", "kms:DescribeKey"], key_arns, services)


def decrypt_source(role: iam.Role, key_arns: Sequence[str]) -> None:
    """Grant reading files that ``key_arns`` encrypt, in the Region of each key, which is its bucket's."""
    if key_arns:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=list(key_arns),
                conditions={"StringEquals": {"kms:ViaService": _of_their_regions("s3", key_arns)}},
            )
        )


def _of_their_regions(service: str, arns: Sequence[str]) -> list[str]:
    """The names of ``service`` in the Regions of ``arns``, as ``kms:ViaService`` has them."""
    return sorted({f"{service}.{arn.split(':')[3]}.{cdk.Aws.URL_SUFFIX}" for arn in arns})


def _use_keys(role: iam.Role, actions: list[str], key_arns: Sequence[str], services: Iterable[str]) -> None:
    """Grant nothing when there are no keys: what AWS's own encrypt needs no permission."""
    if not key_arns:
        return
    through = [f"{service}.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}" for service in services]
    role.add_to_policy(
        iam.PolicyStatement(
            actions=actions,
            resources=list(key_arns),
            conditions={"StringEquals": {"kms:ViaService": through}},
        )
    )


def read_log_files(role: iam.Role, buckets: Iterable[s3.IBucket]) -> None:
    """Grant reading all under ``AWSLogs/``, and how long each object is retained, and nothing else."""
    for bucket in buckets:
        actions = ("s3:GetObject", "s3:GetObjectRetention")
        _use_folders(role, bucket, "AWSLogs/*", "*/AWSLogs/*", actions=actions)
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn])
        )


def sign(role: iam.Role, first_key: kms.IKey, owner: str) -> None:
    """Grant signing digests with the first key, and with those that rotation made for ``owner``.

    The keys' own policies must agree. The public halves of the latter are in the ledger table.
    """
    use = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"]
    role.add_to_policy(iam.PolicyStatement(actions=use, resources=[first_key.key_arn]))
    keys = any_key(role)
    tagged = {"StringEquals": {f"aws:ResourceTag/{SIGNING_KEY_TAG}": owner}}
    role.add_to_policy(iam.PolicyStatement(actions=["kms:Sign"], resources=[keys], conditions=tagged))


def any_key(role: iam.Role) -> str:
    """Every KMS key of this account and Region: keys that do not exist yet have no narrower name."""
    arn = f"arn:{cdk.Aws.PARTITION}:kms:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:key/*"
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]",
        "Keys that rotation makes later; a condition limits them to those with the tag of this installation.",
    )
    return arn


def use_signing_keys(role: iam.Role, table: dynamodb.ITable, actions: Sequence[str]) -> None:
    """Grant ``actions`` on the register of signing keys, which is one partition of ``table``."""
    only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [SIGNING_KEY_PARTITION]}}
    role.add_to_policy(
        iam.PolicyStatement(actions=list(actions), resources=[table.table_arn], conditions=only)
    )


def notify(role: iam.Role, topic_arns: Sequence[str], key_arns: Sequence[str]) -> None:
    """Grant publishing to the topics the installation names, if any, encrypted with ``key_arns`` or not.

    Source: SNS developer guide, "Setting up Amazon SNS topic encryption" (what a publisher needs of the key).
    """
    if not topic_arns:
        return
    role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=list(topic_arns)))
    if key_arns:
        through = _of_their_regions("sns", topic_arns)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=list(key_arns),
                conditions={"StringEquals": {"kms:ViaService": through}},
            )
        )


def cis_log_group_name(options: Options) -> str:
    """The log group that CIS alarms watch: the one the installation names, or ``OpenTrail/trail``."""
    return options.cis_log_group or f"{options.name_prefix}/trail"


def log_group_arn(name: str) -> str:
    """The ARN a log group of this account and Region has or will have."""
    return f"arn:{cdk.Aws.PARTITION}:logs:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:log-group:{name}"


def streamed_groups(options: Options) -> list[str]:
    """The ARNs of all log groups that trails may send events to."""
    watched = [log_group_arn(cis_log_group_name(options))] if options.cis_alarms else []
    return [*options.log_group_arns, *watched]


def finding_text(resource: str) -> str:
    """An ARN as rule IAM5 spells it, with references in ``<>``."""
    names = {
        cdk.Aws.PARTITION: "<AWS::Partition>",
        cdk.Aws.REGION: "<AWS::Region>",
        cdk.Aws.ACCOUNT_ID: "<AWS::AccountId>",
    }
    for token, name in names.items():
        resource = resource.replace(token, name)
    return resource


def stream(role: iam.Role, group_arns: Sequence[str]) -> None:
    """Grant writing to CloudTrail's streams of these log groups, if any."""
    if group_arns:
        streams = [f"{arn.removesuffix(':*')}:log-stream:*_CloudTrail_*" for arn in group_arns]
        role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=streams)
        )
        for resource in streams:
            acknowledge(
                role,
                f"AwsSolutions-IAM5[Resource::{finding_text(resource)}]",
                "A stream's name holds the trail's account and home Region, which trails bring with them.",
            )


def list_members(role: iam.Role) -> None:
    """Grant reading which accounts are in the organization, for the trails of one."""
    role.add_to_policy(iam.PolicyStatement(actions=["organizations:ListAccounts"], resources=["*"]))
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "There is one organization, and listing its accounts knows no resource.",
    )


def take_messages(role: iam.Role, queue: sqs.IQueue) -> None:
    """Grant what Lambda's poller needs to read ``queue`` as ``role``."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            resources=[queue.queue_arn],
        )
    )


def send_messages(role: iam.Role, queues: Iterable[sqs.IQueue]) -> None:
    """Grant sending to ``queues``."""
    role.add_to_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn for queue in queues])
    )


def put_events(role: iam.Role, scope: cdk.Stack) -> None:
    """Grant publishing on the default bus of this Region."""
    bus = scope.format_arn(service="events", resource="event-bus", resource_name="default")
    role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus]))
