"""The anchor of a deployment, for the verbs that hold a chain to it."""

from __future__ import annotations

from typing import Any

import click

from opentrail.adapters.aws.anchor import DynamoAnchor
from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployment import storage_output
from opentrail.cli._deployment import prefix_option
from opentrail.errors import StorageError
from opentrail.model.event import Place

TABLE_OUTPUT = "AnchorTableName"

table_option = click.option(
    "--anchor-table", help="The anchor's table (default: that of the deployment, where there is one)."
)


def anchor_options(command: Any) -> Any:
    """Which anchor, as a decorator of a command."""
    return table_option(prefix_option(command))


def find_anchor(options: dict[str, Any], trail_arn: str) -> DynamoAnchor:
    """The anchor that was named, or else that of the deployment in the trail's home Region.

    Raises:
        StorageError: none was named, and no deployment was found.
    """
    region = trail_arn.split(":")[3]
    table = options["anchor_table"] or storage_output(
        lambda service: client(service, region), options["name_prefix"], TABLE_OUTPUT
    )
    return DynamoAnchor(client("dynamodb", region), table)


def try_anchor(options: dict[str, Any], trail_arn: str) -> tuple[DynamoAnchor | None, str]:
    """The anchor, or why there is none to hold a trail to: CloudTrail's own trails have none."""
    try:
        return find_anchor(options, trail_arn), ""
    except StorageError as error:
        return None, f"not held to anchored heads: {error}"


def anchored_places(anchor: DynamoAnchor | None, trail_arn: str) -> frozenset[Place]:
    """The accounts and Regions of which the trail has anchored heads."""
    heads = anchor.newest() if anchor is not None else []
    chains = (head.chain_id.split("#") for head in heads)
    return frozenset(Place(account, region) for arn, account, region in chains if arn == trail_arn)
