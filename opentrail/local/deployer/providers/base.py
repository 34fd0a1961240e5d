"""What every resource provider is, and what the engine hands it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from botocore.model import StructureShape

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.state import Made

Clients = Callable[[str], Any]  # service name -> boto3 client
Wanted = dict[str, Any]  # what one provider reads from the properties; only that provider knows its members

EVERYTHING: Final = frozenset({"*"})  # as ``replaced_by``: the service cannot change such a resource in place

_NAME_TAIL_LENGTH: Final = 12  # as long as the random part of CloudFormation's own names


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where one resource is being made, and by which clients."""

    clients: Clients
    account: str
    region: str
    partition: str
    stack_name: str
    logical_id: str
    seed: str  # differs for every resource ever made, the same in a repeated run

    def client(self, service: str) -> Any:
        """Return the boto3 client for a service."""
        return self.clients(service)

    def shape(self, service: str, operation: str) -> StructureShape:
        """Return botocore's input shape of an operation."""
        shape = self.client(service).meta.service_model.operation_model(operation).input_shape
        assert isinstance(shape, StructureShape)
        return shape

    def name(self, limit: int) -> str:
        """Return a generated physical name: stack, logical id and a tail, at most ``limit`` characters.

        The tail comes from the seed and not from chance, so two runs of the
        same deployments give the same names.
        """
        tail = b32encode(hashlib.sha256(self.seed.encode()).digest()).decode()[:_NAME_TAIL_LENGTH]
        room = limit - _NAME_TAIL_LENGTH - 1
        logical_id = self.logical_id[: max(room // 2, room - len(self.stack_name) - 1)]
        stack_name = self.stack_name[: room - len(logical_id) - 1]
        return f"{stack_name}-{logical_id}-{tail}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


class Provider(ABC):
    """Makes, changes and deletes resources of one type.

    ``read`` is pure; the engine refuses the resource when ``read`` left a
    property unread, before any call is made. After ``create`` the engine
    calls ``settle`` with ``before=None``; an update is ``settle`` with what
    was wanted before; a rollback is ``settle`` with the two exchanged. So
    each setting has one place, and every call in ``settle`` must be one that
    can be repeated. Errors of the service (``ClientError``) go to the engine.
    """

    type_name: ClassVar[str]
    replaced_by: ClassVar[frozenset[str]] = frozenset()  # properties whose change makes a new resource

    @abstractmethod
    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return what the properties ask for, in the form the service takes it."""

    @abstractmethod
    def create(self, wanted: Wanted, site: Site) -> Made:
        """Make the resource, and nothing that could fail after it exists."""

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:  # noqa: B027
        """Bring everything else about the resource from ``before`` to ``wanted``."""

    @abstractmethod
    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the resource; the engine takes a "not found" of the service as success."""


def retag(
    before: Wanted | None,
    wanted: Wanted,
    *,
    add: Callable[[dict[str, str]], Any],
    remove: Callable[[list[str]], Any],
) -> None:
    """Call ``add`` and ``remove`` so that the tags of ``before["tags"]`` become ``wanted["tags"]``.

    Either is called only when there is something for it to do.
    """
    old = (before or {}).get("tags", {})
    gone = sorted(old.keys() - wanted["tags"].keys())
    fresh = {key: value for key, value in wanted["tags"].items() if old.get(key) != value}
    if gone:
        remove(gone)
    if fresh:
        add(fresh)


def tag_list(tags: dict[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return tags in the list form most services take."""
    return [{key: name, value: text} for name, text in tags.items()]
