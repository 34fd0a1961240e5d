"""``opentrail trail``: the first trail of a deployment."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployment import find_deployment
from opentrail.adapters.aws.first_trail import CREATED, FINISHED, KEPT, FirstTrail, Outcome, make_first_trail
from opentrail.cli._deployment import UNREACHABLE, UncheckedError, own_cloudtrail, prefix_option
from opentrail.errors import StorageError

_SAID = {
    CREATED: "created, and logging: {arn}",
    FINISHED: "was there and never started; it is logging now: {arn}",
    KEPT: "was there before and stays as it is: {arn}",
}


@click.group("trail")
def command() -> None:
    """Make the trail that a new deployment records into."""


@command.command("create")
@click.option("--default", "default", is_flag=True, required=True, help="The deployment's own trail.")
@click.option("--name", help="Another name than the deployment's option trailName.")
@click.option("--single-region", is_flag=True, help="Record this Region alone.")
@click.option("--organization", is_flag=True, help="Record every account of the organization.")
@click.option("--json", "as_json", is_flag=True, help="What was done, as JSON.")
@prefix_option
def create(
    default: bool, name: str | None, single_region: bool, organization: bool, as_json: bool, name_prefix: str
) -> None:
    """Create the deployment's first trail and start it: from then on, calls become log files.

    All management events of all Regions, with digests, into the deployment's log bucket; what
    else is in it is said by the options trailName, trailDataTypes and trailInsights of `cdk deploy`.
    Run it as often as you like: a trail that is there stays as it is, and its differences are named.

    Any other trail: `aws cloudtrail create-trail`.

    Exit code 1: refused. 2: no deployment, or nothing answers.
    """
    changes: dict[str, Any] = {"Name": name} if name else {}
    changes |= {"IsMultiRegionTrail": False} if single_region else {}
    changes |= {"IsOrganizationTrail": True} if organization else {}
    try:
        deployment = find_deployment(client, name_prefix)
        wanted = FirstTrail.of(deployment.outputs, **changes)
        outcome = _make(own_cloudtrail(deployment), wanted)
    except (StorageError, *UNREACHABLE) as error:
        raise UncheckedError(str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(outcome), indent=2))
        return
    click.echo(f"trail {wanted.request['Name']} {_SAID[outcome.done].format(arn=outcome.arn)}")
    for difference in outcome.differences:
        click.echo(f"  {difference}")


def _make(cloudtrail: Any, wanted: FirstTrail) -> Outcome:
    try:
        return make_first_trail(cloudtrail, wanted)
    except StorageError as error:
        if error.code:  # CloudTrail's own refusal
            raise click.ClickException(str(error)) from error
        raise
