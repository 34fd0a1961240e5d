"""``opentrail doctor``: is the audit trail of this account set up well?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from opentrail.adapters.aws.account_facts import read_account
from opentrail.adapters.aws.clients import client
from opentrail.branches.doctor import Diagnosis, Outcome, diagnose
from opentrail.branches.doctor.catalogue import SEVERITIES
from opentrail.errors import StorageError

EXIT_WELL, EXIT_FAILS, EXIT_UNCHECKED = 0, 1, 2
_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNKNOWN: "yellow"}


@click.command("doctor")
@click.option("--region", default="", help="Where to look from (default: the environment's).")
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default="low",
    show_default=True,
    help="Leave out checks of less than this severity.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every check with its evidence as JSON.")
@click.option("--fixes", is_flag=True, help="Print only the commands, as a script to read and then run.")
def command(region: str, severity: str, as_json: bool, fixes: bool) -> None:
    """Check this account's trails, and the buckets, keys and log groups they use; change nothing.

    Asks AWS, or what AWS_ENDPOINT_URL names; works with AWS's own trails and with OpenTrail's.
    Each FAIL comes with the commands that make it pass.

    Exit code 0: nothing fails. 1: something does. 2: the trails could not be looked at.
    """
    try:
        found = examine(region, severity)
    except (StorageError, BotoCoreError, ClientError) as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    form = _as_script if fixes else _as_json if as_json else _as_text
    click.echo(form(found))
    sys.exit(EXIT_FAILS if _fails(found) else EXIT_WELL)


def examine(region: str = "", severity: str = "low") -> tuple[Diagnosis, ...]:
    """Look at the account and judge it; checks of less than ``severity`` are left out.

    Raises:
        StorageError: the trails could not be read.
        ClientError: no valid credentials.
        BotoCoreError: nothing answers.
    """
    sts = client("sts", region)
    facts = read_account(
        client,
        account=sts.get_caller_identity()["Account"],
        region=region or sts.meta.region_name,
        now=datetime.now(UTC),
    )
    wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return tuple(d for d in diagnose(facts) if d.check.severity in wanted)


def as_objects(found: Sequence[Diagnosis]) -> list[dict[str, Any]]:
    """What ``--json`` prints of each check."""
    return [
        {
            "check": d.check.id,
            "title": d.check.title,
            "severity": d.check.severity,
            "outcome": d.outcome,
            "subject": d.subject,
            "evidence": d.evidence,
            "why": d.check.why,
            "mappings": d.check.mappings,
            "fix": list(d.fix),
        }
        for d in found
    ]


def _as_json(found: Sequence[Diagnosis]) -> str:
    return json.dumps(as_objects(found), indent=2)


def _as_script(found: Sequence[Diagnosis]) -> str:
    lines = ["#!/usr/bin/env bash", "set -euo pipefail"]
    for diagnosis in found:
        if diagnosis.fix:
            lines += ["", f"# {diagnosis.check.id}: {diagnosis.subject}", *diagnosis.fix]
    return "\n".join(lines)


def _as_text(found: Sequence[Diagnosis]) -> str:
    return "\n".join([*map(_paragraph, found), _summary(found)])


def _paragraph(diagnosis: Diagnosis) -> str:
    check = diagnosis.check
    outcome = click.style(f"{diagnosis.outcome:8}", fg=_COLOURS[diagnosis.outcome])
    lines = [f"{outcome}{check.severity:8}{check.id}: {check.title}"]
    lines.append(f"{'':16}{diagnosis.subject}: {diagnosis.evidence}")
    if diagnosis.outcome is Outcome.FAIL:
        rules = ", ".join(f"{framework} {rule}" for framework, rule in check.mappings.items())
        lines.append(f"{'':16}{check.why} ({rules})")
        lines += [f"{'':16}$ {command}" for command in diagnosis.fix]
    return "\n".join(lines)


def _summary(found: Sequence[Diagnosis]) -> str:
    counts = {outcome: sum(d.outcome is outcome for d in found) for outcome in Outcome}
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _fails(found: Sequence[Diagnosis]) -> bool:
    return any(d.outcome is Outcome.FAIL for d in found)
