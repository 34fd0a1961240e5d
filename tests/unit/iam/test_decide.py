"""All policies about one request: IAM's evaluation logic, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.local.iam.decide import Principal, decide
from opentrail.local.iam.policy import Request
from opentrail.local.iam.sources import Held

ACCOUNT = "123456789012"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OBJECT = "arn:aws:s3:::logs/a"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"


def document(effect: str, action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


def judged(
    action: str = "s3:GetObject",
    resource: str = OBJECT,
    *,
    own: tuple[dict[str, Any], ...] = (),
    boundary: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    root: bool = False,
    owner: str = ACCOUNT,
) -> str:
    request = Request(action=action, resource=resource, context={})
    arn = ROOT if root else ALICE
    principal = Principal(arns=(arn,), account=ACCOUNT, is_root=root, held=Held(own, boundary))
    return decide(request, principal, policy, owner=owner, partition="aws")


READ = document("Allow", "s3:Get*")
DENIED = document("Deny", "s3:*", OBJECT)
TO_ALICE = document("Allow", "s3:GetObject", f"{OBJECT}", Principal={"AWS": ALICE})
TO_ACCOUNT = document("Allow", "*", Principal={"AWS": ROOT})


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({}, "because no identity-based policy allows the s3:GetObject action"),
        ({"own": (READ,)}, ""),
        ({"root": True}, ""),
        (
            {"own": (READ, document("Deny", "s3:*", OBJECT))},
            "with an explicit deny in an identity-based policy",
        ),
        ({"own": (READ,), "boundary": document("Allow", "sqs:*")}, "because no permissions boundary allows"),
        ({"own": (READ,), "boundary": READ}, ""),
        ({"policy": TO_ALICE}, ""),
        ({"policy": TO_ACCOUNT}, "because no identity-based policy allows"),
        (
            {"root": True, "policy": document("Deny", "s3:*", Principal="*")},
            "with an explicit deny in a resource-based policy",
        ),
        ({"own": (READ,), "owner": "999999999999"}, "because no resource-based policy allows"),
        ({"own": (READ,), "owner": "999999999999", "policy": TO_ACCOUNT}, ""),
        ({"owner": "999999999999", "policy": TO_ALICE}, "because no identity-based policy allows"),
        ({"own": (document("Allow", "s3:GetObject", "arn:aws:s3:::other/*"),)}, "because no identity-based"),
        ({"own": ({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}},)}, ""),
        ({"own": ({"Statement": {"Effect": "Allow", "Action": "*", "NotResource": OBJECT}},)}, "because no"),
    ],
)
def test_within_and_between_accounts(case: dict[str, Any], reason: str) -> None:
    found = judged(**case)

    assert found.startswith(reason)
    assert bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("case", "allowed"),
    [
        ({"own": (document("Allow", "kms:*"),), "policy": {"Statement": []}}, False),
        ({"own": (document("Allow", "kms:*"),), "policy": TO_ACCOUNT}, True),
        ({"own": (), "policy": TO_ACCOUNT}, False),
        ({"root": True, "policy": {"Statement": []}}, False),
        ({"policy": document("Allow", "kms:Sign", Principal={"AWS": ALICE})}, True),
    ],
)
def test_a_key_opens_only_by_its_own_policy(case: dict[str, Any], allowed: bool) -> None:
    assert (judged("kms:Sign", KEY, **case) == "") is allowed
