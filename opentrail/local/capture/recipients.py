"""Who receives a record: the caller's account, and every other account whose resource it used.

Source: CloudTrail user guide, "sharedEventID" and "AWSAccount" user identities: each
account gets a copy with its own eventID, and sees a foreign caller only as an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentrail.local.call import Caller
from opentrail.local.capture.identity import SERVICE
from opentrail.local.capture.ids import shared_copy_id

AFTER = "recipientAccountId"  # real records have sharedEventID right behind it


def copies(record: dict[str, Any], caller: Caller) -> Iterator[dict[str, Any]]:
    """The record, or one copy of it for each account that receives it."""
    owners = {resource["accountId"] for resource in record.get("resources", ()) if resource.get("accountId")}
    others = sorted(owners - {caller.account})
    by_service = caller.identity.get("type") == SERVICE  # whose own account has a copy that nobody sees
    if not others and not by_service:
        yield record
        return
    shared = record["eventID"]
    yield _copy(record, shared, caller.account, record["userIdentity"])
    for account in others:
        yield _copy(record, shared, account, foreign_identity(caller))


def foreign_identity(caller: Caller) -> dict[str, Any]:
    """How another account sees a caller."""
    principal = caller.identity.get("principalId", "")
    if caller.identity.get("type") in ("AWSAccount", SERVICE, "WebIdentityUser", "SAMLUser"):
        return dict(caller.identity)
    return {"type": "AWSAccount", "principalId": principal, "accountId": caller.account}


def _copy(record: dict[str, Any], shared: str, account: str, identity: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = {}
    for name, value in record.items():
        copy[name] = value
        if name == AFTER:
            copy["sharedEventID"] = shared
    copy["userIdentity"] = identity
    copy["recipientAccountId"] = account
    copy["eventID"] = shared_copy_id(shared, account)
    return copy
