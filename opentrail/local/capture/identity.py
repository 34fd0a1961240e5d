"""Access key -> the ``userIdentity`` of a record, from moto's IAM and STS backends.

Source: CloudTrail user guide, "CloudTrail userIdentity element"; the order of the
keys is the one real records have.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import AccessKey, IAMBackend, User, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from opentrail.format.times import to_iso
from opentrail.local.call import Caller
from opentrail.local.capture.sessions import Session, Sessions

ISSUER_FIELDS = ("type", "principalId", "arn", "accountId", "userName")
SERVICE = "AWSService"
ROLE_SESSION_KINDS = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})


class Callers:
    """Resolves access keys. Must be asked before the call runs: the call may delete its caller."""

    def __init__(self, *, default_account: str, sessions: Sessions) -> None:
        self._default_account = default_account
        self._sessions = sessions

    def find(self, access_key: str, *, partition: str = "aws", account: str = "") -> Caller:
        """The caller that holds ``access_key``.

        A key that no account issued is the root user of ``account`` (moto's
        ``x-moto-account-id`` header) or of the default account, as moto treats it.
        An unsigned request (no key at all) is CloudTrail's anonymous principal.
        """
        if not access_key:
            return _anonymous()
        session = self._sessions.find(access_key)
        if session is not None and session.kind == "GetFederationToken":
            return _federated(access_key, session)
        if session is not None and session.kind not in ROLE_SESSION_KINDS:
            return _session_of_user(access_key, session)
        return self._in_moto(access_key, session, partition) or _root(
            account or self._default_account, access_key
        )

    def _in_moto(self, access_key: str, session: Session | None, partition: str) -> Caller | None:
        for account_id, backends in list(iam_backends.items()):
            backend = backends[partition]
            key = backend.access_keys.get(access_key)
            if key is None:
                continue
            if key.role_arn or session is not None:
                return _assumed_role(account_id, backend, key, session, partition)
            user = backend.users.get(key.user_name) if key.user_name else None
            if user is not None:
                return _user(account_id, user, access_key)
        return None


def service_caller(service: str, account: str) -> Caller:
    """A service that calls for itself, in ``account``."""
    identity = {"type": SERVICE, "invokedBy": service}
    return Caller(account=account, arn="", access_key="", identity=identity)


def federated_arn(account: str, name: str) -> str:
    """The ARN of a federated user's session."""
    return f"arn:aws:sts::{account}:federated-user/{name}"


def session_context(
    issuer: Mapping[str, Any],
    *,
    created: str,
    mfa: bool,
    web: Mapping[str, Any] | None = None,
    source: str = "",
) -> dict[str, Any]:
    """A ``sessionContext``; ``attributes`` are strings, even the boolean one."""
    context: dict[str, Any] = {"sessionIssuer": dict(issuer)} if issuer else {}
    if web:
        context["webIdFederationData"] = dict(web)
    context["attributes"] = {"creationDate": created, "mfaAuthenticated": "true" if mfa else "false"}
    if source:
        context["sourceIdentity"] = source
    return context


def _anonymous() -> Caller:
    """An unsigned request, as S3 and STS records show it."""
    identity = {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    return Caller(account="anonymous", arn="", access_key="", identity=identity)


def _root(account: str, access_key: str) -> Caller:
    arn = f"arn:aws:iam::{account}:root"
    identity = {
        "type": "Root",
        "principalId": account,
        "arn": arn,
        "accountId": account,
        "accessKeyId": access_key,
    }
    return Caller(account=account, arn=arn, access_key=access_key, identity=identity)


def _user(account: str, user: User, access_key: str) -> Caller:
    identity = {
        "type": "IAMUser",
        "principalId": user.id,
        "arn": user.arn,
        "accountId": account,
        "accessKeyId": access_key,
        "userName": user.name,
    }
    return Caller(account=account, arn=user.arn, access_key=access_key, identity=identity)


def _session_of_user(access_key: str, session: Session) -> Caller:
    """GetSessionToken: the user (or root) itself, with a session."""
    identity = {**session.issuer, "accessKeyId": access_key}
    identity["sessionContext"] = session_context({}, created=session.created, mfa=session.mfa)
    return Caller(account=session.account, arn=identity["arn"], access_key=access_key, identity=identity)


def _federated(access_key: str, session: Session) -> Caller:
    arn = federated_arn(session.account, session.federated_name)
    issuer = {name: session.issuer[name] for name in ISSUER_FIELDS if name in session.issuer}
    identity = {
        "type": "FederatedUser",
        "principalId": f"{session.account}:{session.federated_name}",
        "arn": arn,
        "accountId": session.account,
        "accessKeyId": access_key,
        "sessionContext": session_context(issuer, created=session.created, mfa=session.mfa),
    }
    return Caller(account=session.account, arn=arn, access_key=access_key, identity=identity)


def _assumed_role(
    account: str, backend: IAMBackend, key: AccessKey, session: Session | None, partition: str
) -> Caller:
    role_arn = str(key.role_arn or (session.role_arn if session else ""))
    name = session.session_name if session else ""
    if not name:
        assumed = _find_assumed(account, key.access_key_id, partition)
        name = assumed.session_name if assumed else ""
    issuer = _issuer(account, backend, role_arn)
    principal = f"{issuer['principalId']}:{name}"
    arn = f"arn:{partition}:sts::{account}:assumed-role/{issuer['userName']}/{name}"
    identity = {
        "type": "AssumedRole",
        "principalId": principal,
        "arn": arn,
        "accountId": account,
        "accessKeyId": key.access_key_id,
        "sessionContext": _role_session(issuer, key, session),
    }
    if session and session.in_scope_of:
        identity["inScopeOf"] = dict(session.in_scope_of)
    return Caller(account=account, arn=arn, access_key=key.access_key_id, identity=identity)


def _role_session(issuer: Mapping[str, Any], key: AccessKey, session: Session | None) -> dict[str, Any]:
    created = session.created if session else to_iso(_as_utc(key.create_date))
    web = (
        {"federatedProvider": session.federated_provider, "attributes": {}}
        if (session and session.federated_provider)
        else None
    )
    return session_context(
        issuer,
        created=created,
        mfa=bool(session and session.mfa),
        web=web,
        source=session.source_identity if session else "",
    )


def _issuer(account: str, backend: IAMBackend, role_arn: str) -> dict[str, Any]:
    """The role, also when it does not exist: moto lets anyone assume any ARN."""
    role = next((role for role in list(backend.roles.values()) if role.arn == role_arn), None)
    return {
        "type": "Role",
        "principalId": role.id if role else "",
        "arn": role_arn,
        "accountId": account,
        "userName": role_arn.rpartition("/")[2],
    }


def _find_assumed(account: str, access_key: str, partition: str) -> AssumedRole | None:
    return sts_backends[account][partition].get_assumed_role_from_access_key(access_key)


def _as_utc(moment: datetime) -> datetime:
    """moto keeps naive UTC times."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
