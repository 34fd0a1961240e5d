"""``opentrail status``: what a running ``opentrail up`` did and has."""

from __future__ import annotations

import json

import click

from opentrail.cli._endpoint import call_admin, endpoint_option


@click.command()
@endpoint_option
def command(endpoint: str) -> None:
    """Print counters, queues, workers, schedules and stack outputs as JSON.

    Exit code 2: nothing answers.
    """
    click.echo(json.dumps(call_admin("GET", endpoint, "status"), indent=2))
