"""``opentrail validate`` over what the line wrote: which chains it looks at, and how it ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner, Result

from opentrail.adapters.aws import clients
from opentrail.cli import main
from tests.support.audited import Audit
from tests.support.records import ACCOUNT

HOME, ABROAD = f"{ACCOUNT} us-east-1", f"{ACCOUNT} eu-west-1"


@pytest.fixture
def abroad(audit: Audit) -> Audit:
    """The same with two hours of another Region."""
    audit.close_hours(2, "us-east-1", "eu-west-1")
    return audit


def test_every_region_is_proven_unless_one_is_named(abroad: Audit) -> None:
    every = json.loads(abroad.validate("--json").stdout)
    one = json.loads(abroad.validate("--json", "--region", "eu-west-1").stdout)

    assert (every["proven"], one["proven"]) == (True, True)
    assert [(c["region"], c["digests"], c["logs"]) for c in every["chains"]] == [
        ("us-east-1", 6, 6),
        ("eu-west-1", 2, 2),
    ]
    assert (every["digests_valid"], every["logs_valid"], every["tree_heads_valid"]) == (8, 8, 8)
    assert (one["region"], one["digests_valid"]) == ("eu-west-1", 2)


def test_each_chain_has_its_line(abroad: Audit) -> None:
    done = abroad.validate(*abroad.anchor)

    assert done.exit_code == 0
    assert f"{ABROAD}: 2/2 digest files valid, 2/2 log files valid, 2/2 tree heads valid" in done.stdout
    assert "held to 8 anchored heads" in done.stdout


def test_a_loss_in_another_region_is_found_without_naming_it(abroad: Audit) -> None:
    lost = next(key for key in abroad.line.logs() if "/eu-west-1/" in key)
    abroad.delete(lost)

    done = abroad.validate()

    assert done.exit_code == 1
    assert f"{lost}\tINVALID: not found" in done.stdout


@pytest.mark.parametrize("sign", ["/CloudTrail-Digest/eu-west-1/", "/eu-west-1/"])
def test_a_region_that_lost_everything_is_found_by_its_anchor(abroad: Audit, sign: str) -> None:
    abroad.cut(sign)

    done = abroad.validate(*abroad.anchor)

    assert done.exit_code == 1
    assert done.stdout.count("INVALID: not found (an anchored head)") == 2


def test_without_an_anchor_log_files_of_a_region_without_digests_are_no_proof(abroad: Audit) -> None:
    abroad.cut("/CloudTrail-Digest/eu-west-1/")

    done = abroad.validate()

    assert done.exit_code == 2
    assert f"{ABROAD}: 2 log files of eu-west-1 are in no digest: it has none" in done.stdout
    assert done.stdout.endswith("Not proven: see above.\n")


def test_a_region_of_another_trail_alone_is_left_to_that_trail(audit: Audit) -> None:
    audit.line.start_trail("other")
    audit.close_hours(1, "us-east-1", "eu-west-1")
    audit.cut("_eu-west-1_main_")

    done = audit.validate("--json")

    assert [chain["region"] for chain in json.loads(done.stdout)["chains"]] == ["us-east-1"]


def test_objects_without_retention_are_found_when_asked(audit: Audit) -> None:
    unasked, asked = audit.validate(), audit.validate("--object-lock")

    assert (unasked.exit_code, asked.exit_code) == (0, 1)
    assert asked.stdout.count("as Object Lock should have it (no retention)") == 8


@pytest.fixture
def locked(audit: Audit) -> Audit:
    """The same in a bucket that retains for a year by default, all but one log file, which is kept a day."""
    s3, name = audit.line.client("s3"), f"{audit.line.name}-locked"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 1}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": retention}
    )
    for key, body in audit.line.objects().items():
        metadata = s3.head_object(Bucket=audit.line.bucket, Key=key)["Metadata"]
        s3.put_object(Bucket=name, Key=key, Body=body, Metadata=metadata)
    tomorrow = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
    s3.put_object_retention(
        Bucket=name, Key=min(audit.line.logs()), Retention=tomorrow, BypassGovernanceRetention=True
    )
    audit.line.bucket = name
    return audit


def test_where_the_bucket_retains_by_default_it_is_looked_at_unasked(locked: Audit) -> None:
    found, left = (
        json.loads(locked.validate("--json", *more).stdout) for more in ((), ("--no-object-lock",))
    )

    unlocked = [[f["key"] for f in r["findings"] if "Object Lock" in f["problem"]] for r in (found, left)]
    assert unlocked == [[min(locked.line.logs())], []]


# How it ends when it cannot find out


class Closed(BaseHTTPRequestHandler):
    """Refuses everything, as AWS does."""

    def do_GET(self) -> None:
        body = b"<Error><Code>AccessDenied</Code><Message>not for you</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def closed() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Closed)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def validate_at(url: str, arn: str, *arguments: str) -> Result:
    clients.client.cache_clear()
    environ = {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "1",
    }
    try:
        return CliRunner().invoke(main, ["validate", "--trail-arn", arn, *arguments], env=environ)
    finally:
        clients.client.cache_clear()


ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"


@pytest.mark.parametrize("arguments", [(), ("--s3-bucket", "somebodys")])
def test_what_is_refused_is_not_proven_and_says_so(closed: str, arguments: tuple[str, ...]) -> None:
    done = validate_at(closed, ARN, *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("could not check: ")
    assert "AccessDenied" in done.stderr or "403" in done.stderr


def test_where_nobody_answers_nothing_is_proven() -> None:
    done = validate_at("http://127.0.0.1:9", ARN)

    assert (done.exit_code, done.stdout) == (2, "")
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:9/"' in done.stderr


def test_a_trail_that_there_is_not_is_told(audit: Audit) -> None:
    done = CliRunner().invoke(main, ["validate", "--trail-arn", ARN])

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"no trail has the ARN {ARN}; with --s3-bucket none is needed" in done.stderr


def test_an_anchor_that_was_named_and_is_not_there_is_no_proof(audit: Audit) -> None:
    done = audit.validate("--anchor-table", "nowhere")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "ResourceNotFoundException" in done.stderr
