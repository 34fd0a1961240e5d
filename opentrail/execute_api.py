"""Clients of CloudTrail, unchanged, against an OpenTrail API in AWS.

Such a client sends ``POST /`` and signs for ``cloudtrail``. API Gateway accepts only
signatures for ``execute-api``, and the route, ``/{Operation}``, is what an IAM policy
allows. So a request is given its path and signed anew, with the same credentials; which
Region's CloudTrail was meant goes into a signed header. ``opentrail.client`` and
``opentrail.register`` do that within boto3, ``opentrail proxy`` for everything else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest

from opentrail.errors import FormatError, SettingsError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.credentials import ReadOnlyCredentials

ENDPOINT_VARIABLE = "OPENTRAIL_API_URL"
REGION_HEADER = "X-OpenTrail-Region"  # read by lambdas/api
SIGNING_NAME = "execute-api"

# Answers of API Gateway itself, as CloudTrail would have said it: (status, code).
_OWN_ANSWERS = {
    403: (403, "AccessDeniedException"),
    404: (404, "UnknownOperationException"),
    413: (413, "RequestEntityTooLargeException"),
    429: (400, "ThrottlingException"),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is: ``url`` without a slash at the end, and the Region to sign for."""

    url: str
    region: str

    @classmethod
    def parse(cls, url: str = "", region: str = "") -> Endpoint:
        """Read the output ``ApiUrl`` of the stack OpenTrailApi.

        Args:
            url: empty takes it from the environment, OPENTRAIL_API_URL.
            region: needed when the host does not name it, as a domain name of one's own.

        Raises:
            SettingsError: there is no URL, or no Region in it.
        """
        url = (url or os.environ.get(ENDPOINT_VARIABLE, "")).rstrip("/")
        if not re.match(r"https?://[^/]", url):
            raise SettingsError(f"not the URL of an API: {url!r}; give it, or set {ENDPOINT_VARIABLE}")
        named = re.search(r"\.execute-api\.([a-z0-9-]+)\.", url)
        if not region and not named:
            raise SettingsError(f"{url} does not name its Region; give the Region, too")
        return cls(url, region or (named[1] if named else ""))


def client(session: Session, endpoint: str = "", *, region: str = "") -> Any:
    """Return ``session``'s client for CloudTrail, talking to the API at ``endpoint``.

    The client's own Region is the one whose trails it sees. Other clients of the session
    stay as they are.

    Raises:
        SettingsError: see ``Endpoint.parse``.
    """
    made = session.client("cloudtrail")
    _hook(made.meta.events, Endpoint.parse(endpoint, region))
    return made


def register(session: Session, endpoint: str = "", *, region: str = "") -> None:
    """Let every CloudTrail client that ``session`` makes from now on talk to the API at ``endpoint``.

    Raises:
        SettingsError: see ``Endpoint.parse``.
    """
    _hook(session.events, Endpoint.parse(endpoint, region))


def _hook(events: Any, endpoint: Endpoint) -> None:
    def before_sign(request: AWSRequest, region_name: str, operation_name: str, **_: Any) -> None:
        request.url = f"{endpoint.url}/{operation_name}"
        request.headers[REGION_HEADER] = region_name
        request.context["signing"] = {"region": endpoint.region, "signing_name": SIGNING_NAME}

    def before_parse(response_dict: dict[str, Any], **_: Any) -> None:
        status, body = as_cloudtrail(response_dict["status_code"], response_dict["body"])
        response_dict.update(status_code=status, body=body)

    events.register("before-sign.cloudtrail.*", before_sign)
    events.register("before-parse.cloudtrail.*", before_parse)


def sign_anew(
    endpoint: Endpoint,
    credentials: ReadOnlyCredentials,
    operation: str,
    headers: Mapping[str, str],
    body: bytes,
) -> AWSPreparedRequest:
    """The request for the route of ``operation``, signed with ``credentials``."""
    request = AWSRequest("POST", f"{endpoint.url}/{operation}", dict(headers), body)
    SigV4Auth(credentials, SIGNING_NAME, endpoint.region).add_auth(request)
    prepared: AWSPreparedRequest = request.prepare()
    return prepared


def as_cloudtrail(status: int, body: bytes) -> tuple[int, bytes]:
    """Status and body as CloudTrail's clients understand them; the function's own answers stay.

    API Gateway says ``{"message": "Forbidden"}``, without the ``__type`` that names the error.
    """
    if status < 400 or b'"__type"' in body:
        return status, body
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    message = said.get("message", "") if isinstance(said, dict) else ""
    shown, code = _OWN_ANSWERS.get(status, (status, "ServiceUnavailable"))
    return shown, json.dumps({"__type": code, "Message": str(message)}).encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """The Authorization header of a request signed with Signature Version 4."""

    access_key: str
    date: str  # "20261123"
    region: str
    service: str
    headers: tuple[str, ...]  # names, lower case, in order
    value: str  # hexadecimal

    @classmethod
    def parse(cls, authorization: str) -> Signature:
        """Read it.

        Raises:
            FormatError: it is not of this kind.
        """
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?"
            r"SignedHeaders=([a-z0-9;_-]+), ?Signature=([0-9a-f]{64})",
            authorization,
        )
        if not found:
            raise FormatError("the request is not signed with Signature Version 4")
        key, date, region, service, headers, value = found.groups()
        return cls(key, date, region, service, tuple(headers.split(";")), value)

    def is_of(self, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        """True when ``POST /`` with these headers (lower-case names) and body was signed with ``secret``.

        Source: IAM user guide, "Create a signed AWS API request".
        """
        signed = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in self.headers)
        canonical = "\n".join(
            ("POST", "/", "", signed, ";".join(self.headers), hashlib.sha256(body).hexdigest())
        )
        scope = f"{self.date}/{self.region}/{self.service}/aws4_request"
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                headers.get("x-amz-date", ""),
                scope,
                hashlib.sha256(canonical.encode()).hexdigest(),
            )
        )
        key = f"AWS4{secret}".encode()
        for part in (self.date, self.region, self.service, "aws4_request", text):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(key.hex(), self.value)
