"""Many objects from S3 at once, with little work per object.

boto3 spends two milliseconds of processor time on each GetObject, most of what
a verifier would spend altogether. Here a request is a dozen lines over
``http.client``, signed as the Signature Version 4 guide says ("Authenticating
Requests: Using the Authorization Header"), each thread with a connection of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from opentrail.errors import StorageError

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.2  # before the second attempt; each further pause is twice as long
TIMEOUT_SECONDS = 60
PIECE_BYTES = 1 << 16
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_ABSENT = ("NoSuchKey", "NoSuchBucket")


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials as of now, and the S3 endpoint they are for."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    region: str
    endpoint: str  # "https://s3.eu-west-1.amazonaws.com"
    ca_bundle: str = ""  # a file of trusted certificates, for HTTPS; "" = the system's


class Connection:
    """One kept-alive connection. Not for two threads at once."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._http: http.client.HTTPConnection | None = None

    @contextmanager
    def get(self, bucket: str, key: str) -> Iterator[http.client.HTTPResponse | None]:
        """Begin to read an object; ``None`` when it, or its bucket, is not there.

        Raises:
            StorageError: S3 refused, or did not answer after several attempts.
        """
        answer = self._ask(f"/{bucket}/{quote(key, safe='/-_.~')}")
        try:
            yield answer
            if answer is not None and answer.length:  # http.client takes an early end for the end
                raise http.client.IncompleteRead(b"", answer.length)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise StorageError(f"get s3://{bucket}/{key}: {error}") from error
        finally:
            if answer is not None and not answer.isclosed():
                self.close()  # half read: the connection is of no further use

    def close(self) -> None:
        """Hang up."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _ask(self, path: str) -> http.client.HTTPResponse | None:
        problem, code = "", ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                answer = self._send(path)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem, code = str(error) or type(error).__name__, ""
                continue
            if answer.status == http.client.OK:
                return answer
            code = _error_code(answer.read()) or str(answer.status)
            if code in _ABSENT:
                return None
            problem = f"{answer.status} {code}"
            if answer.status < 500 and code not in ("SlowDown", "RequestTimeout", "429"):
                break
        raise StorageError(f"get s3:/{path}: {problem}", code)

    def _send(self, path: str) -> http.client.HTTPResponse:
        if self._http is None:
            self._http = _connect(self._login)
        self._http.request("GET", path, headers=sign(self._login, path, datetime.now(UTC)))
        return self._http.getresponse()


def read_pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body in pieces of at most ``PIECE_BYTES``."""
    while piece := answer.read(PIECE_BYTES):
        yield piece


def sign(login: Login, path: str, now: datetime) -> dict[str, str]:
    """The headers of one signed GET of ``path`` (already quoted; no query)."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": urlsplit(login.endpoint).netloc,
        "x-amz-content-sha256": _EMPTY_SHA256,
        "x-amz-date": moment,
    }
    if login.token:
        headers["x-amz-security-token"] = login.token
    names = ";".join(headers)  # written above in the order that is asked for: sorted
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{path}\n\n{lines}\n{names}\n{_EMPTY_SHA256}"
    scope = f"{moment[:8]}/{login.region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(_day_key(login.secret_key, moment[:8], login.region), text.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={login.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature.hexdigest()}"
    )
    return headers


@lru_cache(maxsize=8)
def _day_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return key


def _connect(login: Login) -> http.client.HTTPConnection:
    place = urlsplit(login.endpoint)
    if place.scheme == "http":
        return http.client.HTTPConnection(place.netloc, timeout=TIMEOUT_SECONDS)
    context = ssl.create_default_context(cafile=login.ca_bundle or None)
    return http.client.HTTPSConnection(place.netloc, timeout=TIMEOUT_SECONDS, context=context)


def _error_code(body: bytes) -> str:
    """What stands in ``<Code>`` of S3's error document."""
    return body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode("ascii", "replace")
