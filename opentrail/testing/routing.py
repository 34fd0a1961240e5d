"""While a test runs, every request to AWS that botocore would send goes into a WSGI application.

The one place where all clients meet, whenever and by whom they were made, is
``URLLib3Session.send``. moto's own interception steps aside for that time, so clients
under ``mock_aws`` are recorded like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from moto import mock_aws
from moto.core.models import botocore_stubber

from opentrail.local.transport import send_request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")


@contextmanager
def routed(app: WSGIApplication, environment: dict[str, str]) -> Iterator[None]:
    """Send all of botocore's requests for AWS to ``app``; other hosts are reached as ever.

    Args:
        app: answers.
        environment: set over the process's own, from which AWS's variables are taken away.

    A ``mock_aws`` inside the block keeps what is there: moto starts afresh only with the
    outermost one, which is ours unless the block is already inside another.
    """
    original = URLLib3Session.send

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        if is_aws(request.url):
            return send_request(app, request)
        answer: AWSResponse = original(session, request)
        return answer

    with (
        _environment(environment),
        mock_aws(),
        patch.object(botocore_stubber, "enabled", False),
        patch.object(URLLib3Session, "send", send),
    ):
        yield


def is_aws(url: str) -> bool:
    """Does the host of ``url`` belong to AWS?"""
    return (urlsplit(url).hostname or "").endswith(AWS_DOMAINS)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, {**kept, **changes}, clear=True):
        yield
