"""Whatever templates follow each other: what exists is what the last one that succeeded asked for."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import Deployer, client, resource

QUEUE = "AWS::SQS::Queue"
BROKEN = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "ab"}}

# logical id -> (queue name, delay in seconds): a changed name is a replacement, a changed delay an update
Version = dict[str, tuple[str, int]]


def _versions() -> st.SearchStrategy[Version]:
    entry = st.tuples(st.sampled_from(["x", "y"]), st.integers(0, 2))
    return st.dictionaries(st.sampled_from("ABC"), entry, min_size=1, max_size=3)


def _template(version: Version, fails: bool) -> dict[str, Any]:
    resources: dict[str, Any] = {
        logical_id: resource(QUEUE, QueueName=f"{logical_id}-{name}", DelaySeconds=delay)
        for logical_id, (name, delay) in version.items()
    }
    if fails:
        resources["Broken"] = {**BROKEN, "DependsOn": sorted(version)}
    return resources


def _existing() -> dict[str, int]:
    sqs = client("sqs")
    found = {}
    for url in sqs.list_queues().get("QueueUrls", []):
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
        found[url.rpartition("/")[2]] = int(answer["Attributes"]["DelaySeconds"])
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(st.tuples(_versions(), st.booleans()), min_size=1, max_size=4))
def test_what_exists_is_the_last_version_that_succeeded(history: list[tuple[Version, bool]]) -> None:
    with mock_aws():
        deployer = Deployer(client)
        expected: dict[str, int] = {}
        for version, fails in history:
            try:
                deployer.deploy(_template(version, fails))
            except DeployError:
                assert fails
            else:
                assert not fails
                expected = {f"{logical_id}-{name}": delay for logical_id, (name, delay) in version.items()}

            assert _existing() == expected

        deployer.engine.delete("Stack")

        assert _existing() == {}
