"""Calls that an AWS service makes itself, marked where no client can write.

Source: CloudTrail user guide, "CloudTrail userIdentity element" (AWSService, invokedBy)
and "CloudTrail record contents" (sourceIPAddress and userAgent of such calls are the
service's DNS name).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from opentrail.local.transport import Clients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from opentrail.local.runtime import Runtime

INVOKED_BY = "opentrail.invoked_by"  # a key of the WSGI environment; headers become HTTP_ keys
LAMBDA = "lambda.amazonaws.com"


def as_service(app: WSGIApplication, service: str) -> WSGIApplication:
    """Return ``app`` for the calls of ``service``: the gateway records them as its own."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, INVOKED_BY: service}, start_response)

    return call


def service_clients(runtime: Runtime, service: str) -> Clients:
    """Return clients whose calls go through ``runtime``'s gateway and are recorded as ``service``'s."""
    return Clients(
        as_service(runtime, service),
        account=runtime.options.account,
        region=runtime.options.region,
        endpoint=lambda: runtime.endpoint,
    )


def invoking_service(environ: Mapping[str, Any]) -> str:
    """The service that makes a request, or "" for a client's."""
    return str(environ.get(INVOKED_BY, ""))
