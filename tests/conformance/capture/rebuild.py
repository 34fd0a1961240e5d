"""A real record -> the boto3 call that made it. Knows nothing of how OpenTrail spells."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.loaders import create_loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

HIDDEN = ("HIDDEN_DUE_TO_SECURITY_REASONS", "****", "<sensitiveDataRemoved>")
SERVICES = {
    "monitoring": ["cloudwatch"],
    "elasticloadbalancing": ["elbv2", "elb"],
    "s3": ["s3", "s3control"],
    "states": ["stepfunctions"],
    "elasticfilesystem": ["efs"],
    "elasticmapreduce": ["emr"],
    "tagging": ["resourcegroupstaggingapi"],
    "servicequotas": ["service-quotas"],
    "es": ["es", "opensearch"],
    "apigateway": ["apigateway", "apigatewayv2"],
    "ses": ["ses", "sesv2"],
    "sso": ["sso-admin"],
    "kinesisanalytics": ["kinesisanalytics", "kinesisanalyticsv2"],
    "access-analyzer": ["accessanalyzer"],
    "bedrock": ["bedrock", "bedrock-runtime", "bedrock-agent"],
    "cassandra": ["keyspaces"],
    "dynamodb": ["dynamodb", "dynamodbstreams"],
}
OPERATIONS = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "GetBucketObjectLockConfiguration": "GetObjectLockConfiguration",
    "GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "DeleteBucketPublicAccessBlock": "DeletePublicAccessBlock",
    "GetAccountPublicAccessBlock": "GetPublicAccessBlock",
    "PutAccountPublicAccessBlock": "PutPublicAccessBlock",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
}
ACCOUNT_LEVEL = frozenset({"GetAccountPublicAccessBlock", "PutAccountPublicAccessBlock"})
VERSIONED = re.compile(r"^(\D+?)\d{8}(v\d+)?$")
DATE_FORMS = (
    "%b %d, %Y, %I:%M:%S %p",
    "%b %d, %Y %I:%M:%S %p",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """A call to make again."""

    service: str
    operation: str
    parameters: dict[str, Any]
    unused: list[str]  # members of the record that no parameter of the API explains


@cache
def model(service: str) -> ServiceModel:
    """The service's model."""
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


@cache
def known_services() -> frozenset[str]:
    """Every service botocore has."""
    return frozenset(create_loader().list_available_services("service-2"))


def find_operation(source: str, name: str) -> tuple[str, str] | None:
    """botocore's service and operation of an event name, or None."""
    label = source.partition(".")[0]
    operation = VERSIONED.sub(r"\1", OPERATIONS.get(name, name))
    services = SERVICES.get(label, [label])
    if name in ACCOUNT_LEVEL:
        services = ["s3control"]
    for service in services:
        if service in known_services() and operation in model(service).operation_names:
            return service, operation
    return None


def rebuild(record: Mapping[str, Any]) -> Rebuilt | None:
    """The call, or None when botocore does not know the operation or the record is damaged."""
    found = find_operation(record["eventSource"], record["eventName"])
    parameters = record.get("requestParameters")
    if found is None or not (parameters is None or isinstance(parameters, dict)):
        return None
    service, operation = found
    shape = model(service).operation_model(operation).input_shape
    parameters = _unwrap(operation, parameters or {})
    if operation == "ListObjects" and "list-type" in parameters:
        operation = "ListObjectsV2"
        shape = model(service).operation_model(operation).input_shape
    builder = _Builder()
    built = builder.structure(shape, parameters) if shape is not None else {}
    if "sAMLAssertionID" in parameters:
        built["SAMLAssertion"] = _assertion(parameters)
    if shape is not None:
        _fill_required(shape, built)
    return Rebuilt(service=service, operation=operation, parameters=built, unused=builder.unused)


def _assertion(parameters: Mapping[str, Any]) -> str:
    """A SAML assertion with the facts that a record of its use shows."""
    namespace = "https://aws.amazon.com/SAML/Attributes"
    attributes = {
        f"{namespace}/RoleSessionName": parameters["roleSessionName"],
        f"{namespace}/Role": f"{parameters['roleArn']},{parameters['principalArn']}",
    }
    stated = "".join(
        f'<a:Attribute Name="{name}"><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>'
        for name, value in attributes.items()
    )
    document = (
        '<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"'
        ' xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">'
        f'<a:Assertion ID="{parameters["sAMLAssertionID"]}"><a:Issuer>issuer</a:Issuer>'
        f"<a:Subject><a:NameID>{parameters['roleSessionName']}</a:NameID></a:Subject>"
        f"<a:AttributeStatement>{stated}</a:AttributeStatement></a:Assertion></p:Response>"
    )
    return base64.b64encode(document.encode()).decode()


def _unwrap(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    inner = parameters.get(f"{operation}Request", parameters)
    if not isinstance(inner, dict):
        return {}
    if operation == "RunInstances":
        items = inner.get("instancesSet", {}).get("items", [{}])
        return {
            **{k: v for k, v in inner.items() if k not in ("instancesSet", "tenancy")},
            **items[0],
            **({"placement": {"tenancy": inner["tenancy"]}} if "tenancy" in inner else {}),
        }
    return {**inner, **inner.get("accessControlList", {})} if "Host" in inner else inner


def squash(name: str) -> str:
    """A name without case, dashes and the words that mark a list."""
    plain = re.sub(r"[-_]", "", name).lower()
    for suffix in ("set", "list", "ies", "s"):
        if plain.endswith(suffix) and len(plain) > len(suffix) + 1 and not plain.endswith("address"):
            plain = plain[: -len(suffix)] + ("y" if suffix == "ies" else "")
    return plain


IGNORED = frozenset({"Host", "xmlns", "acl"})
SYNONYMS = {
    "user": ("executableuser", "restorablebyuserid"),
    "executableby": ("executableuser",),
    "sharedusers": ("restorablebyuserid",),
    "shareduser": ("restorablebyuserid",),
    "owner": ("ownerid",),
    "instance": ("instanceid",),
    "image": ("imageid",),
    "volume": ("volumeid",),
    "vpc": ("vpcid",),
    "subnet": ("subnetid",),
    "snapshot": ("snapshotid",),
    "key": ("keyname",),
    "availabilityzone": ("zonename",),
    "availabilityzoneid": ("zoneid",),
    "securitygroup": ("groupname",),
    "securitygroupid": ("groupid",),
    "placementgroup": ("groupname",),
    "placementgroupid": ("groupid",),
    "accountattributename": ("attributename",),
    "region": ("regionname",),
    "resource": ("resourceid", "resource"),
    "aclprotocol": ("protocol",),
    "bucketname": ("bucket",),
    "groupdescription": ("description",),
    "bucketpolicy": ("policy",),
    "encodingtype": ("encodingtype",),
}


class _Builder:
    """Inverts spellings: matches the record's names to the model's without regard to case."""

    def __init__(self) -> None:
        self.unused: list[str] = []

    def value(self, shape: Shape, value: Any) -> Any:
        if isinstance(shape, StructureShape):
            return self.structure(shape, value) if isinstance(value, dict) else {}
        if isinstance(shape, ListShape):
            return self.list(shape, value)
        if isinstance(shape, MapShape):
            return self.map(shape, value)
        return _scalar(shape, value)

    def structure(self, shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for name, item in value.items():
            member = self.member(shape, name)
            if member is None:
                self.unused.append(name)
            elif item is not None:
                self._put(built, shape, member, item)
        return built

    def _put(self, built: dict[str, Any], shape: StructureShape, member: str, item: Any) -> None:
        value = self.value(shape.members[member], item)
        if shape.members[member].serialization.get("location") == "uri" and isinstance(value, str):
            value = unquote(value)
        empty_set = item == {} and isinstance(shape.members[member], ListShape)
        if value is not None and not empty_set and not (member in built and item == ""):
            built[member] = value

    def member(self, shape: StructureShape, name: str) -> str | None:
        wanted = [re.sub(r"[-_]", "", name).lower()]
        if name in IGNORED:
            return None
        exact = {re.sub(r"[-_]", "", alias).lower(): member for member, alias in _aliases(shape)}
        if wanted[0] in exact:
            return exact[wanted[0]]
        loose = {squash(alias): member for member, alias in _aliases(shape)}
        for candidate in (squash(name), *SYNONYMS.get(squash(name), ()), *SYNONYMS.get(wanted[0], ())):
            if candidate in loose:
                return loose[candidate]
        return None

    def list(self, shape: ListShape, value: Any) -> list[Any] | None:
        member = shape.member
        items = _items(value, member.serialization.get("name", ""))
        scalar = not isinstance(member, StructureShape | ListShape | MapShape)
        built = []
        for item in items:
            if scalar and isinstance(item, dict):
                item = item.get("content", next((v for k, v in item.items() if k != "tag"), None))
            elif isinstance(item, dict):
                item = {k: v for k, v in item.items() if k not in ("tag", "xmlns")}
            built.append(self.value(member, item))
        return built

    def map(self, shape: MapShape, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            return {}
        return {key: self.value(shape.value, item) for key, item in value.items()}


def _aliases(shape: StructureShape) -> list[tuple[str, str]]:
    pairs = []
    for member, inner in shape.members.items():
        pairs.append((member, member))
        if "name" in inner.serialization:
            pairs.append((member, inner.serialization["name"]))
    return pairs


def _items(value: Any, member: str) -> list[Any]:
    if isinstance(value, dict):
        for key in ("items", "item", member):
            if key in value:
                return value[key] if isinstance(value[key], list) else [value[key]]
        return [] if not value else [value]
    return value if isinstance(value, list) else [value]


def _scalar(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "timestamp":
        return _date(value)
    if kind == "blob":
        return b"data"
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind in ("integer", "long"):
        return int(value) if str(value).lstrip("-").isdigit() else 1
    if kind in ("float", "double"):
        return float(value)
    return _text(shape, value)


def _text(shape: Shape, value: Any) -> str:
    if value in HIDDEN:
        return "Secret-value-1"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def _date(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    for form in DATE_FORMS:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return datetime(2026, 1, 1, tzinfo=UTC)


def _fill_required(shape: StructureShape, built: dict[str, Any]) -> None:
    """Members the API demands and no record shows (secrets, bodies)."""
    for member in shape.required_members:
        if member not in built:
            built[member] = _sample(shape.members[member])


def _sample(shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        built: dict[str, Any] = {}
        _fill_required(shape, built)
        return built
    if isinstance(shape, ListShape):
        return []
    if isinstance(shape, MapShape):
        return {}
    samples = {
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "blob": b"data",
        "boolean": False,
        "integer": 1,
        "long": 1,
    }
    return samples.get(shape.type_name, _word(shape))


def _word(shape: Shape) -> str:
    options = shape.metadata.get("enum")
    return options[0] if options else "x" * max(8, int(shape.metadata.get("min", 0)))
