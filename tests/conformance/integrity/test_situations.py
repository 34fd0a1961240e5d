"""One trail through every situation that digests must survive, judged by the real validate-logs.

Two Regions, quiet hours, a change of keys, a late file, a move to another bucket and prefix, a
missed day, a stop and a restart.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from opentrail.local.cloudtrail import cloudtrail_service
from opentrail.local.transport import Clients
from tests.conformance.api.conftest import ACCOUNT, REGION, Front, Laptop
from tests.support.crash import Crash, Fuse
from tests.support.line import SETTLE_SECONDS, Line
from tests.support.records import envelope, make_record, to_bytes

ABROAD = "eu-west-1"
HALF_SETTLED = SETTLE_SECONDS / 2

Done = subprocess.CompletedProcess[str]


class DiesAfterPut(Fuse):
    """The process dies when its first object is stored, before the ledger hears of it."""

    def run(self, call: Any, name: str) -> Any:
        self.at, self.after = (self.calls + 1 if name == "put_object" else 0), True
        return super().run(call, name)


class Story:
    """A trail and its hours, by a clock that begins at twenty past the next hour."""

    def __init__(self, line: Line, laptop: Laptop) -> None:
        self.line = line
        self.laptop = laptop
        self.begin = line.now
        self.trail = line.start_trail()

    def change(self, **changes: Any) -> None:
        fields = {name: getattr(self.trail, name) for name in self.trail.__struct_fields__}
        self.trail = self.line.start_trail(**{**fields, **changes})

    def hour(self, **changes: Any) -> None:
        """An hour with a record at home and one abroad, up to twenty past the next."""
        for region in (REGION, ABROAD):
            self.line.record([envelope(to_bytes(make_record(awsRegion=region, **changes)))])
        self.line.deliver(self.line.queued_chunks())
        self.quiet(hours=1)

    def quiet(self, **span: float) -> None:
        self.line.wait(**span)
        assert self.line.close().troubles == []

    def late_file(self) -> None:
        """A delivery that is still under way at the full hour, when a digest is made."""
        self.line.wait(minutes=39, seconds=60 - HALF_SETTLED)
        self.line.record([envelope(to_bytes(make_record()))])
        with pytest.raises(Crash):
            self.line.deliver(self.line.queued_chunks(), DiesAfterPut())
        self.quiet(seconds=HALF_SETTLED)
        self.quiet(minutes=20)

    def verdicts(self, region: str, *more: str) -> tuple[Done, Done]:
        """What the aws-cli says of the whole story, and what we say."""
        span = ("--trail-arn", self.trail.arn, "--start-time", text(self.begin - timedelta(hours=1)),
                "--end-time", text(self.line.now), "--region", region)  # fmt: skip
        aws = self.laptop.aws("cloudtrail", "validate-logs", *span, *more)
        environment = {"AWS_ENDPOINT_URL": self.laptop.endpoint, "AWS_ACCESS_KEY_ID": ACCOUNT,
                       "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": REGION}  # fmt: skip
        command = [str(Path(sys.executable).parent / "opentrail"), "validate", *span, *more]
        own = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return aws, own


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()
    app: Any = DomainDispatcherApplication(create_backend_app)
    clients = Clients(app, account=ACCOUNT, region=REGION)
    now = datetime.now(UTC).replace(minute=20, second=0, microsecond=0) + timedelta(hours=1)
    line = Line(clients, now=now)
    outputs = {
        "TrailsTableName": f"{line.name}-trails",
        "HistoryTableName": f"{line.name}-history",
        "LedgerTableName": f"{line.name}-ledger",
        "SigningKeyId": line.key_id,
    }
    server = make_server(
        "127.0.0.1", 0, Front(app, {"cloudtrail": cloudtrail_service(clients, outputs)}), threaded=True
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Story(line, Laptop(f"http://127.0.0.1:{server.server_port}", clients))
    server.shutdown()
    thread.join()
    server.server_close()
    moto_api_backend.reset()


@pytest.fixture(scope="module")
def told(story: Story) -> Story:
    """All of it, in one life."""
    story.hour()
    story.quiet(hours=2)
    story.line.rotate()
    story.hour()
    story.late_file()
    story.line.client("s3").create_bucket(Bucket="moved-audit")
    story.change(bucket="moved-audit", prefix="p")
    story.hour()
    story.line.rotate()
    story.quiet(days=1)
    story.hour()
    story.change(logging=False, stopped_at=story.line.now.timestamp())
    story.quiet(hours=3)
    story.change(logging=True, started_at=story.line.now.timestamp())
    story.hour()
    return story


@pytest.mark.parametrize(("region", "digests", "late", "logs"), [(REGION, 33, 1, 6), (ABROAD, 33, 0, 5)])
def test_every_digest_and_log_file_is_valid_by_the_aws_cli_and_by_us(
    told: Story, region: str, digests: int, late: int, logs: int
) -> None:
    aws, own = told.verdicts(region)

    assert (aws.returncode, own.returncode) == (0, 0), aws.stderr + own.stdout + own.stderr
    for said in (aws.stdout, own.stdout):
        assert f"{digests}/{digests} digest files valid" in said
        assert f"{logs}/{logs} log files valid" in said
        assert (f"{late}/{late} backfill digest files valid" in said) is bool(late)
    assert aws.stderr.count("No log files were delivered by CloudTrail between") == 1  # the stop
