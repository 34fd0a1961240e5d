"""EventBridge buses and rules."""

from __future__ import annotations

import json
from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_RULE_NAME: Final = 64  # characters
_DEFAULT_BUS: Final = "default"
# CloudFormation spells these members of a target otherwise than the API.
_TARGET_NAMES: Final = {"SageMakerPipelineParameterList": "PipelineParameterList"}


class EventBus(Provider):
    """A custom event bus."""

    type_name = "AWS::Events::EventBus"
    replaced_by = frozenset({"Name"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return CreateEventBus's parameters under ``bus``, and ``policy``, ``tags``."""
        return {
            "policy": properties.text("Policy"),
            "tags": properties.tags(),
            "bus": properties.rest(site.shape("events", "CreateEventBus")),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the bus."""
        arn = site.client("events").create_event_bus(**wanted["bus"])["EventBusArn"]
        name = wanted["bus"]["Name"]
        return Made(name, {"Arn": arn, "Name": name})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the resource policy, then the tags."""
        client = site.client("events")
        if before is not None and before["bus"] != wanted["bus"]:
            client.update_event_bus(**wanted["bus"])
        if wanted["policy"] != (before["policy"] if before else None):
            if wanted["policy"] is None:
                client.remove_permission(EventBusName=made.physical_id, RemoveAllPermissions=True)
            else:
                client.put_permission(EventBusName=made.physical_id, Policy=wanted["policy"])
        _retag(client, made, before, wanted)

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the bus."""
        site.client("events").delete_event_bus(Name=made.physical_id)


class EventBusPolicy(Provider):
    """One statement of a bus's resource policy: who else may put events."""

    type_name = "AWS::Events::EventBusPolicy"
    replaced_by = frozenset({"EventBusName", "StatementId"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``bus``, ``id`` and what PutPermission takes besides."""
        statement = properties.take("Statement")
        if statement is not None and not isinstance(statement, dict):
            raise DeployError("property Statement is not an object")
        return {
            "bus": properties.text("EventBusName") or _DEFAULT_BUS,
            "id": properties.need("StatementId"),
            "statement": statement,
            "rest": properties.rest(site.shape("events", "PutPermission")),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the statement; ``settle`` writes it."""
        return Made(wanted["id"])

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the statement, whichever of its two forms the template uses."""
        client = site.client("events")
        if wanted["statement"] is None:
            client.put_permission(EventBusName=wanted["bus"], StatementId=wanted["id"], **wanted["rest"])
            return
        bus = client.describe_event_bus(Name=wanted["bus"])
        policy = _policy_with(bus.get("Policy"), {**wanted["statement"], "Sid": wanted["id"]})
        client.put_permission(EventBusName=wanted["bus"], Policy=policy)

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Remove the statement."""
        site.client("events").remove_permission(EventBusName=wanted["bus"], StatementId=wanted["id"])


class Rule(Provider):
    """A rule with its targets."""

    type_name = "AWS::Events::Rule"
    replaced_by = frozenset({"Name", "EventBusName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``rule`` (PutRule), ``targets`` (PutTargets, by id) and ``tags``."""
        shape = site.shape("events", "PutTargets").members["Targets"]
        targets = properties.fitted("Targets", shape, _TARGET_NAMES) or []
        return {
            "tags": properties.tags(),
            "rule": properties.rest(site.shape("events", "PutRule")),
            "targets": {target["Id"]: target for target in targets},
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the rule; ``settle`` gives it its targets."""
        name = wanted["rule"].get("Name") or site.name(_MAX_RULE_NAME)
        arn = site.client("events").put_rule(**{**wanted["rule"], "Name": name})["RuleArn"]
        bus = _bus_name(wanted)
        return Made(name if bus == _DEFAULT_BUS else f"{bus}|{name}", {"Arn": arn})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the rule where it changed, and bring its targets and tags to what is wanted."""
        client, key = site.client("events"), _rule_key(made, wanted)
        if before is not None and before["rule"] != wanted["rule"]:
            client.put_rule(**{**wanted["rule"], "Name": key["Rule"]})
        old = before["targets"] if before else {}
        gone = sorted(old.keys() - wanted["targets"].keys())
        fresh = [target for name, target in wanted["targets"].items() if old.get(name) != target]
        if gone:
            _check_entries(client.remove_targets(**key, Ids=gone))
        if fresh:
            _check_entries(client.put_targets(**key, Targets=fresh))
        _retag(client, made, before, wanted)

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the rule, its targets first: a rule with targets cannot be deleted."""
        client, key = site.client("events"), _rule_key(made, wanted)
        if wanted["targets"]:
            client.remove_targets(**key, Ids=sorted(wanted["targets"]))
        client.delete_rule(Name=key["Rule"], EventBusName=key["EventBusName"])


def _policy_with(policy: str | None, statement: dict[str, Any]) -> str:
    document: dict[str, Any] = json.loads(policy or '{"Version": "2012-10-17", "Statement": []}')
    others = [one for one in document["Statement"] if one.get("Sid") != statement["Sid"]]
    return json.dumps({**document, "Statement": [*others, statement]})


def _bus_name(wanted: Wanted) -> str:
    return str(wanted["rule"].get("EventBusName", _DEFAULT_BUS)).rpartition("/")[2]


def _rule_key(made: Made, wanted: Wanted) -> dict[str, str]:
    return {"Rule": made.physical_id.rpartition("|")[2], "EventBusName": _bus_name(wanted)}


def _retag(client: Any, made: Made, before: Wanted | None, wanted: Wanted) -> None:
    arn = made.attributes["Arn"]
    retag(
        before,
        wanted,
        add=lambda tags: client.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
        remove=lambda names: client.untag_resource(ResourceARN=arn, TagKeys=names),
    )


def _check_entries(answer: dict[str, Any]) -> None:
    """Raise when EventBridge refused some of the targets: it answers 200 all the same."""
    if answer.get("FailedEntryCount"):
        raise DeployError(f"targets refused: {answer['FailedEntries']}")
