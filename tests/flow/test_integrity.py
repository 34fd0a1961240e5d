"""The verifying verbs over what the line really writes: S3, KMS and the ledger on moto's server."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from click.testing import CliRunner

from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.cli import main
from opentrail.format import log_file
from opentrail.model.digest import Link
from tests.support.audited import Audit


def test_what_the_line_wrote_is_proven_against_ledger_and_anchor(audit: Audit) -> None:
    done = audit.validate("--json", "--ledger-table", f"{audit.line.name}-ledger", *audit.anchor)

    report = json.loads(done.stdout)
    assert (done.exit_code, report["findings"]) == (0, [])
    assert (report["digests_valid"], report["logs_valid"]) == (4, 4)
    assert "held to 4 anchored heads" in report["notes"]


def test_a_cut_tail_shows_against_the_ledgers_head(audit: Audit) -> None:
    before = audit.validate()
    *_, cut, newest = audit.digest_keys()
    audit.delete(cut)
    audit.delete(newest)

    silent = audit.validate("--end-time", "2026-01-10T06:30:00Z")
    told = audit.validate("--ledger-table", f"{audit.line.name}-ledger")

    assert (before.exit_code, silent.exit_code, told.exit_code) == (0, 0, 1)
    assert f"{newest}\tINVALID: not found" in told.stdout
    assert f"{cut}\tINVALID: not found" in told.stdout


def forget(audit: Audit, count: int) -> None:
    """Take the newest digests out of the bucket, and out of the ledger, as one who may write both."""
    ledger = DynamoLedger(audit.line.client("dynamodb"), f"{audit.line.name}-ledger")
    (chain,) = ledger.chains()
    kept, *cut = audit.digest_keys()[-count - 1 :]
    body = log_file.decompress(audit.line.objects()[kept])
    signature = audit.line.client("s3").head_object(Bucket=audit.line.bucket, Key=kept)["Metadata"][
        "signature"
    ]
    head = Link(bucket=audit.line.bucket, key=kept, sha256=log_file.sha256_hex(body), signature=signature)
    ledger.save_chain(msgspec.structs.replace(chain, head=head, end=json.loads(body)["digestEndTime"]))
    for key in cut:
        audit.delete(key)
        audit.delete(key.replace("CloudTrail-Digest", "OpenTrail-Tree"))
    for key in audit.line.logs():
        if key not in audit.line.listed_files():
            audit.delete(key)


def test_a_tail_that_bucket_and_ledger_both_lost_shows_against_the_anchor(audit: Audit) -> None:
    *_, cut, newest = audit.digest_keys()
    forget(audit, 2)

    by_ledger = audit.validate("--ledger-table", f"{audit.line.name}-ledger")
    by_anchor = audit.validate(*audit.anchor)

    assert (by_ledger.exit_code, by_anchor.exit_code) == (0, 1), by_ledger.stdout
    for key in (cut, newest):
        assert f"{key}\tINVALID: not found" in by_anchor.stdout


def test_no_digests_are_no_proof_and_the_other_region_is_told(audit: Audit) -> None:
    done = audit.validate("--region", "eu-west-1")

    assert done.exit_code == 2
    assert "No digests found" in done.stdout
    assert "has digests in: us-east-1" in done.stderr


def test_a_run_goes_on_where_it_was_broken_off(audit: Audit, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    first = audit.validate("--resume", str(notes))
    lines = notes.read_text().splitlines(keepends=True)
    notes.write_text("".join(lines[:2]) + '["torn')

    second = audit.validate("--resume", str(notes))

    assert (first.exit_code, second.exit_code, len(lines)) == (0, 0, 4)
    assert "4/4 log files valid" in second.stdout
    assert len({line for line in notes.read_text().splitlines() if line in "".join(lines)}) >= 3


def test_what_is_no_trail_is_no_proof(audit: Audit) -> None:
    done = CliRunner().invoke(
        main, ["validate", "--trail-arn", "arn:aws:s3:::x", "--public-keys", str(audit.keys)]
    )

    assert done.exit_code == 2
    assert "not the ARN of a trail" in done.stderr


def test_an_anchored_head_is_kept_until_somebody_rewrites_the_chain(audit: Audit, tmp_path: Path) -> None:
    keys = ("--public-keys", str(audit.keys))
    shown = audit.run("anchor", "show", *audit.anchor)
    head = tmp_path / "head.json"
    head.write_text(shown.stdout)

    kept = audit.run("anchor", "check", str(head), *keys)
    newest = audit.digest_keys()[-1]
    audit.delete(newest)
    lost = audit.run("anchor", "check", str(head), *keys)

    assert (shown.exit_code, kept.exit_code, lost.exit_code) == (0, 0, 1)
    assert json.loads(shown.stdout)["key"] == newest
    assert len(bytes.fromhex(json.loads(shown.stdout)["tree_root"])) == 32
    assert kept.stdout == "The head is kept.\n"
    assert "INVALID: not found (the anchored head)" in lost.stdout


def test_a_chain_is_held_to_every_anchored_head(audit: Audit) -> None:
    with_keys = ("--public-keys", str(audit.keys), *audit.anchor)
    since = ("--start-time", "2026-01-10T00:00:00Z")
    kept = audit.run("anchor", "check", *since, *with_keys)
    forget(audit, 1)
    lost = audit.run("anchor", "check", *since, *with_keys)
    nothing = audit.run("anchor", "check", *since, *with_keys, "--region", "eu-west-1")

    assert (kept.exit_code, kept.stdout) == (0, "The chain keeps to 4 anchored heads.\n")
    assert (lost.exit_code, lost.stdout.count("INVALID: not found (an anchored head)")) == (1, 1)
    assert (nothing.exit_code, nothing.stderr) == (
        2,
        "could not check: no head since 2026-01-10T00:00:00Z is anchored\n",
    )


def event_ids(audit: Audit) -> list[str]:
    """Of every record, in the order of their files' names."""
    return [json.loads(raw)["eventID"] for _, raws in sorted(audit.line.logs().items()) for raw in raws]


def test_a_record_is_proven_from_its_proof_file_alone(audit: Audit, tmp_path: Path) -> None:
    wanted, proof, keys = event_ids(audit)[2], tmp_path / "proof.json", ("--public-keys", str(audit.keys))
    span = ("--start-time", "2026-01-10T00:00:00Z")
    made = audit.run("prove", wanted, *span, *keys, "--out", str(proof))
    for key in audit.line.objects():
        audit.delete(key)

    held = CliRunner().invoke(main, ["verify-proof", str(proof), *keys])
    proof.write_text(proof.read_text().replace("CreateUser", "DeleteUser"))
    changed = CliRunner().invoke(main, ["verify-proof", str(proof), *keys])
    proof.write_text("{}")
    broken = CliRunner().invoke(main, ["verify-proof", str(proof), *keys])

    assert (made.exit_code, held.exit_code) == (0, 0), made.stderr + held.stderr
    assert held.stdout.startswith(f"Proven: {wanted} is record 3 of 3 under tree head 3, signed at ")
    assert (changed.exit_code, changed.stdout) == (
        1,
        "INVALID: the record is not in the tree that was signed\n",
    )
    assert (broken.exit_code, broken.stdout) == (2, "")


def test_a_later_tree_is_proven_to_begin_with_an_older_one(audit: Audit, tmp_path: Path) -> None:
    proof, keys = tmp_path / "proof.json", ("--public-keys", str(audit.keys))
    span = ("--start-time", "2026-01-10T05:30:00Z")
    made = audit.run("prove", "--consistency", *span, *keys, "--out", str(proof))

    held = CliRunner().invoke(main, ["verify-proof", str(proof), *keys])

    assert (made.exit_code, held.exit_code) == (0, 0), made.stderr + held.stderr
    assert "the 4 records of tree head 4" in held.stdout
    assert "begin with the 2 of tree head 2" in held.stdout


def test_a_record_that_no_digest_covers_is_not_proven(audit: Audit) -> None:
    span = ("--start-time", "2026-01-10T00:00:00Z", "--public-keys", str(audit.keys))

    absent = audit.run("prove", "00000000-0000-4000-8000-000000000000", *span)
    nowhere = audit.run("prove", "x", *span, "--region", "eu-west-1")

    assert (absent.exit_code, absent.stdout) == (1, "")
    assert "no log file that a digest lists has a record" in absent.stderr
    assert nowhere.exit_code == 2
