"""Playbooks that only tell: root's keys, and passwords without a second factor."""

from __future__ import annotations

from typing import Any

from opentrail.testing.world import OpenTrail
from tests.remediation.alerts import ROOT_KEY, login
from tests.remediation.playbook import Deployed


def told(aws: OpenTrail, playbook: str, event_id: str) -> dict[str, Any]:
    """What the playbook decided about the event."""
    (decision,) = (d for d in Deployed(aws, playbook).decisions() if d["sourceEventId"] == event_id)
    return decision


def test_root_uses_an_access_key(aws: OpenTrail) -> None:
    aws.client("sts", credentials=ROOT_KEY).get_caller_identity()
    (record,) = aws.events("GetCallerIdentity")

    aws.flush()

    decision = told(aws, "root-access-key", record["eventID"])
    assert decision["outcome"] == "alerted"
    assert decision["problem"].startswith("root used an access key for GetCallerIdentity")


def test_root_makes_itself_an_access_key(aws: OpenTrail) -> None:
    record = {
        "eventID": "root-makes-a-key",
        "eventName": "CreateAccessKey",
        "userIdentity": {"type": "Root", "arn": f"arn:aws:iam::{aws.account}:root"},
        "requestParameters": None,
        "recipientAccountId": aws.account,
        "awsRegion": aws.region,
    }

    decision = Deployed(aws, "root-access-key").handle(record)

    assert (decision.outcome, decision.problem[:23]) == ("alerted", "root made an access key")


def test_a_key_that_root_makes_for_a_user_is_none_of_roots(aws: OpenTrail) -> None:
    aws.client("iam").create_user(UserName="keyed")
    aws.client("iam").create_access_key(UserName="keyed")
    (record,) = aws.events("CreateAccessKey")

    aws.flush()

    assert told(aws, "root-access-key", record["eventID"])["outcome"] == "skipped"


def test_somebody_signs_in_with_a_password_alone(aws: OpenTrail) -> None:
    aws.client("iam").create_user(UserName="hasty")

    login(aws, "hasty-login", "hasty")
    aws.flush()

    decision = told(aws, "login-without-mfa", "hasty-login")
    assert (decision["outcome"], decision["problem"]) == (
        "alerted",
        "hasty signed in to the console and has no MFA device",
    )


def test_a_second_factor_is_nothing_to_tell(aws: OpenTrail) -> None:
    login(aws, "careful-login", "careful", mfa="Yes")
    aws.flush()

    decided = [d["sourceEventId"] for d in Deployed(aws, "login-without-mfa").decisions()]
    assert "careful-login" not in decided


def test_a_user_who_is_gone_is_nothing_to_tell(aws: OpenTrail) -> None:
    login(aws, "ghost-login", "ghost")
    aws.flush()

    assert told(aws, "login-without-mfa", "ghost-login")["reason"] == "the resource is gone"
