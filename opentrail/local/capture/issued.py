"""What the gateway learns from STS's answers: the sessions that later calls will show.

moto gives every GetSessionToken and GetFederationToken the same constant
credentials, which no later call could be told apart by. Their answer gets fresh
credentials of the caller's account in their place.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from opentrail.format.times import to_iso
from opentrail.local.call import Call, Reply
from opentrail.local.capture.answer import failed, read_output
from opentrail.local.capture.operation import Target
from opentrail.local.capture.resources import owner_of_arn, partition_of
from opentrail.local.capture.sessions import Session, Sessions
from opentrail.local.service_calls import LAMBDA

ROLE_SESSIONS = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
CONSTANT_CREDENTIALS = frozenset({"GetFederationToken", "GetSessionToken"})


def learn(call: Call, target: Target, reply: Reply, sessions: Sessions) -> Reply:
    """Remember the session an STS call issued; the reply, with fresh credentials if need be."""
    if call.service != "sts" or failed(reply) or call.operation not in ROLE_SESSIONS | CONSTANT_CREDENTIALS:
        return reply
    if call.operation in CONSTANT_CREDENTIALS:
        reply = _with_fresh_credentials(call, target, reply)
    credentials = read_output(target, reply)["Credentials"]
    sessions.remember(credentials["AccessKeyId"], _session(call))
    return reply


def _session(call: Call) -> Session:
    asked = call.parameters
    role_account = owner_of_arn(str(asked.get("RoleArn", "")))
    return Session(
        kind=call.operation,
        account=role_account or call.caller.account,
        created=to_iso(call.arrived),
        mfa=bool(asked.get("TokenCode")),
        source_identity=str(asked.get("SourceIdentity", "")),
        federated_name=str(asked.get("Name", "")),
        federated_provider=_web_provider(call.caller.identity),
        session_name=str(asked.get("RoleSessionName", "")),
        role_arn=str(asked.get("RoleArn", "")),
        issuer=dict(call.caller.identity),
        in_scope_of=_scope(call, role_account),
    )


def _web_provider(identity: Mapping[str, Any]) -> str:
    """Who vouches for a web identity; sessions of SAML users do not name theirs."""
    return str(identity["identityProvider"]) if identity.get("type") == "WebIdentityUser" else ""


def _scope(call: Call, account: str) -> dict[str, str]:
    """What Lambda says of the sessions it starts: the function, whose name the session has.

    Source: CloudTrail user guide, "CloudTrail userIdentity element" (inScopeOf, since 1.11).
    """
    if call.caller.identity.get("invokedBy") != LAMBDA:
        return {}
    name = call.parameters.get("RoleSessionName", "")
    arn = f"arn:{partition_of(call.region)}:lambda:{call.region}:{account}:function:{name}"
    return {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn}


def _with_fresh_credentials(call: Call, target: Target, reply: Reply) -> Reply:
    old = read_output(target, reply)["Credentials"]
    key = iam_backends[call.caller.account][partition_of(call.region)].create_temp_access_key()
    new: dict[str, Any] = {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": secrets.token_urlsafe(240),
    }
    body = reply.body
    for name, value in new.items():
        body = body.replace(str(old[name]).encode(), value.encode())
    return Reply(status=reply.status, headers=reply.headers, body=body)
