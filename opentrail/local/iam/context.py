"""A call -> the condition keys that policies may ask for.

Source: IAM user guide, "AWS global condition context keys"; Service Authorization Reference
for the keys of the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.format.times import to_iso
from opentrail.local.call import Call

Keys = dict[str, list[str]]


def context_of(call: Call) -> Keys:
    """Return the values of every key this laptop knows, by lower-case name.

    The laptop's plain HTTP never leaves the machine, and counts as TLS: or every bucket that
    denies the rest would be shut.
    """
    identity = call.caller.identity
    keys: dict[str, Any] = {
        "aws:CurrentTime": to_iso(call.arrived),
        "aws:EpochTime": str(int(call.arrived.timestamp())),
        "aws:MultiFactorAuthPresent": _mfa(identity),
        "aws:PrincipalAccount": call.caller.account,
        "aws:PrincipalArn": principal_arn(call),
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": str(identity.get("type", "")),
        "aws:RequestedRegion": call.region,
        "aws:ResourceAccount": call.caller.account,
        "aws:SecureTransport": "true",
        "aws:SourceIp": call.source_ip,
        "aws:UserAgent": call.headers.get("user-agent"),
        "aws:ViaAWSService": "true" if "invokedBy" in identity else "false",
        "aws:CalledVia": identity.get("invokedBy"),
        "aws:userid": identity.get("principalId"),
        "aws:username": identity.get("userName"),
        "kms:CallerAccount": call.caller.account,
        "s3:TlsVersion": "1.3",
        **_own_keys(call),
    }
    plain = {name.lower(): [str(value)] for name, value in keys.items() if value is not None}
    tags = _request_tags(call.parameters)
    return {**plain, **tag_keys("aws:requesttag", tags), **({"aws:tagkeys": list(tags)} if tags else {})}


def tag_keys(key: str, tags: Mapping[str, str]) -> Keys:
    """Return the condition keys for tags: ``aws:requesttag/team``."""
    return {f"{key}/{name.lower()}": [value] for name, value in tags.items()}


def _request_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    given: Any = next((parameters[name] for name in ("Tags", "tags", "TagsList") if parameters.get(name)), {})
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    return dict(map(_pair, (one for one in given if isinstance(one, Mapping))))


def _pair(tag: Mapping[str, Any]) -> tuple[str, str]:
    return str(tag.get("Key", tag.get("TagKey"))), str(tag.get("Value", tag.get("TagValue", "")))


def principal_arn(call: Call) -> str:
    """Return the ARN policies mean by the caller: of a role session, the role's."""
    issuer = call.caller.identity.get("sessionContext", {}).get("sessionIssuer", {})
    is_role = call.caller.identity.get("type") == "AssumedRole"
    return str(issuer.get("arn") if is_role else call.caller.arn)


def _mfa(identity: Any) -> str | None:
    found: str | None = identity.get("sessionContext", {}).get("attributes", {}).get("mfaAuthenticated")
    return found


def _own_keys(call: Call) -> dict[str, Any]:
    parameters = call.parameters
    match call.service:
        case "s3":
            return {
                **{f"s3:{name}": value for name, value in call.headers.items() if name.startswith("x-amz-")},
                "s3:prefix": parameters.get("Prefix"),
                "s3:delimiter": parameters.get("Delimiter"),
                "s3:max-keys": parameters.get("MaxKeys"),
                "s3:VersionId": parameters.get("VersionId"),
            }
        case "sts":
            return {
                "sts:ExternalId": parameters.get("ExternalId"),
                "sts:RoleSessionName": parameters.get("RoleSessionName"),
                "sts:SourceIdentity": parameters.get("SourceIdentity"),
            }
        case "organizations":
            return {"organizations:ServicePrincipal": parameters.get("ServicePrincipal")}
        case "kms":
            return {
                "kms:SigningAlgorithm": parameters.get("SigningAlgorithm"),
                "kms:MessageType": parameters.get("MessageType"),
                "kms:KeySpec": parameters.get("KeySpec"),
                "kms:KeyUsage": parameters.get("KeyUsage"),
                **{
                    f"kms:EncryptionContext:{name}": value
                    for name, value in (parameters.get("EncryptionContext") or {}).items()
                },
            }
        case _:
            return {}
