"""A real ``opentrail up`` in a process of its own, and the real aws-cli against it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.records import ACCOUNT, REGION

BIN = Path(sys.executable).parent
READY = "OpenTrail ready at "
CALLER = {"AWS_ACCESS_KEY_ID": "operator", "AWS_SECRET_ACCESS_KEY": "operator"}


def environment(**changes: str) -> dict[str, str]:
    """The test run's environment without anything that concerns AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **changes}


@dataclass(frozen=True)
class Laptop:
    """A running endpoint and its users."""

    endpoint: str

    def run(self, program: str, command: str) -> subprocess.CompletedProcess[str]:
        """``aws`` or ``opentrail`` as a user runs them."""
        ours = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            **CALLER,
        }
        return subprocess.run(
            [BIN / program, *shlex.split(command)],
            env=environment(**ours),
            capture_output=True,
            text=True,
            check=False,
        )

    def flush(self, *, digest: bool = False) -> dict[str, int]:
        """``opentrail flush``, which must succeed; its counts."""
        done = self.run("opentrail", "flush --digest" if digest else "flush")
        assert done.returncode == 0, done.stdout + done.stderr
        counts: dict[str, int] = json.loads(done.stdout)
        return counts

    def client(self, service: str) -> Any:
        """A client of the same user."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="operator",
            aws_secret_access_key="operator",
        )

    def make_trail(self, name: str, **options: Any) -> str:
        """A logging trail of all Regions with a bucket of its own, ``audit-<name>``; its ARN."""
        s3, cloudtrail = self.client("s3"), self.client("cloudtrail")
        bucket = f"audit-{name}"
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(bucket_policy(bucket)))
        made = cloudtrail.create_trail(Name=name, S3BucketName=bucket, IsMultiRegionTrail=True, **options)
        cloudtrail.start_logging(Name=name)
        arn: str = made["TrailARN"]
        return arn

    def keys(self, bucket: str, sign: str) -> list[str]:
        """The bucket's keys that contain ``sign``, in order."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return sorted(key for key in found if sign in key)


def bucket_policy(bucket: str) -> dict[str, Any]:
    """What CloudTrail asks of a bucket (user guide, "Amazon S3 bucket policy for CloudTrail")."""
    service = {"Service": "cloudtrail.amazonaws.com"}
    control = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": arn},
            {
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:PutObject",
                "Resource": f"{arn}/AWSLogs/{ACCOUNT}/*",
                "Condition": control,
            },
        ],
    }


@contextmanager
def serving(command: Sequence[str | Path], env: Mapping[str, str], folder: Path) -> Iterator[Laptop]:
    """``command`` until the block ends: it must announce its endpoint, and end cleanly when interrupted."""
    with (folder / "stderr").open("w+") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env, cwd=folder
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line.startswith(READY), (line, (folder / "stderr").read_text())
            yield Laptop(line.removeprefix(READY))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
    assert process.returncode == 0, (folder / "stderr").read_text()


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """``opentrail up`` on a free port."""
    folder = tmp_path_factory.mktemp("laptop")
    with serving([BIN / "opentrail", "up", "--port", "0"], environment(), folder) as running:
        yield running
