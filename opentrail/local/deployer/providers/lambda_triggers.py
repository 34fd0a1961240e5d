"""What may call a Lambda function, and how: permissions, event source mappings, asynchronous invocation."""

from __future__ import annotations

from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import EVERYTHING, Provider, Site, Wanted, retag
from opentrail.local.deployer.state import Made

_MAX_STATEMENT_ID: Final = 100  # characters
# What a mapping's setting becomes when the template no longer names it.
_ABSENT: Final[dict[str, Any]] = {
    "Enabled": True,
    "FilterCriteria": {"Filters": []},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}


class Permission(Provider):
    """One statement of a function's resource policy."""

    type_name = "AWS::Lambda::Permission"
    replaced_by = EVERYTHING

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return AddPermission's parameters under ``statement``."""
        return {"statement": properties.rest(site.shape("lambda", "AddPermission"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Add the statement."""
        name = site.name(_MAX_STATEMENT_ID)
        site.client("lambda").add_permission(StatementId=name, **wanted["statement"])
        return Made(name, {"Id": name})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Remove the statement."""
        site.client("lambda").remove_permission(
            FunctionName=wanted["statement"]["FunctionName"], StatementId=made.physical_id
        )


class EventSourceMapping(Provider):
    """A queue or stream that a function reads."""

    type_name = "AWS::Lambda::EventSourceMapping"
    replaced_by = frozenset({"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return CreateEventSourceMapping's parameters under ``mapping``, and ``tags``."""
        tags = properties.tags()
        return {
            "mapping": properties.rest(site.shape("lambda", "CreateEventSourceMapping")),
            "tags": tags,
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the mapping."""
        mapping = site.client("lambda").create_event_source_mapping(**wanted["mapping"])
        arn = site.arn("lambda", f"event-source-mapping:{mapping['UUID']}")
        return Made(mapping["UUID"], {"Id": mapping["UUID"], "EventSourceMappingArn": arn})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Update the settings that changed."""
        client, arn = site.client("lambda"), made.attributes["EventSourceMappingArn"]
        if before is not None and (changes := _changes(before["mapping"], wanted["mapping"], site)):
            client.update_event_source_mapping(UUID=made.physical_id, **changes)
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(Resource=arn, Tags=tags),
            remove=lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the mapping."""
        site.client("lambda").delete_event_source_mapping(UUID=made.physical_id)


class EventInvokeConfig(Provider):
    """Retries and destinations of a function's asynchronous invocations."""

    type_name = "AWS::Lambda::EventInvokeConfig"
    replaced_by = frozenset({"FunctionName", "Qualifier"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return PutFunctionEventInvokeConfig's parameters under ``config``."""
        return {"config": properties.rest(site.shape("lambda", "PutFunctionEventInvokeConfig"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the configuration; ``settle`` writes it."""
        config = wanted["config"]
        return Made(f"{config['FunctionName']}|{config.get('Qualifier', '$LATEST')}")

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the configuration whole."""
        site.client("lambda").put_function_event_invoke_config(**wanted["config"])

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the configuration."""
        config = wanted["config"]
        keys = {key: config[key] for key in ("FunctionName", "Qualifier") if key in config}
        site.client("lambda").delete_function_event_invoke_config(**keys)


def _changes(before: dict[str, Any], wanted: dict[str, Any], site: Site) -> dict[str, Any]:
    updatable = site.shape("lambda", "UpdateEventSourceMapping").members
    changes: dict[str, Any] = {}
    for setting in sorted(before.keys() | wanted.keys()):
        if before.get(setting) == wanted.get(setting):
            continue
        if setting not in updatable or (setting not in wanted and setting not in _ABSENT):
            raise DeployError(f"property {setting} cannot be changed or removed in place")
        changes[setting] = wanted.get(setting, _ABSENT.get(setting))
    return changes
