"""SQS queues and their policies."""

from __future__ import annotations

from typing import Any, Final

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag
from opentrail.local.deployer.state import Made

_MAX_QUEUE_NAME: Final = 80  # characters
_FIFO_SUFFIX: Final = ".fifo"
# Attributes SQS takes under CloudFormation's own names, with the value an absent one goes back to.
_ATTRIBUTES: Final = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


class Queue(Provider):
    """A standard or FIFO queue."""

    type_name = "AWS::SQS::Queue"
    replaced_by = frozenset({"QueueName", "FifoQueue"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name``, ``fifo``, ``attributes`` (all text, as SQS takes them) and ``tags``."""
        values = {name: properties.text(name) for name in _ATTRIBUTES}
        return {
            "name": properties.text("QueueName"),
            "fifo": properties.flag("FifoQueue"),
            "attributes": {name: value for name, value in values.items() if value is not None},
            "tags": properties.tags(),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the queue with its attributes."""
        name, attributes = wanted["name"], dict(wanted["attributes"])
        if wanted["fifo"]:
            attributes["FifoQueue"] = "true"
            name = name or site.name(_MAX_QUEUE_NAME - len(_FIFO_SUFFIX)) + _FIFO_SUFFIX
        name = name or site.name(_MAX_QUEUE_NAME)
        url = site.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return Made(url, {"Arn": site.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Set the attributes that changed, and the tags."""
        client, url = site.client("sqs"), made.physical_id
        if before is not None and (changes := _changes(before["attributes"], wanted["attributes"])):
            client.set_queue_attributes(QueueUrl=url, Attributes=changes)
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_queue(QueueUrl=url, Tags=tags),
            remove=lambda names: client.untag_queue(QueueUrl=url, TagKeys=names),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the queue with its messages."""
        site.client("sqs").delete_queue(QueueUrl=made.physical_id)


class QueuePolicy(Provider):
    """One policy on one or more queues."""

    type_name = "AWS::SQS::QueuePolicy"

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``queues`` (URLs) and ``policy`` (JSON text)."""
        properties.need("PolicyDocument")
        return {"queues": list(properties.need("Queues")), "policy": properties.text("PolicyDocument")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Give the policy a name of its own; ``settle`` writes it."""
        name = site.name(_MAX_QUEUE_NAME)
        return Made(name, {"Id": name})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the policy to every queue wanted, and take it off the others."""
        for url in wanted["queues"]:
            _set_policy(site, url, wanted["policy"])
        for url in (before or {}).get("queues", []):
            if url not in wanted["queues"]:
                _set_policy(site, url, "")

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Take the policy off every queue."""
        for url in wanted["queues"]:
            _set_policy(site, url, "")


def _changes(before: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    gone = {name: _ATTRIBUTES[name] for name in before.keys() - wanted.keys()}
    return {**gone, **{name: value for name, value in wanted.items() if before.get(name) != value}}


def _set_policy(site: Site, url: str, policy: str) -> Any:
    return site.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
