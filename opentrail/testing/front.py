"""The endpoint that clients keep from test to test: it passes requests on to the test that runs.

Making a client takes longer than most calls, so clients outlive the runtime they were made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from opentrail.errors import OpenTrailError
from opentrail.local.transport import Clients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ACCESS_KEY = "testing"  # nobody's, so its holder is root
SECRET_KEY = "testing"


class Front:
    """A WSGI application that is another one for the length of a test."""

    def __init__(self) -> None:
        self._app: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            OpenTrailError: no test is running that asked for ``opentrail``.
        """
        if self._app is None:
            raise OpenTrailError("a client of the fixture `opentrail` was used when its test was over")
        return self._app(environ, start_response)

    @contextmanager
    def serving(self, app: WSGIApplication) -> Iterator[None]:
        """Be ``app`` inside the block.

        Raises:
            OpenTrailError: another one is being served; there is one AWS per process.
        """
        if self._app is not None:
            raise OpenTrailError("there is one AWS in a process, and the fixture `opentrail` has it already")
        self._app = app
        try:
            yield
        finally:
            self._app = None


FRONT = Front()


@cache
def root_clients(account: str, region: str) -> Clients:
    """Return the clients of callers who say nothing of themselves."""
    return Clients(
        FRONT,
        account=account,
        region=region,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        act_as_account=False,
    )


def clients_of(credentials: Mapping[str, str], account: str, region: str) -> Clients:
    """Return clients that sign with ``credentials``, spelled as IAM and STS answer them."""
    return Clients(
        FRONT,
        account=account,
        region=region,
        access_key=credentials["AccessKeyId"],
        secret_key=credentials["SecretAccessKey"],
        session_token=credentials.get("SessionToken"),
        act_as_account=False,
    )
