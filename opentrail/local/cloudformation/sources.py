"""A call's template: TemplateBody or TemplateURL, JSON or YAML -> the template as JSON gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from botocore.exceptions import ClientError

from opentrail.local.cloudformation.wire import Refusal

ReadObject = Callable[[str, str], bytes]  # bucket, key -> the object; ClientError when S3 refuses

MAX_BODY_BYTES = 51_200  # CloudFormation quotas: a template in the request
MAX_OBJECT_BYTES = 1_048_576  # and one in S3
_VIRTUAL_HOST = re.compile(
    r"(?P<bucket>.+)\.s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?(:\d+)?|.+\.s3\.localhost.*"
)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: ``!Ref x`` is ``{"Ref": "x"}``."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def read_source(parameters: Mapping[str, Any], read_object: ReadObject) -> tuple[str, dict[str, Any]] | None:
    """Return a call's template as text and parsed, or None when it gives none.

    Raises:
        Refusal: both or a malformed one were given, or S3 refuses to give it.
    """
    body, url = parameters.get("TemplateBody"), parameters.get("TemplateURL")
    if body and url:
        raise Refusal("Either Template URL or Template Body must be specified.")
    if url:
        body = _fetch(str(url), read_object)
    elif body and len(body.encode()) > MAX_BODY_BYTES:
        raise Refusal(
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_BODY_BYTES}"
        )
    return (str(body), parse_source(str(body))) if body else None


def parse_source(text: str) -> dict[str, Any]:
    """Return a template's text as JSON would give it.

    Raises:
        Refusal: it is neither JSON nor YAML, or no object.
    """
    try:
        value = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)
    except (ValueError, yaml.YAMLError) as error:
        raise Refusal(f"Template format error: {str(error).splitlines()[0]}") from error
    if not isinstance(value, dict):
        raise Refusal("Template format error: unsupported structure.")
    plain: dict[str, Any] = _plain(value)
    return plain


def locate(url: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URL, path style or virtual host.

    Raises:
        Refusal: it names no object.
    """
    parts = urlsplit(url)
    path = unquote(parts.path.lstrip("/"))
    host = _VIRTUAL_HOST.fullmatch(parts.netloc)
    if host:
        return host["bucket"] or parts.netloc.partition(".s3.")[0], path
    bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise Refusal("TemplateURL must be a supported URL.")
    return bucket, key


def _fetch(url: str, read_object: ReadObject) -> str:
    try:
        body = read_object(*locate(url))
    except ClientError as error:
        found = error.response["Error"]
        raise Refusal(f"S3 error: {found.get('Message', found.get('Code'))}") from error
    if len(body) > MAX_OBJECT_BYTES:
        raise Refusal(f"Template may not exceed {MAX_OBJECT_BYTES} bytes in size.")
    return body.decode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """YAML's dates back to text, and every key a text: JSON has no others."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
