"""The root user has an access key, or uses one. It only tells: nobody but root can delete it."""

from __future__ import annotations

from opentrail.branches.remediation.playbook import (
    API_CALL,
    Cloud,
    Danger,
    Permission,
    Playbook,
    Record,
    Target,
    parameters,
    target_at,
)

ROOT = {"type": ["Root"]}


def target(record: Record) -> Target | None:
    """The root user of the account."""
    account = str(record.get("recipientAccountId") or "")
    return target_at(record, account, "AWS::IAM::RootUser", "iam::{account}:root")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Ask how many keys root has; a key for another user is none of root's."""
    record = target.record
    if record.get("eventName") == "CreateAccessKey" and parameters(record).get("userName"):
        return None
    keys = cloud("iam", "get_account_summary")["SummaryMap"].get("AccountAccessKeysPresent", 0)
    made = record.get("eventName") == "CreateAccessKey"
    said = "made an access key" if made else f"used an access key for {record.get('eventName')}"
    return Danger(problem=f"root {said}; IAM counts {keys} of root's")


PLAYBOOK = Playbook(
    id="root-access-key",
    title="Access key created for root, or used by root",
    severity="critical",
    controls=("CIS AWS 3.0 1.4", "NIST 800-53 AC-6", "PCI DSS 4.0 8.2.2"),
    pattern={
        "source": [{"prefix": "aws."}],
        "detail-type": [API_CALL],
        "detail": {
            "errorCode": [{"exists": False}],
            # Long-lived keys begin with AKIA; those of a console session with ASIA. IAM user guide.
            "$or": [
                {"eventName": ["CreateAccessKey"], "userIdentity": ROOT},
                {"userIdentity": {**ROOT, "accessKeyId": [{"prefix": "AKIA"}]}},
            ],
        },
    },
    reads=(
        Permission(actions=("iam:GetAccountSummary",), resources=("*",), why="IAM offers no resource for it"),
    ),
    target=target,
    check=check,
)
