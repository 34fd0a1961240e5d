"""The KMS keys: one encrypts everything at rest, others sign digests, one after another."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

# Everything an administrator needs, without using the key and without kms:CreateGrant,
# which would hand the use to somebody else.
ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:Verify",
]


def encryption_key(scope: Construct, id_: str, *, for_alarms: bool, source_topic_arn: str = "") -> kms.Key:
    """Return the symmetric key of buckets, tables and queues, rotated every year.

    Two services may use it: CloudTrail itself, should one of its trails deliver to the
    log bucket, and EventBridge, which puts events on the encrypted intake queue; with
    ``for_alarms`` CloudWatch, whose alarms go to an encrypted topic; and SNS, where
    ``source_topic_arn`` tells the ingest queue of new files. People and roles get theirs
    from IAM.

    Source: CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail".
    """
    key = kms.Key(
        scope,
        id_,
        description="OpenTrail: log files, history, tables and queues at rest",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    users = [("EventBridgeToSendToQueues", "events")]
    if for_alarms:
        users.append(("CloudWatchToSendAlarms", "cloudwatch"))
    statements = [_service_statement(what, service) for what, service in users]
    statements += [_topic_statement(source_topic_arn)] if source_topic_arn else []
    for statement in (*_cloudtrail_statements(cdk.Stack.of(scope)), *statements):
        key.add_to_resource_policy(statement)
    return key


def signing_key(scope: Construct, id_: str, *, signer_role_arn: str) -> kms.Key:
    """Return the first RSA_2048 key that signs digests; the rotate function makes those after it.

    RSA_2048 because ``aws cloudtrail validate-logs`` verifies nothing else.
    """
    return kms.Key(
        scope,
        id_,
        description="OpenTrail: signs digest files",
        key_spec=kms.KeySpec.RSA_2048,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
        policy=signing_policy(signer_role_arn),
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )


def signing_policy(signer_role_arn: str) -> iam.PolicyDocument:
    """Return the policy of every signing key: only ``signer_role_arn`` may sign.

    It names no ``kms:*``: an administrator of the account can manage the key but cannot
    sign with it, short of rewriting this policy, which CloudTrail records. The role is
    named by its ARN in a condition, so the key does not wait for the role to exist.
    """
    account = iam.AccountRootPrincipal()
    administer = iam.PolicyStatement(
        sid="AdministerWithoutSigning", principals=[account], actions=ADMINISTRATION, resources=["*"]
    )
    sign = iam.PolicyStatement(
        sid="SignAsDigestFunction",
        principals=[account],
        actions=["kms:Sign"],
        resources=["*"],
        conditions={"ArnEquals": {"aws:PrincipalArn": signer_role_arn}},
    )
    return iam.PolicyDocument(statements=[administer, sign])


def _cloudtrail_statements(stack: cdk.Stack) -> list[iam.PolicyStatement]:
    cloudtrail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
    own_trails = f"arn:{stack.partition}:cloudtrail:*:{stack.account}:trail/*"
    from_own_trails = {"ArnLike": {"aws:SourceArn": own_trails}}
    return [
        iam.PolicyStatement(
            sid="AllowCloudTrailToEncryptLogs",
            principals=[cloudtrail],
            actions=["kms:GenerateDataKey*"],
            resources=["*"],
            conditions={
                **from_own_trails,
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": own_trails},
            },
        ),
        # Decrypt, because the log bucket uses an S3 Bucket Key.
        iam.PolicyStatement(
            sid="AllowCloudTrailToDescribeKey",
            principals=[cloudtrail],
            actions=["kms:DescribeKey", "kms:Decrypt"],
            resources=["*"],
            conditions=from_own_trails,
        ),
    ]


def _service_statement(what: str, service: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=f"Allow{what}",
        principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )


def _topic_statement(topic_arn: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="AllowSourceTopicToSendToQueue",
        principals=[iam.ServicePrincipal("sns.amazonaws.com")],
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=["*"],
        conditions={"ArnEquals": {"aws:SourceArn": topic_arn}},
    )
