"""AWS Config: what a resource looked like, and when it changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.failure import storage_errors
from opentrail.branches.resource_history import Item

# Config knows nothing of the resource, or records nothing at all here.
_UNKNOWN = {
    "ResourceNotDiscoveredException",
    "NoAvailableConfigurationRecorderException",
    "ValidationException",
}
_STATE = ("configuration", "supplementaryConfiguration", "tags", "relationships")


class ConfigHistory:
    """Configuration items of one account and Region. ``client`` is a client of Config.

    Its methods are ``config:ListDiscoveredResources`` and ``config:GetResourceConfigHistory``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def items(
        self, resource_type: str, name: str, since: datetime | None, until: datetime | None
    ) -> list[Item]:
        """The items of one resource by its name or ID, newest first; none when Config does not know it.

        Raises:
            StorageError: Config refused or did not answer.
        """
        with storage_errors(f"ask AWS Config about {resource_type} {name}"):
            return [_item(found) for found in self._history(resource_type, name, since, until)]

    def _history(
        self, resource_type: str, name: str, since: datetime | None, until: datetime | None
    ) -> Iterator[dict[str, Any]]:
        window: dict[str, Any] = {"earlierTime": since} if since else {}
        window |= {"laterTime": until} if until else {}
        pages = self._client.get_paginator("get_resource_config_history")
        try:
            for page in pages.paginate(
                resourceType=resource_type, resourceId=self._id(resource_type, name), **window
            ):
                yield from page["configurationItems"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNKNOWN:
                raise

    def _id(self, resource_type: str, name: str) -> str:
        """Config's ID of a resource: not its name where the service gives it another, as IAM does."""
        answer = self._client.list_discovered_resources(
            resourceType=resource_type, resourceName=name, includeDeletedResources=True
        )
        return str(next((found["resourceId"] for found in answer["resourceIdentifiers"]), name))


def _item(found: dict[str, Any]) -> Item:
    return Item(
        captured=found["configurationItemCaptureTime"].astimezone(UTC),
        status=found.get("configurationItemStatus", ""),
        state={name: _read(found[name]) for name in _STATE if found.get(name)},
        event_ids=frozenset(found.get("relatedEvents") or ()),
    )


def _read(value: Any) -> Any:
    """``configuration`` is JSON as text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
