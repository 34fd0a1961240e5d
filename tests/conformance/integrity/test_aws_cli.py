"""What aws-cli finds, ours finds in the same words; an untouched trail satisfies both."""

from __future__ import annotations

import copy
import json

import pytest

from tests.conformance.integrity.who_catches import attacked, invalid_lines, run_aws_cli, run_opentrail
from tests.support.tampering import make_world

# Most of aws-cli's sentences; the whole table is made by who_catches and kept in the threat model.
DECIDED = [
    "a log file is deleted",
    "bytes follow a log files gzip stream",
    "a file is taken off a digest",
    "a digest is signed by an unknown key",
    "a digest is deleted",
    "a backfill digest is deleted",
]


def test_an_untouched_trail_satisfies_both() -> None:
    world = make_world()

    theirs, ours = run_aws_cli(world), run_opentrail(world)

    assert theirs.returncode == 0, theirs.stderr
    assert "8/8 digest files valid" in theirs.stdout
    assert "2/2 backfill digest files valid" in theirs.stdout
    assert ours.returncode == 0, ours.stdout + ours.stderr


@pytest.mark.parametrize("name", DECIDED)
def test_what_aws_cli_finds_is_found_in_its_words(name: str) -> None:
    world = attacked(name)

    theirs, ours = run_aws_cli(copy.deepcopy(world)), run_opentrail(world)

    assert (theirs.returncode, ours.returncode) == (1, 1), theirs.stderr + ours.stderr
    found = {
        (f"s3://{f['bucket']}/{f['key']}", " ".join((f["problem"], f["detail"])).strip())
        for f in json.loads(ours.stdout)["findings"]
    }
    for place, problem in invalid_lines(theirs):
        assert any(p == place and text.startswith(problem) for p, text in found), (place, problem, found)


@pytest.mark.parametrize(
    "name",
    [
        "the newest digests and their log files are deleted",
        "the tail is cut and the ledger says so",
    ],
)
def test_a_cut_tail_escapes_aws_cli_alone(name: str) -> None:
    world = attacked(name)

    assert run_aws_cli(copy.deepcopy(world)).returncode == 0
    assert run_opentrail(world).returncode == 1
