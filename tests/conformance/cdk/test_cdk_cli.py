"""The real CDK command against a laptop that has no OpenTrail: bootstrap, deploy, again, destroy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opentrail.cli._cdk import CDK, Cdk
from opentrail.cli._stagehand import Terminal, laptop
from opentrail.cli.deploy_local import EVENT

ASSEMBLY = Path("opentrail") / "_deploy"  # what `make synth` wrote: no second synthesis
BUCKET = (
    "cloudformation describe-stack-resource --stack-name OpenTrailStorage --output text"
    " --logical-resource-id LogsBucket5C52C3D2 --query StackResourceDetail.PhysicalResourceId"
)


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """Return a terminal before a bare laptop."""
    if not (CDK.exists() and (ASSEMBLY / "manifest.json").exists()):
        pytest.skip("needs a checkout after `make setup synth`")
    with laptop("--bare") as terminal:
        yield terminal


def test_cdk_deploys_records_and_leaves_the_data(terminal: Terminal) -> None:
    cdk = Cdk(terminal)
    cdk.bootstrap(ASSEMBLY)

    cdk.deploy(ASSEMBLY)

    bucket = terminal.aws(BUCKET).strip()
    create = f"cloudtrail create-trail --name main --is-multi-region-trail --s3-bucket-name {bucket}"
    terminal.aws(f"{create} --enable-log-file-validation")
    terminal.aws("cloudtrail start-logging --name main")
    terminal.aws("iam create-user --user-name alice")
    terminal.flush(digest=True)
    keys = terminal.aws(f"s3 ls --recursive s3://{bucket}/AWSLogs/")
    assert "/CloudTrail/us-east-1/" in keys
    assert "/CloudTrail-Digest/us-east-1/" in keys

    again = [line for line in cdk.deploy(ASSEMBLY).splitlines() if "✅" in line]
    assert again
    assert all("(no changes)" in line for line in again), again

    said = cdk.destroy(ASSEMBLY)
    kept = {found["type"] for found in EVENT.finditer(said) if found["status"] == "DELETE_SKIPPED"}
    assert kept >= {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"}
    assert terminal.aws(f"s3 ls --recursive s3://{bucket}/AWSLogs/") == keys
