"""``opentrail flush``: everything recorded so far -> log files, now."""

from __future__ import annotations

import json

import click

from opentrail.cli._endpoint import call_admin, endpoint_option


@click.command()
@click.option("--digest", is_flag=True, help="Also close the digest window: one signed digest per chain.")
@endpoint_option
def command(digest: bool, endpoint: str) -> None:
    """Record, deliver and look for Insights now, and print the counts as JSON.

    Exit code 1: a function failed, or messages stay on a queue. 2: nothing answers.
    """
    counts = call_admin("POST", endpoint, "flush?digest=1" if digest else "flush")
    click.echo(json.dumps(counts))
    if counts.get("failed"):
        raise SystemExit(1)
