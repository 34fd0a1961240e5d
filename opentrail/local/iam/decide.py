"""All policies about one request -> allowed, or the words in which IAM says why not.

Source: IAM user guide, "Policy evaluation for requests within a single account",
"Cross-account policy evaluation logic"; KMS developer guide, "Key policies".
"""

from __future__ import annotations

from dataclasses import dataclass

from opentrail.local.iam.policy import Document, Request, judge, judge_resource
from opentrail.local.iam.sources import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks: the ARNs a policy may name it by, its account, and what it holds."""

    arns: tuple[str, ...]
    account: str
    is_root: bool
    held: Held


def decide(
    request: Request, principal: Principal, policy: Document | None, *, owner: str, partition: str
) -> str:
    """Return "" for an allowed request, else the reason as the error message ends.

    Args:
        request: the action, its resource, the context.
        principal: the caller.
        policy: the resource's, if it has one.
        owner: the resource's account; "" counts as the caller's.
        partition: of the account's root ARN.
    """
    held = principal.held
    own = judge(held.policies, request)
    boundary = judge([held.boundary], request) if held.boundary is not None else None
    root = f"arn:{partition}:iam::{principal.account}:root"
    direct = judge_resource(policy or {}, request, principal.arns)
    account = judge_resource(policy or {}, request, (root, principal.account))
    if own.denies or (boundary is not None and boundary.denies):
        return "with an explicit deny in an identity-based policy"
    if direct.denies or account.denies:
        return "with an explicit deny in a resource-based policy"
    within = principal.is_root or boundary is None or boundary.allows
    has_own = principal.is_root or (own.allows and within)
    if _rules_alone(request, policy):
        allowed = direct.allows or (account.allows and has_own)
        kind = "resource-based"
    elif owner in {"", principal.account}:
        allowed = direct.allows or has_own
        kind = "identity-based"
    else:
        allowed = (direct.allows or account.allows) and has_own
        kind = "identity-based" if not has_own else "resource-based"
    if allowed:
        return ""
    if own.allows and not within:
        return f"because no permissions boundary allows the {request.action} action"
    return f"because no {kind} policy allows the {request.action} action"


def _rules_alone(request: Request, policy: Document | None) -> bool:
    """Keys and roles are closed to the whole account unless their own policy opens them."""
    is_key = policy is not None and request.action.startswith("kms:") and ":key/" in request.resource
    return is_key or request.action.startswith("sts:AssumeRole")
