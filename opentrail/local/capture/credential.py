"""What a request says about its signer: access key, Region and signing name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from opentrail.local.capture.wire import Wire

SIGV4 = re.compile(r"Credential=\s*([^,\s]+)")
SIGV2 = re.compile(r"^AWS\s+([^:\s]+):")
TERMINATOR = "aws4_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """The credential scope of a request; every field is empty when it was not signed.

    ``method`` is CloudTrail's word for where the signature was: ``AuthHeader``
    or ``QueryString`` (S3's ``additionalEventData.AuthenticationMethod``).
    """

    access_key: str = ""
    region: str = ""
    signing_name: str = ""
    version: str = ""  # "SigV4", "SigV2"
    method: str = ""


ANONYMOUS = Credential()


def read_credential(wire: Wire) -> Credential:
    """Read the scope from the Authorization header or a presigned query string.

    Source: IAM user guide, "Elements of an AWS API request signature" (SigV4, and
    SigV4a whose scope has no Region); S3 developer guide for SigV2.
    """
    header = wire.headers.get("authorization", "")
    if header:
        return _from_header(header)
    if "X-Amz-Credential" in wire.query or "AWSAccessKeyId" in wire.query:
        return _from_query(parse_qs(wire.query))
    return ANONYMOUS


def _from_header(header: str) -> Credential:
    if match := SIGV4.search(header):
        return _from_scope(match[1], "AuthHeader")
    if match := SIGV2.match(header):
        return Credential(access_key=match[1], signing_name="s3", version="SigV2", method="AuthHeader")
    return ANONYMOUS


def _from_query(values: dict[str, list[str]]) -> Credential:
    if scope := values.get("X-Amz-Credential"):
        return _from_scope(scope[0], "QueryString")
    if key := values.get("AWSAccessKeyId"):
        return Credential(access_key=key[0], signing_name="s3", version="SigV2", method="QueryString")
    return ANONYMOUS


def _from_scope(scope: str, method: str) -> Credential:
    parts = scope.split("/")
    if len(parts) < 4 or parts[-1] != TERMINATOR:
        return ANONYMOUS
    region = parts[-3] if len(parts) >= 5 else ""
    return Credential(
        access_key=parts[0], region=region, signing_name=parts[-2].lower(), version="SigV4", method=method
    )
