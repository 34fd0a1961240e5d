"""``opentrail up``: files on disk as they are delivered, and a reset that leaves a fresh deployment."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.testing.trail import LoggingTrail, make_trail
from tests.conformance.laptop_recording.conftest import Admin, Laptop

ACCOUNT = "123456789012"


def new_trail(laptop: Laptop, name: str) -> LoggingTrail:
    return make_trail(
        laptop.client,
        laptop.client("s3"),
        account=ACCOUNT,
        region="us-east-1",
        name=name,
        options={"EnableLogFileValidation": True},
    )


def on_disk(laptop: Laptop, trail: LoggingTrail) -> dict[str, bytes]:
    root = laptop.exported / trail.bucket
    return {str(path.relative_to(root)): path.read_bytes() for path in files_under(root)}


def files_under(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def recorded_names(files: dict[str, bytes]) -> set[str]:
    bodies = [gzip.decompress(body) for key, body in files.items() if "/CloudTrail/" in key]
    return {record["eventName"] for body in bodies for record in json.loads(body)["Records"]}


def test_delivered_files_are_on_disk(laptop: Laptop, admin: Admin) -> None:
    trail = new_trail(laptop, "exported")
    laptop.client("iam").create_user(UserName="bob")

    admin("/_opentrail/flush?digest=1")

    files = on_disk(laptop, trail)
    heads = {key for key in files if "/OpenTrail-Tree/" in key}
    assert set(files) - heads == {*trail.log_files(), *trail.digests()}
    assert len(heads) == len(trail.digests())
    assert "CreateUser" in recorded_names(files)
    assert all(gzip.decompress(files[key]) == trail.read(key) for key in files)


def test_reset_forgets_aws_and_opentrail(laptop: Laptop, admin: Admin) -> None:
    new_trail(laptop, "before")
    laptop.client("iam").create_user(UserName="eve")

    answer = admin("/moto-api/reset")

    assert answer == {"status": "ok"}
    assert laptop.client("iam").list_users()["Users"] == []
    assert laptop.client("cloudtrail").list_trails()["Trails"] == []
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        laptop.client("cloudtrail").get_trail(Name="before")


def test_reset_leaves_a_fresh_deployment(laptop: Laptop, admin: Admin) -> None:
    admin("/moto-api/reset")
    trail = new_trail(laptop, "after")
    laptop.client("iam").create_user(UserName="bob")

    counts: dict[str, Any] = admin("/_opentrail/flush?digest=1")

    assert counts["failed"] == 0
    assert "bob" in [event["requestParameters"]["userName"] for event in trail.events("CreateUser")]
    assert recorded_names(on_disk(laptop, trail)) >= {"CreateUser"}
    (digest,) = trail.digests()
    assert json.loads(trail.read(digest))["previousDigestS3Object"] is None
