"""The options that name one chain, and the chain they name: shared by the verbs that read one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from opentrail.adapters.aws.audit_keys import KeyFile
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.cli._audit import find_place, locate, span_of
from opentrail.pipeline.validate import KeySource, Span

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def chain_options(*, trail_required: bool = True) -> Decorator:
    """The options, as a decorator of a command."""
    options = (
        click.option(
            "--public-keys",
            type=click.Path(path_type=Path),
            help="A kept answer of list-public-keys, as JSON.",
        ),
        click.option("--region", help="The Region whose chain it is (default: the trail's home)."),
        click.option("--account-id", help="The account whose chain it is (default: the trail's)."),
        click.option("--s3-prefix", default="", help="With --s3-bucket: the prefix there."),
        click.option("--s3-bucket", help="Where the digests are now, if not where the trail says."),
        click.option("--trail-arn", required=trail_required, help="The trail."),
    )

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in options:
            function = option(function)
        return function

    return add


def key_source(options: dict[str, Any], source: AuditSource) -> KeySource:
    """Public keys: the file's where one is given, else the endpoint's."""
    return KeyFile(options["public_keys"]) if options["public_keys"] else source


def open_chain(options: dict[str, Any], start: datetime, end: datetime) -> tuple[AuditSource, Span]:
    """Where the chain lies, and how to read it.

    Raises:
        OpenTrailError: no such trail, or no answer.
    """
    place = find_place(options["trail_arn"], options["account_id"], options["region"])
    source = AuditSource(client("s3"), client("cloudtrail", place.region))
    location = locate(source, options["trail_arn"], place.account, options["s3_bucket"], options["s3_prefix"])
    span = span_of(options["trail_arn"], location, place, start=start, end=end)
    return source, span
