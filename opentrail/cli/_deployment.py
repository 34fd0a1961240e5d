"""What the operating verbs share: which deployment, and how they fail."""

from __future__ import annotations

import os
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

import opentrail
from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployment import Deployment
from opentrail.errors import StorageError

UNREACHABLE = (BotoCoreError, ClientError)

prefix_option = click.option(
    "--name-prefix", default="OpenTrail", show_default=True, help="The deployment's option namePrefix."
)


# Of botocore's: where the laptop, or `opentrail proxy`, answers.
_ENDPOINTS = ("AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL")


def own_cloudtrail(deployment: Deployment) -> Any:
    """A client of the deployment's own API, not of AWS's: at the environment's endpoint, else by its output.

    Raises:
        StorageError: the deployment has no API.
    """
    if any(map(os.environ.get, _ENDPOINTS)):
        return client("cloudtrail")
    if "ApiUrl" not in deployment.outputs:
        raise StorageError("the deployment has no API: its stack OpenTrailApi is missing")
    return opentrail.client(boto3.Session(), deployment.outputs["ApiUrl"])


class UncheckedError(click.ClickException):
    """It could not be found out."""

    exit_code = 2
