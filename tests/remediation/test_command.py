"""``opentrail remediation``: what was decided, in which mode, and putting it back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from opentrail.adapters.aws.clients import client
from opentrail.branches.remediation.catalog import built_in
from opentrail.cli.remediation import command
from opentrail.testing.world import OpenTrail


@pytest.fixture(autouse=True)
def _clients_of_this_world() -> Iterator[None]:
    client.cache_clear()
    yield
    client.cache_clear()


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command, arguments)


def test_a_fix_is_listed_and_undone(aws: OpenTrail) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="a-website")
    s3.put_bucket_acl(Bucket="a-website", ACL="public-read")
    aws.flush()
    decisions = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    (fix,) = (d for d in decisions if d["outcome"] == "acted" and d["resource"] == "arn:aws:s3:::a-website")

    undone = run("undo", fix["decisionId"])
    aws.flush()

    assert (undone.exit_code, "undone" in undone.stdout) == (0, True)
    assert len(s3.get_bucket_acl(Bucket="a-website")["Grants"]) == 2


def test_status_names_every_playbook_and_its_mode(aws: OpenTrail) -> None:
    shown = [json.loads(line) for line in run("status", "--json").stdout.splitlines()]

    assert {(one["playbook"], one["mode"]) for one in shown} == {(id_, "enforce") for id_ in built_in()}


def test_what_nobody_decided_cannot_be_undone(aws: OpenTrail) -> None:
    result = run("undo", "nothing")

    assert (result.exit_code, result.stderr) == (2, "opentrail: no decision nothing is known here\n")
