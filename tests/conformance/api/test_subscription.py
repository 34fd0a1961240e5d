"""``aws cloudtrail create-subscription`` and ``update-subscription`` make bucket and topic themselves."""

from __future__ import annotations

from tests.conformance.api.conftest import ACCOUNT, REGION, Laptop


def test_the_cli_subscribes_and_changes_its_subscription(laptop: Laptop) -> None:
    words = (
        "--name",
        "audit",
        "--s3-new-bucket",
        "audit-logs",
        "--s3-prefix",
        "p",
        "--sns-new-topic",
        "news",
    )

    created = laptop.aws("cloudtrail", "create-subscription", *words)
    updated = laptop.aws(
        "cloudtrail", "update-subscription", "--name", "audit", "--s3-new-bucket", "more-logs"
    )

    assert (created.returncode, created.stderr) == (0, "")
    assert created.stdout.endswith("Starting CloudTrail service...\nLogs will be delivered to audit-logs:p\n")
    assert (updated.returncode, updated.stderr) == (0, "")
    client = laptop.client("cloudtrail")
    trail = client.get_trail(Name="audit")["Trail"]
    assert (trail["S3BucketName"], trail["S3KeyPrefix"]) == ("more-logs", "p")
    assert trail["SnsTopicARN"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
    assert client.get_trail_status(Name="audit")["IsLogging"] is True
    owned = [bucket["Name"] for bucket in laptop.client("s3").list_buckets()["Buckets"]]
    assert owned == ["audit-logs", "more-logs"]
