"""The demo's scene about remediation: a bucket made public is private again."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from opentrail.cli._stagehand import Terminal, check, laptop, proved, scene

BUCKET = "customer-data"
PATIENCE_SECONDS = 30


def make_public_and_look(number: int) -> None:
    """Somebody opens a bucket, a playbook closes it, and the trail knows both.

    On a laptop of its own: the events replayed before would set off every playbook.

    Raises:
        BrokenPromise: it stays open, or the trail does not say who did what.
    """
    scene(f"{number}  Somebody makes a bucket public")
    click.echo("  $ opentrail up --remediation enforce")
    with laptop("--remediation", "enforce") as terminal:
        terminal.aws(f"s3api create-bucket --bucket {BUCKET}")
        _look(terminal)


def _look(terminal: Terminal) -> None:
    terminal.aws(f"s3api put-bucket-acl --bucket {BUCKET} --acl public-read")
    began = time.monotonic()
    while _is_public(terminal):
        check(time.monotonic() - began < PATIENCE_SECONDS, "the bucket stays public")
    click.echo(f"    private again after {time.monotonic() - began:.1f} seconds")
    decision = _decision(terminal)
    click.echo(f"    {json.dumps(decision, indent=2)}".replace("\n", "\n    "))
    check(decision["changedBy"].endswith(":root"), f"it says that {decision['changedBy']} did it")
    calls = _lookup(terminal, "AttributeKey=EventName,AttributeValue=PutBucketAcl")
    roles = [call["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}) for call in calls]
    fixers = [role["userName"] for role in roles if role]
    check(fixers == ["OpenTrail-fix-s3-public-acl-us-east-1"], f"the bucket was closed by {fixers}")
    proved(f"the bucket is private, and the trail says who opened it and that {fixers[0]} closed it")


def _is_public(terminal: Terminal) -> bool:
    acl = json.loads(terminal.aws(f"s3api get-bucket-acl --bucket {BUCKET}", quiet=True))
    return any("AllUsers" in grant["Grantee"].get("URI", "") for grant in acl["Grants"])


def _decision(terminal: Terminal) -> dict[str, Any]:
    """The decision; it is told a moment after the bucket is closed."""
    began = time.monotonic()
    wanted = "AttributeKey=EventName,AttributeValue=RemediationActed"
    while not (found := _lookup(terminal, wanted, quiet=True)):
        check(time.monotonic() - began < PATIENCE_SECONDS, "no decision is in event history")
    click.echo(f"  $ aws cloudtrail lookup-events --lookup-attributes {wanted}")
    details: dict[str, Any] = found[0]["serviceEventDetails"]
    return details


def _lookup(terminal: Terminal, attribute: str, *, quiet: bool = True) -> list[dict[str, Any]]:
    answer = terminal.aws(f"cloudtrail lookup-events --lookup-attributes {attribute}", quiet=quiet)
    return [json.loads(event["CloudTrailEvent"]) for event in json.loads(answer)["Events"]]
