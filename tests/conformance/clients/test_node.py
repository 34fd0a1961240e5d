"""The AWS SDK for JavaScript, unchanged, through ``opentrail proxy`` against the API in AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from botocore.session import Session

from opentrail.cli.proxy import Proxy
from opentrail.execute_api import Endpoint
from tests.conformance.clients.conftest import BUCKET, Deployment
from tests.conformance.clients.gateway import ACCOUNT, KEY, REGION, SECRET

ROOT = Path(__file__).parents[3]
SDK = ROOT / "node_modules" / "@aws-sdk" / "client-cloudtrail"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"

pytestmark = pytest.mark.skipif(
    not SDK.exists() or not shutil.which("node"),
    reason="needs node and @aws-sdk/client-cloudtrail in node_modules; `make setup` installs it",
)


def test_a_trail_lives_through_the_sdk_for_javascript(deployment: Deployment) -> None:
    session = Session()
    session.set_credentials(KEY, SECRET)
    with Proxy(Endpoint(deployment.url, REGION), session) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        run = lifecycle(proxy.url)
        proxy.shutdown()
        thread.join()

    assert (run.returncode, run.stderr) == (0, "")
    seen = json.loads(run.stdout)
    assert seen["created"] == {
        "Name": "audit",
        "S3BucketName": BUCKET,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "TrailARN": ARN,
        "LogFileValidationEnabled": True,
        "IsOrganizationTrail": False,
        "RecursiveLogging": True,
    }
    (selector,) = seen["selectors"]
    assert selector["FieldSelectors"] == [{"Field": "eventCategory", "Equals": ["Management"]}]
    assert (seen["logging"], seen["startedIsDate"]) == (True, True)
    assert seen["listed"] == [{"TrailARN": ARN, "Name": "audit", "HomeRegion": REGION}]
    assert seen["keyBytes"] == 270  # an RSA key of 2048 bits as PKCS#1
    unknown = f"Unknown trail: audit for the user: {ACCOUNT}"
    assert seen["error"] == {"name": "TrailNotFoundException", "message": unknown, "typed": True}
    assert seen["unbuilt"] == "UnsupportedOperationException"


def lifecycle(endpoint: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": endpoint,
        "NODE_NO_WARNINGS": "1",
    }
    # Modules are looked up from the checkout's own package.json.
    script = Path(__file__).with_name("lifecycle.mjs")
    command = ["node", str(script), str(ROOT / "package.json"), BUCKET]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
