"""``opentrail verify-proof``: check what ``opentrail prove`` wrote, without the trail."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from opentrail.adapters.aws.audit_keys import KeyFile
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.errors import FormatError, OpenTrailError, StorageError
from opentrail.format import times
from opentrail.format.proof import InclusionProof, Proof, parse_proof
from opentrail.format.tree_head import parse_head
from opentrail.model.tree import SignedHead
from opentrail.pipeline.validate import PublicKey, faults_of

EXIT_DISPROVED, EXIT_UNCHECKED = 1, 2


@click.command("verify-proof")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--public-keys", type=click.Path(path_type=Path), help="A kept answer of list-public-keys, as JSON."
)
def command(file: Path, public_keys: Path | None) -> None:
    """Check a proof against the signed tree heads in it; the trail is not needed.

    The public keys come from the endpoint, or from a file: then nothing is asked
    of anybody. Exits with 0 when it holds, 1 when it does not, 2 when that could
    not be found out.
    """
    try:
        proof = _read(file)
        faults = faults_of(proof, _keys(proof, public_keys))
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    for fault in faults:
        click.echo(f"INVALID: {fault}")
    if faults:
        sys.exit(EXIT_DISPROVED)
    click.echo(_told(proof))


def _read(file: Path) -> Proof:
    try:
        return parse_proof(file.read_bytes())
    except OSError as error:
        raise StorageError(f"read {file}: {error}") from error


def _heads(proof: Proof) -> list[SignedHead]:
    return [proof.head] if isinstance(proof, InclusionProof) else [proof.older, proof.newer]


def _keys(proof: Proof, file: Path | None) -> dict[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for signed in _heads(proof):
        try:
            head = parse_head(signed.text)
        except FormatError:
            continue  # faults_of says so
        made = times.from_iso(head.made)
        source: Any = KeyFile(file) if file else _endpoint(head.chain_id.rpartition("#")[2])
        found |= source.public_keys(made, made)
    return found


def _endpoint(region: str) -> AuditSource:
    return AuditSource(client("s3"), client("cloudtrail", region))


def _told(proof: Proof) -> str:
    last = parse_head(_heads(proof)[-1].text)
    signed = f"signed at {last.made} by {last.chain_id}"
    if isinstance(proof, InclusionProof):
        event_id = json.loads(proof.record).get("eventID")
        place = f"record {proof.index + 1} of {last.size} under tree head {last.number}"
        return f"Proven: {event_id} is {place}, {signed}"
    first = parse_head(proof.older.text)
    return (
        f"Proven: the {last.size} records of tree head {last.number}, {signed}, begin with the {first.size} "
        f"of tree head {first.number}, signed at {first.made}"
    )
