"""What the operating verbs share: which deployment, and how they fail."""

from __future__ import annotations

import click
from botocore.exceptions import BotoCoreError, ClientError

UNREACHABLE = (BotoCoreError, ClientError)

prefix_option = click.option(
    "--name-prefix", default="OpenTrail", show_default=True, help="The deployment's option namePrefix."
)


class UncheckedError(click.ClickException):
    """It could not be found out."""

    exit_code = 2
