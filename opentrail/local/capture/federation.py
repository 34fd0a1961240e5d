"""Callers that sign with a token of somebody else: web identities and SAML users.

Source: CloudTrail user guide, "userIdentity examples" (WebIdentityUser, SAMLUser);
IAM user guide, "Available keys for SAML-based federation" (saml:namequalifier).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from opentrail.local.call import Caller
from opentrail.local.capture.resources import owner_of_arn
from opentrail.local.capture.spelling import Convert
from opentrail.local.capture.xml_json import xml_to_json

WEB_IDENTITY = "AssumeRoleWithWebIdentity"
SAML = "AssumeRoleWithSAML"
# Providers that IAM knows by name; every other one is an OIDC provider of the account.
# Source: IAM user guide, "Available keys for AWS web identity federation".
KNOWN_PROVIDERS = frozenset(
    {"accounts.google.com", "www.amazon.com", "graph.facebook.com", "cognito-identity.amazonaws.com"}
)
ROLE_SESSION_NAME = "https://aws.amazon.com/SAML/Attributes/RoleSessionName"


def federated_caller(operation: str, parameters: Mapping[str, Any]) -> Caller | None:
    """The caller of one of STS's two unsigned operations, or None for another operation."""
    account = owner_of_arn(str(parameters.get("RoleArn", "")))
    if operation == WEB_IDENTITY:
        return Caller(account=account, arn="", access_key="", identity=_web_identity(parameters, account))
    if operation == SAML:
        return Caller(account=account, arn="", access_key="", identity=_saml_user(parameters, account))
    return None


def saml_parameters(convert: Convert, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AssumeRoleWithSAML's parameters: the assertion's id and session name, never the assertion."""
    document = _saml_document(str(parameters.get("SAMLAssertion", "")))
    asked = {name: value for name, value in parameters.items() if name != "SAMLAssertion"}
    spelled: dict[str, Any] = {
        "sAMLAssertionID": str(_find(document, "Assertion").get("ID", "")),
        **convert(asked),
    }
    session = _attribute(document, ROLE_SESSION_NAME)
    return {**spelled, "roleSessionName": session} if session else spelled


def with_claims(answer: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AssumeRoleWithWebIdentity's answer: whom the token names, who issued it and for whom.

    Source: IAM user guide, "Logging IAM and AWS STS API calls" (AssumeRoleWithWebIdentity).
    """
    claims = _claims(str(parameters.get("WebIdentityToken", "")))
    for name, claim in (("subjectFromWebIdentityToken", "sub"), ("audience", "aud")):
        if isinstance(claims.get(claim), str):
            answer.setdefault(name, claims[claim])
    account = owner_of_arn(str(parameters.get("RoleArn", "")))
    if provider := _provider(parameters, claims, account):
        answer.setdefault("provider", provider)
    return answer


def _provider(parameters: Mapping[str, Any], claims: Mapping[str, Any], account: str) -> str:
    issuer = str(parameters.get("ProviderId") or claims.get("iss", "")).removeprefix("https://")
    if not issuer or issuer in KNOWN_PROVIDERS:
        return issuer
    return f"arn:aws:iam::{account}:oidc-provider/{issuer}"


def _attribute(document: dict[str, Any], name: str) -> str:
    attributes = _find_value(document, "AttributeStatement") or {}
    listed = _find_all(attributes, "Attribute")
    return next((_text(_find_value(a, "AttributeValue")) for a in listed if a.get("Name") == name), "")


def _find_all(node: Any, name: str) -> list[dict[str, Any]]:
    found = (
        [value for key, value in node.items() if key.rpartition(":")[2] == name]
        if isinstance(node, dict)
        else []
    )
    return [
        item
        for value in found
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, dict)
    ]


def _web_identity(parameters: Mapping[str, Any], account: str) -> dict[str, Any]:
    claims = _claims(str(parameters.get("WebIdentityToken", "")))
    issuer = _provider(parameters, claims, account)
    subject = str(claims.get("sub", ""))
    return {
        "type": "WebIdentityUser",
        "principalId": f"{issuer}:{claims.get('aud', '')}:{subject}",
        "userName": subject,
        "identityProvider": issuer,
    }


def _claims(token: str) -> dict[str, Any]:
    """A JSON web token's payload, unverified (moto takes any token); empty when it is none."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _saml_user(parameters: Mapping[str, Any], account: str) -> dict[str, Any]:
    document = _saml_document(str(parameters.get("SAMLAssertion", "")))
    subject = _text(_find(document, "NameID") or _find_value(document, "NameID"))
    issuer = _text(_find(document, "Issuer") or _find_value(document, "Issuer"))
    provider = str(parameters.get("PrincipalArn", "")).rpartition("/")[2]
    digest = hashlib.sha1(f"{issuer}{account}/{provider}".encode(), usedforsecurity=False).digest()
    qualifier = base64.b64encode(digest).decode()
    return {
        "type": "SAMLUser",
        "principalId": f"{qualifier}:{subject}",
        "userName": subject,
        "identityProvider": qualifier,
    }


def _saml_document(assertion: str) -> dict[str, Any]:
    try:
        return xml_to_json(base64.b64decode(assertion))
    except (ValueError, binascii.Error):
        return {}


def _find(node: Any, name: str) -> dict[str, Any]:
    """The first object of that local name, at any depth."""
    found = _find_value(node, name)
    return found if isinstance(found, dict) else {}


def _find_value(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return next((found for item in node if (found := _find_value(item, name))), None)
    if not isinstance(node, dict):
        return None
    for key, value in node.items():
        if key.rpartition(":")[2] == name:
            return value[0] if isinstance(value, list) else value
    return next((found for value in node.values() if (found := _find_value(value, name))), None)


def _text(value: Any) -> str:
    return str(value.get("content", "")) if isinstance(value, dict) else str(value or "")
