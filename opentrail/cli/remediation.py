"""``opentrail remediation``: what playbooks decided, and putting back what they did."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployed_playbooks import DeployedPlaybook, deployed_playbooks, undo
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.remediation import DynamoRemediation
from opentrail.branches.remediation.guard import Guard, read_modes
from opentrail.cli._deployment import UNREACHABLE
from opentrail.errors import OpenTrailError, StorageError

DEFAULT_LIMIT = 50


@click.group()
def command() -> None:
    """Dangerous changes: what was decided about them, and undoing a fix.

    Works where AWS_ENDPOINT_URL points, or in the AWS account of your credentials.
    """


@command.command("list")
@click.option("--limit", default=DEFAULT_LIMIT, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_command(limit: int, as_json: bool) -> None:
    """Show the newest decisions first. A fix's ID is what `undo` takes."""
    for decision in _decisions(limit):
        click.echo(json.dumps(decision) if as_json else _line(decision))


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def status_command(as_json: bool) -> None:
    """Show each playbook with its mode and its failures in a row."""
    for playbook in _deployed():
        settings = playbook.settings
        failures, _ = _failures(playbook)
        facts = {"playbook": settings.playbook, "mode": _mode(playbook), "failures": failures}
        shown = f"{facts['playbook']:<20}  {facts['mode']:<8}" + (
            f"  {failures} failures" if failures else ""
        )
        click.echo(json.dumps({**facts, "function": playbook.function}) if as_json else shown.rstrip())


@command.command("undo")
@click.argument("decision_id", metavar="ID")
def undo_command(decision_id: str) -> None:
    """Put back what the decision ID changed, with the playbook's own permissions.

    Exit code 2: there is nothing to undo, or it did not work.
    """
    wanted = [d["playbook"] for d in _decisions(1000) if d["decisionId"] == decision_id]
    found = [playbook for playbook in _deployed() if playbook.settings.playbook in wanted]
    if not found:
        _fail(f"no decision {decision_id} is known here")
    try:
        decision = undo(client("lambda"), found[0], decision_id, _caller())
    except OpenTrailError as error:
        _fail(str(error))
    click.echo(_line(decision))


def _deployed() -> list[DeployedPlaybook]:
    try:
        return deployed_playbooks(client("lambda"))
    except (StorageError, *UNREACHABLE) as error:
        _fail(str(error))


def _state(playbook: DeployedPlaybook) -> DynamoRemediation:
    settings = playbook.settings
    return DynamoRemediation(
        client("dynamodb"),
        settings.state_table,
        lease_seconds=settings.lease_seconds,
        keep_days=settings.keep_days,
    )


def _decisions(limit: int) -> list[dict[str, Any]]:
    first = _deployed()[0]
    try:
        return _state(first).decisions(limit)
    except StorageError as error:
        _fail(str(error))


def _failures(playbook: DeployedPlaybook) -> tuple[int, object]:
    try:
        return _state(playbook).failures(playbook.settings.playbook)
    except StorageError as error:
        _fail(str(error))


def _mode(playbook: DeployedPlaybook) -> str:
    settings = playbook.settings
    guard = Guard(mode=settings.mode, modes=read_modes(settings.remediation_modes))
    return guard.mode_of(settings.playbook, _account())


def _account() -> str:
    return str(_identity()["Account"])


def _caller() -> str:
    return str(_identity()["Arn"])


def _identity() -> dict[str, Any]:
    with storage_errors("get caller identity"):
        answer: dict[str, Any] = client("sts").get_caller_identity()
    return answer


def _line(decision: dict[str, Any]) -> str:
    """``2026-01-10T12:00:00Z  acted      s3-public-acl  arn:aws:s3:::b  ...  ID``."""
    said = decision.get("problem") or decision.get("reason") or ""
    parts = (
        decision.get("time", ""),
        f"{decision['outcome']:<9}",
        f"{decision['playbook']:<19}",
        decision.get("resource", ""),
        said,
        decision["decisionId"],
    )
    return "  ".join(part for part in parts if part)


def _fail(message: str) -> NoReturn:
    click.echo(f"opentrail: {message}", err=True)
    raise SystemExit(2)
