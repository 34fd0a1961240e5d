"""Can CloudTrail deliver there? Bucket, key, topic and log group of a trail, checked as AWS does.

The checks are made for the principal ``cloudtrail.amazonaws.com`` with the
condition keys its requests carry. Which comes first when several fail is not documented.

Source: user guide, "Amazon S3 bucket policy for CloudTrail", "Configure AWS KMS
key policies for CloudTrail", "Amazon SNS topic policy for CloudTrail", "Role
policy document for CloudTrail to use CloudWatch Logs".
"""

from __future__ import annotations

import re

from opentrail.api.errors import ApiError
from opentrail.api.policies import Access, allows
from opentrail.api.scene import Scene
from opentrail.format import keys, times
from opentrail.model.event import Place
from opentrail.model.resource import Bucket, Key
from opentrail.model.trail import Trail

CLOUDTRAIL = "cloudtrail.amazonaws.com"
MAX_PREFIX_CHARACTERS = 200

# Source: S3 user guide, "General purpose bucket naming rules".
_BUCKET_NAME = re.compile(
    r"(?!xn--|sthree-|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]"
    r"(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)"
)
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?")
_KEY_ID = re.compile(
    r"(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?(?:alias/[A-Za-z0-9/_-]{1,250}|key/[A-Za-z0-9-]{1,128})"
    r"|(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_GROUP_ARN = re.compile(
    r"arn:aws[a-z-]*:logs:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":log-group:(?P<name>[A-Za-z0-9._/#-]{1,512}):\*"
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:[!-.0-~]{1,510}/)*[\w+=,.@-]{1,64}", re.ASCII)
_PREFIX = re.compile(r"[^\x00-\x1f\x7f]*")


def find_bucket(scene: Scene, trail: Trail) -> Bucket:
    """The trail's bucket.

    Raises:
        ApiError: InvalidS3BucketNameException, InvalidS3PrefixException or S3BucketDoesNotExistException.
    """
    if not _BUCKET_NAME.fullmatch(trail.bucket):
        raise ApiError("InvalidS3BucketNameException", f"Bucket name is invalid: {trail.bucket}")
    if len(trail.prefix) > MAX_PREFIX_CHARACTERS:
        message = f"S3 prefix is longer than maximum length of {MAX_PREFIX_CHARACTERS} characters."
        raise ApiError("InvalidS3PrefixException", message)
    if not _PREFIX.fullmatch(trail.prefix):
        raise ApiError("InvalidS3PrefixException", "S3 prefix has characters that are not allowed.")
    bucket = scene.ports.buckets.find(trail.bucket, scene.account)
    if bucket is None:
        raise ApiError("S3BucketDoesNotExistException", f"S3 bucket {trail.bucket} does not exist!")
    return bucket


def check_bucket(scene: Scene, trail: Trail, bucket: Bucket) -> None:
    """Do nothing when the trail may deliver to its bucket.

    Raises:
        ApiError: InsufficientS3BucketPolicyException.
    """
    if bucket.requester_pays or not _may_write(scene, trail, bucket):
        message = f"Incorrect S3 bucket policy is detected for bucket: {trail.bucket}"
        raise ApiError("InsufficientS3BucketPolicyException", message)


def _may_write(scene: Scene, trail: Trail, bucket: Bucket) -> bool:
    if bucket.policy is None:
        return False
    arn = f"arn:{trail.partition}:s3:::{trail.bucket}"
    encryption = {"s3:x-amz-server-side-encryption": "aws:kms" if trail.kms_key_arn else "AES256"}
    if trail.kms_key_arn:
        encryption["s3:x-amz-server-side-encryption-aws-kms-key-id"] = trail.kms_key_arn
    write = {"s3:x-amz-acl": "bucket-owner-full-control", **encryption}
    wanted = [_access(scene, trail, "s3:GetBucketAcl", arn)]
    for organization in {"", trail.organization_id}:
        key = _sample_key(scene, trail, organization)
        wanted.append(_access(scene, trail, "s3:PutObject", f"{arn}/{key}", write))
    return all(allows([bucket.policy], access) for access in wanted)


def _sample_key(scene: Scene, trail: Trail, organization: str) -> str:
    return keys.log_key(
        prefix=trail.prefix,
        organization=organization,
        place=Place(trail.account, trail.home_region),
        folder=keys.LOGS,
        delivered=scene.now,
        token="0" * keys.TOKEN_LENGTH,
    )


def topic_arn(scene: Scene, name: str) -> str:
    """The ARN of a topic given by name (then of this account and Region) or ARN; not checked yet."""
    if name.startswith("arn:"):
        return name
    return f"arn:{scene.partition}:sns:{scene.region}:{scene.account}:{name}"


def check_topic(scene: Scene, trail: Trail) -> None:
    """Do nothing when the trail has no topic or may publish to it.

    Raises:
        ApiError: InvalidSnsTopicNameException, InsufficientSnsTopicPolicyException;
            KmsKeyNotFoundException or InsufficientEncryptionPolicyException for an encrypted topic.
    """
    if not trail.sns_topic_arn:
        return
    if not _TOPIC_ARN.fullmatch(trail.sns_topic_arn):
        message = f"SNS topic name or ARN is invalid: {trail.sns_topic_arn[:300]}"
        raise ApiError("InvalidSnsTopicNameException", message)
    topic = scene.ports.topics.find(trail.sns_topic_arn)
    access = _access(scene, trail, "sns:Publish", trail.sns_topic_arn)
    if topic is None or not allows([topic.policy], access):
        message = "SNS Topic does not exist or the topic policy is incorrect!"
        raise ApiError("InsufficientSnsTopicPolicyException", message)
    if topic.key_id:
        _, _, _, region, account, _ = trail.sns_topic_arn.split(":", 5)
        key = scene.ports.keys.find(topic.key_id, account, region)
        if key is None:
            raise _no_key(topic.key_id)
        _demand_key(
            scene, trail, key, ("kms:GenerateDataKey", "kms:Decrypt"), f"SNS topic {trail.sns_topic_arn}"
        )


def find_key(scene: Scene, key_id: str) -> Key | None:
    """The key that ``KmsKeyId`` means, a key ID, key ARN, alias name or alias ARN; None if there is none."""
    return scene.ports.keys.find(key_id, scene.account, scene.region) if _KEY_ID.fullmatch(key_id) else None


def check_key(scene: Scene, trail: Trail, key: Key | None, bucket: Bucket) -> None:
    """Do nothing when log files of the trail can be encrypted under ``key``, which was found for it.

    Raises:
        ApiError: InvalidKmsKeyIdException for what cannot be a key's name or is asymmetric,
            KmsKeyNotFoundException when there is none or not in the bucket's Region,
            KmsException when it is disabled, else InsufficientEncryptionPolicyException.
    """
    if not _KEY_ID.fullmatch(trail.kms_key_arn):
        message = f"The KMS key ID is invalid: {trail.kms_key_arn[:300]}"
        raise ApiError("InvalidKmsKeyIdException", message)
    if key is None:
        raise _no_key(trail.kms_key_arn)
    if key.region != bucket.region:
        message = f"The KMS key {key.arn} and the S3 bucket {trail.bucket} are not in the same region."
        raise ApiError("KmsKeyNotFoundException", message)
    if not key.symmetric:
        raise ApiError(
            "InvalidKmsKeyIdException", f"The KMS key is not a symmetric encryption key: {key.arn}"
        )
    if not key.enabled:
        raise ApiError("KmsException", f"The KMS key is not enabled: {key.arn}")
    actions = ["kms:GenerateDataKey", "kms:DescribeKey", *(["kms:Decrypt"] if bucket.uses_bucket_key else [])]
    _demand_key(scene, trail, key, actions, f"S3 bucket {trail.bucket}")


def _demand_key(
    scene: Scene, trail: Trail, key: Key, actions: list[str] | tuple[str, ...], store: str
) -> None:
    context = {"kms:encryptioncontext:aws:cloudtrail:arn": trail.arn}
    wanted = [_access(scene, trail, a, key.arn, {} if a == "kms:DescribeKey" else context) for a in actions]
    if not all(allows([key.policy], access) for access in wanted):
        message = f"Insufficient permissions to access {store} or KMS key {key.arn}."
        raise ApiError("InsufficientEncryptionPolicyException", message)


def _no_key(key_id: str) -> ApiError:
    return ApiError("KmsKeyNotFoundException", f"The KMS key does not exist: {key_id}")


def check_log_group(scene: Scene, trail: Trail) -> None:
    """Do nothing when the trail has no log group or its role may write to it.

    Terraform retries while a message says "Access denied.": that text is kept
    for what may mend itself once IAM has caught up.

    Raises:
        ApiError: InvalidCloudWatchLogsLogGroupArnException or InvalidCloudWatchLogsRoleArnException.
    """
    if not trail.log_group_arn and not trail.log_role_arn:
        return
    if not trail.log_role_arn:
        raise _bad_role("You must specify a role ARN as well as a log group.")
    if not trail.log_group_arn:
        raise _bad_group("You must specify a log group as well as a role ARN.")
    _check_group(scene, trail)
    _check_role(scene, trail)


def _check_group(scene: Scene, trail: Trail) -> None:
    group = _GROUP_ARN.fullmatch(trail.log_group_arn)
    if group is None:
        raise _bad_group("CloudTrail cannot validate the specified log group ARN.")
    local = group["region"] == trail.home_region and group["account"] == scene.account
    if not local or not scene.ports.log_groups.exists(group["name"], group["account"], group["region"]):
        raise _bad_group("Check the log group ARN: CloudTrail can't validate it.")


def _check_role(scene: Scene, trail: Trail) -> None:
    if not _ROLE_ARN.fullmatch(trail.log_role_arn):
        raise _bad_role("The role ARN is not valid.")
    role = scene.ports.roles.find(trail.log_role_arn)
    assume = _access(scene, trail, "sts:AssumeRole", trail.log_role_arn)
    if role is None or not allows([role.trust], assume):
        raise _bad_role("Access denied. Check the trust relationships for your role.")
    organization = f"{trail.organization_id}_" if trail.organization_id else ""
    name = f"{organization}{trail.account}_CloudTrail_{trail.home_region}"
    stream = f"{trail.log_group_arn.removesuffix(':*')}:log-stream:{name}"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if not allows(role.policies, Access(action=action, resource=stream)):
            message = "Access denied. Verify in IAM that the role has adequate permissions."
            raise _bad_group(message)


def _bad_role(message: str) -> ApiError:
    return ApiError("InvalidCloudWatchLogsRoleArnException", message)


def _bad_group(message: str) -> ApiError:
    return ApiError("InvalidCloudWatchLogsLogGroupArnException", message)


def _access(
    scene: Scene, trail: Trail, action: str, resource: str, extra: dict[str, str] | None = None
) -> Access:
    """What CloudTrail's own request carries, whichever service it goes to."""
    context = {
        "aws:currenttime": times.to_iso(scene.now),
        "aws:principalisawsservice": "true",
        "aws:principalservicename": CLOUDTRAIL,
        "aws:securetransport": "true",
        "aws:sourceaccount": trail.account,
        "aws:sourcearn": trail.arn,
        "s3:tlsversion": "1.3",
        **({"aws:sourceorgid": trail.organization_id} if trail.organization_id else {}),
        **(extra or {}),
    }
    return Access(service=CLOUDTRAIL, action=action, resource=resource, context=context)
