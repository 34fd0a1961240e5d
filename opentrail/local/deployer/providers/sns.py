"""SNS topics, their policies and subscriptions."""

from __future__ import annotations

import json
from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_TOPIC_NAME: Final = 256  # characters
_FIFO_SUFFIX: Final = ".fifo"
# Attributes SNS takes under CloudFormation's own names, with the value an absent one goes back to.
_TOPIC_ATTRIBUTES: Final = {
    "ContentBasedDeduplication": "false",
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
_SUBSCRIPTION_ATTRIBUTES: Final = {
    "DeliveryPolicy": "",
    "FilterPolicy": "",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "",
    "SubscriptionRoleArn": "",
}


class Topic(Provider):
    """A standard or FIFO topic."""

    type_name = "AWS::SNS::Topic"
    # Inline subscriptions have no identity an update could find again.
    replaced_by = frozenset({"TopicName", "FifoTopic", "Subscription"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name``, ``fifo``, ``attributes``, ``subscriptions`` and ``tags``."""
        return {
            "name": properties.text("TopicName"),
            "fifo": properties.flag("FifoTopic"),
            "attributes": _texts(properties, _TOPIC_ATTRIBUTES),
            "subscriptions": [
                {"Protocol": one.need("Protocol"), "Endpoint": one.need("Endpoint")}
                for one in properties.children("Subscription")
            ],
            "tags": properties.tags(),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the topic with its attributes."""
        name, attributes = wanted["name"], dict(wanted["attributes"])
        if wanted["fifo"]:
            attributes["FifoTopic"] = "true"
            name = name or site.name(_MAX_TOPIC_NAME - len(_FIFO_SUFFIX)) + _FIFO_SUFFIX
        name = name or site.name(_MAX_TOPIC_NAME)
        arn = site.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Set the attributes that changed, make the inline subscriptions, set the tags."""
        client, arn = site.client("sns"), made.physical_id
        if before is None:
            for subscription in wanted["subscriptions"]:
                client.subscribe(TopicArn=arn, **subscription)
        else:
            for name, value in _changes(before["attributes"], wanted["attributes"], _TOPIC_ATTRIBUTES):
                client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(ResourceArn=arn, Tags=tag_list(tags)),
            remove=lambda names: client.untag_resource(ResourceArn=arn, TagKeys=names),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the topic with its subscriptions."""
        site.client("sns").delete_topic(TopicArn=made.physical_id)


class TopicPolicy(Provider):
    """One policy on one or more topics."""

    type_name = "AWS::SNS::TopicPolicy"

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``topics`` (ARNs) and ``policy`` (JSON text)."""
        properties.need("PolicyDocument")
        return {"topics": list(properties.need("Topics")), "policy": properties.text("PolicyDocument")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Give the policy a name of its own; ``settle`` writes it."""
        name = site.name(_MAX_TOPIC_NAME)
        return Made(name, {"Id": name})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the policy to every topic wanted, and reset the others."""
        for arn in wanted["topics"]:
            _set_policy(site, arn, wanted["policy"])
        for arn in (before or {}).get("topics", []):
            if arn not in wanted["topics"]:
                _set_policy(site, arn, _owner_only(arn, site))

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Reset every topic to the policy a new topic has."""
        for arn in wanted["topics"]:
            _set_policy(site, arn, _owner_only(arn, site))


class Subscription(Provider):
    """One subscription of a topic."""

    type_name = "AWS::SNS::Subscription"
    replaced_by = frozenset({"TopicArn", "Protocol", "Endpoint", "Region"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``request`` (Subscribe) and ``attributes``.

        Raises:
            DeployError: the topic is in another Region.
        """
        if properties.text("Region") not in (None, site.region):
            raise DeployError(f"property Region: only {site.region}, the stack's own, is supported")
        return {
            "request": {
                "TopicArn": properties.need("TopicArn"),
                "Protocol": properties.need("Protocol"),
                "Endpoint": properties.text("Endpoint") or "",
            },
            "attributes": _texts(properties, _SUBSCRIPTION_ATTRIBUTES),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Subscribe."""
        answer = site.client("sns").subscribe(
            **wanted["request"], Attributes=wanted["attributes"], ReturnSubscriptionArn=True
        )
        return Made(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Set the attributes that changed."""
        if before is None:
            return
        for name, value in _changes(before["attributes"], wanted["attributes"], _SUBSCRIPTION_ATTRIBUTES):
            site.client("sns").set_subscription_attributes(
                SubscriptionArn=made.physical_id, AttributeName=name, AttributeValue=value
            )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Unsubscribe."""
        site.client("sns").unsubscribe(SubscriptionArn=made.physical_id)


def _texts(properties: Properties, names: dict[str, str]) -> dict[str, str]:
    values = {name: properties.text(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _changes(before: dict[str, str], wanted: dict[str, str], absent: dict[str, str]) -> list[tuple[str, str]]:
    gone = [(name, absent[name]) for name in sorted(before.keys() - wanted.keys())]
    return [*gone, *((name, value) for name, value in wanted.items() if before.get(name) != value)]


def _set_policy(site: Site, arn: str, policy: str) -> Any:
    return site.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy
    )


def _owner_only(arn: str, site: Site) -> str:
    # SNS has no call that removes a policy: an account may do with its own topic what it likes.
    owner = {"AWS": f"arn:{site.partition}:iam::{site.account}:root"}
    statement = {"Effect": "Allow", "Principal": owner, "Action": "sns:*", "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
