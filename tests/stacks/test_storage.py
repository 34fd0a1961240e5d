"""Promises of the storage stack, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.conftest import Template, Templates

# A change here is a new bucket, table or key, and the old one's data left behind.
STATEFUL = {
    "EncryptionKey1B843E66": "AWS::KMS::Key",
    "SigningKeyEEFC2790": "AWS::KMS::Key",
    "LogsBucket5C52C3D2": "AWS::S3::Bucket",
    "HistoryBucket6286F777": "AWS::S3::Bucket",
    "TrailsTable26AC8886": "AWS::DynamoDB::Table",
    "LedgerTable38A58B60": "AWS::DynamoDB::Table",
    "HistoryTable24A0CCCB": "AWS::DynamoDB::Table",
    "AnchorTable0F931112": "AWS::DynamoDB::Table",
}

BUCKETS = ("Logs", "History")
TABLES = ("Trails", "Ledger", "History", "Anchor")


def bucket(storage: Template, name: str) -> dict[str, Any]:
    return storage.only("AWS::S3::Bucket", name)


def bucket_statements(storage: Template, name: str) -> list[dict[str, Any]]:
    return list(storage.only("AWS::S3::BucketPolicy", name)["PolicyDocument"]["Statement"])


def key_statements(storage: Template, name: str) -> dict[str, dict[str, Any]]:
    statements = storage.only("AWS::KMS::Key", name)["KeyPolicy"]["Statement"]
    return {statement.get("Sid", ""): statement for statement in statements}


def test_stateful_logical_ids_never_change(storage: Template) -> None:
    found = {
        name: resource["Type"]
        for name, resource in storage.body["Resources"].items()
        if resource["Type"] != "AWS::S3::BucketPolicy"
    }

    assert found == STATEFUL


def test_configuring_changes_no_logical_id(storage: Template, configured: Templates) -> None:
    assert set(storage.body["Resources"]) == set(configured.storage.body["Resources"])


def test_everything_stateful_is_kept(storage: Template) -> None:
    policies = {
        name: (
            storage.body["Resources"][name]["DeletionPolicy"],
            storage.body["Resources"][name]["UpdateReplacePolicy"],
        )
        for name in STATEFUL
    }

    assert policies == dict.fromkeys(STATEFUL, ("Retain", "Retain"))


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_is_never_public(storage: Template, name: str) -> None:
    assert bucket(storage, name)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_keeps_versions(storage: Template, name: str) -> None:
    assert bucket(storage, name)["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_ignores_object_acls(storage: Template, name: str) -> None:
    assert bucket(storage, name)["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_encrypts_with_our_key(storage: Template, name: str) -> None:
    (rule,) = bucket(storage, name)["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": {"Fn::GetAtt": ["EncryptionKey1B843E66", "Arn"]},
        },
    }


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_denies_plain_http_and_old_tls(storage: Template, name: str) -> None:
    denied = [s["Condition"] for s in bucket_statements(storage, name) if s["Action"] == "s3:*"]

    assert denied == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": 1.2}},
    ]


def test_nobody_but_cloudtrail_gets_in_by_bucket_policy(storage: Template) -> None:
    allowed = {
        name: [s["Principal"] for s in bucket_statements(storage, name) if s["Effect"] == "Allow"]
        for name in BUCKETS
    }

    assert allowed == {"Logs": [{"Service": "cloudtrail.amazonaws.com"}] * 2, "History": []}


def test_cloudtrail_may_write_only_its_own_accounts_folder(storage: Template) -> None:
    (write,) = (s for s in bucket_statements(storage, "Logs") if s.get("Sid") == "AWSCloudTrailWrite20150319")

    assert write["Action"] == "s3:PutObject"
    assert [resource["Fn::Join"][1][1:] for resource in write["Resource"]] == [
        ["/*/AWSLogs/", {"Ref": "AWS::AccountId"}, "/*"],
        ["/AWSLogs/", {"Ref": "AWS::AccountId"}, "/*"],
    ]
    assert write["Condition"] == {
        "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"},
        "ArnLike": {"aws:SourceArn": own_trails()},
    }


def test_cloudtrail_may_look_at_the_acl(storage: Template) -> None:
    (check,) = (
        s for s in bucket_statements(storage, "Logs") if s.get("Sid") == "AWSCloudTrailAclCheck20150319"
    )

    assert (check["Action"], check["Condition"]) == (
        "s3:GetBucketAcl",
        {"ArnLike": {"aws:SourceArn": own_trails()}},
    )


def test_organization_trails_get_their_folder_when_configured(configured: Templates) -> None:
    (write,) = (
        s
        for s in bucket_statements(configured.storage, "Logs")
        if s.get("Sid") == "AWSCloudTrailOrganizationWrite20150319"
    )

    assert [resource["Fn::Join"][1][1] for resource in write["Resource"]] == [
        "/*/AWSLogs/o-abcdefghij/*",
        "/AWSLogs/o-abcdefghij/*",
    ]


def test_object_lock_is_ready_but_sets_no_retention_by_default(storage: Template) -> None:
    logs = bucket(storage, "Logs")

    assert (logs["ObjectLockEnabled"], "ObjectLockConfiguration" in logs) == (True, False)


def test_object_lock_retains_when_configured(configured: Templates) -> None:
    assert bucket(configured.storage, "Logs")["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Days": 365, "Mode": "COMPLIANCE"}},
    }


def test_log_files_stay_by_default(storage: Template) -> None:
    rules = bucket(storage, "Logs")["LifecycleConfiguration"]["Rules"]

    assert [rule["Id"] for rule in rules] == ["DropUnfinishedUploads"]


def test_log_files_age_as_configured(configured: Templates) -> None:
    rule = bucket(configured.storage, "Logs")["LifecycleConfiguration"]["Rules"][0]

    assert rule == {
        "Id": "AgeLogFiles",
        "Status": "Enabled",
        "Transitions": [
            {"StorageClass": "GLACIER_IR", "TransitionInDays": 30},
            {"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 180},
        ],
        "ExpirationInDays": 2555,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 2555},
    }


def test_history_expires_after_its_last_day(storage: Template) -> None:
    rule = bucket(storage, "History")["LifecycleConfiguration"]["Rules"][0]

    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("history/", 91)


def test_access_is_logged_when_configured(configured: Templates) -> None:
    assert {name: bucket(configured.storage, name)["LoggingConfiguration"] for name in BUCKETS} == {
        name: {"DestinationBucketName": "the-access-logs", "LogFilePrefix": f"{name}/"} for name in BUCKETS
    }


@pytest.mark.parametrize("name", TABLES)
def test_table_keys(storage: Template, name: str) -> None:
    table = storage.only("AWS::DynamoDB::Table", name)

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
    }


@pytest.mark.parametrize("name", TABLES)
def test_table_survives_mistakes(storage: Template, name: str) -> None:
    table = storage.only("AWS::DynamoDB::Table", name)

    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("name", TABLES)
def test_table_encrypts_expires_and_costs_by_use(storage: Template, name: str) -> None:
    table = storage.only("AWS::DynamoDB::Table", name)

    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": {"Fn::GetAtt": ["EncryptionKey1B843E66", "Arn"]},
    }
    expiry = None if name == "Anchor" else {"AttributeName": "expires", "Enabled": True}
    assert table.get("TimeToLiveSpecification") == expiry
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_encryption_key_rotates(storage: Template) -> None:
    assert storage.only("AWS::KMS::Key", "EncryptionKey")["EnableKeyRotation"] is True


def test_cloudtrail_encrypts_only_for_own_trails(storage: Template) -> None:
    statements = key_statements(storage, "EncryptionKey")

    encrypt = statements["AllowCloudTrailToEncryptLogs"]
    assert encrypt["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert encrypt["Condition"] == {
        "ArnLike": {"aws:SourceArn": own_trails()},
        "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": own_trails()},
    }
    assert statements["AllowCloudTrailToDescribeKey"]["Action"] == ["kms:Decrypt", "kms:DescribeKey"]


def test_eventbridge_uses_the_key_only_for_this_account(storage: Template) -> None:
    statement = key_statements(storage, "EncryptionKey")["AllowEventBridgeToSendToQueues"]

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_signing_key_is_what_validate_logs_verifies(storage: Template) -> None:
    key = storage.only("AWS::KMS::Key", "SigningKey")

    assert (key["KeySpec"], key["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")


def test_only_the_digest_function_may_sign(storage: Template) -> None:
    may_sign = [s for s in key_statements(storage, "SigningKey").values() if matches(s["Action"], "kms:Sign")]

    assert [s["Condition"] for s in may_sign] == [
        {"ArnEquals": {"aws:PrincipalArn": {"Fn::Join": ["", [
            "arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"},
            ":role/OpenTrail-digest-", {"Ref": "AWS::Region"},
        ]]}}}
    ]  # fmt: skip


def test_nobody_may_hand_signing_on(storage: Template) -> None:
    statements = key_statements(storage, "SigningKey").values()

    assert not [s for s in statements if matches(s["Action"], "kms:CreateGrant")]


def test_outputs(storage: Template) -> None:
    named = {name for name in storage.body["Outputs"] if not name.startswith("ExportsOutput")}

    assert named == {
        "LogBucketName",
        "HistoryBucketName",
        "TrailsTableName",
        "LedgerTableName",
        "HistoryTableName",
        "AnchorTableName",
        "SigningKeyId",
        "EncryptionKeyArn",
    }


def own_trails() -> dict[str, Any]:
    """Every trail of the account, in any Region."""
    return {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":cloudtrail:*:", {"Ref": "AWS::AccountId"}, ":trail/*"],
        ]
    }


def matches(actions: str | list[str], action: str) -> bool:
    """Whether a statement's actions include ``action``, also by a pattern."""
    patterns = [actions] if isinstance(actions, str) else actions
    return any(
        pattern == action or (pattern.endswith("*") and action.startswith(pattern[:-1]))
        for pattern in patterns
    )


def keys_of(statement: dict[str, Any]) -> list[str]:
    """The key patterns of a statement on objects."""
    return [resource["Fn::Join"][1][1].removeprefix("/") for resource in statement["Resource"]]


def test_nobody_may_delete_log_files(storage: Template) -> None:
    (denied,) = (s for s in bucket_statements(storage, "Logs") if s.get("Sid") == "DenyDeletingLogs")

    assert (denied["Effect"], denied["Principal"]) == ("Deny", {"AWS": "*"})
    assert denied["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert "Condition" not in denied
    assert sorted(keys_of(denied)) == ["*/AWSLogs/*", "AWSLogs/*"]


@pytest.mark.parametrize(
    ("sid", "stage", "folders"),
    [
        ("DenyWritingLogFiles", "deliver", {"CloudTrail", "CloudTrail-Insight"}),
        ("DenyWritingDigests", "digest", {"CloudTrail-Digest", "OpenTrail-Tree"}),
    ],
)
def test_each_kind_of_file_has_one_writer(storage: Template, sid: str, stage: str, folders: set[str]) -> None:
    (denied,) = (s for s in bucket_statements(storage, "Logs") if s.get("Sid") == sid)

    assert (denied["Effect"], denied["Action"]) == ("Deny", "s3:PutObject")
    writer = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert f":role/OpenTrail-{stage}-" in "".join(
        part for part in writer["Fn::Join"][1] if isinstance(part, str)
    )
    assert denied["Condition"]["Bool"] == {"aws:PrincipalIsAWSService": "false"}
    assert {key.rsplit("/", 2)[1] for key in keys_of(denied)} == folders


@pytest.mark.parametrize("name", BUCKETS)
def test_a_kept_bucket_keeps_its_policy(storage: Template, name: str) -> None:
    resource = storage.body["Resources"][storage.id_of("AWS::S3::BucketPolicy", name)]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_heads_are_added_by_the_digest_function_alone_and_taken_away_by_nobody(storage: Template) -> None:
    table = storage.only("AWS::DynamoDB::Table", "AnchorTable")

    changing, adding = table["ResourcePolicy"]["PolicyDocument"]["Statement"]
    for denied in (changing, adding):
        assert (denied["Effect"], denied["Principal"], denied["Resource"]) == ("Deny", {"AWS": "*"}, "*")
    assert {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"} <= set(
        changing["Action"]
    )
    assert "Condition" not in changing
    assert adding["Action"] == "dynamodb:PutItem"
    writer = adding["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert ":role/OpenTrail-digest-" in "".join(p for p in writer["Fn::Join"][1] if isinstance(p, str))
