"""A bucket that CloudTrail wrote to, as a user ingests it: the real aws-cli, `opentrail up --ingest`."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opentrail.format.keys import log_key
from opentrail.format.log_file import build_log_file, parse_records
from opentrail.format.times import to_iso
from opentrail.local.source_bucket import BUCKET
from opentrail.model.event import Place
from tests.conformance.laptop.conftest import BIN, Laptop, environment, serving
from tests.support.records import ACCOUNT, REGION, make_record, sample_lines, to_bytes

DELIVERED = datetime.now(UTC) - timedelta(days=3)
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    folder = tmp_path_factory.mktemp("ingest")
    command = [str(BIN / "opentrail"), "up", "--port", "0", "--ingest"]
    with serving(command, environment(), folder) as running:
        yield running


def write_file(folder: Path, *records: bytes, number: int = 0) -> Path:
    """A log file on disk, under the key CloudTrail gives it."""
    key = log_key(
        prefix="",
        organization="",
        place=Place(ACCOUNT, REGION),
        folder="CloudTrail",
        delivered=DELIVERED + timedelta(minutes=5 * number),
        token=f"{number:016d}",
    )
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build_log_file(records)[1])
    return path


def delivered(laptop: Laptop, bucket: str) -> Counter[str]:
    """How often each eventID is in the bucket's log files."""
    s3 = laptop.client("s3")
    bodies = [
        s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in laptop.keys(bucket, "_CloudTrail_")
    ]
    return Counter(record["eventID"] for body in bodies for record in parse_records(body))


def test_a_file_that_is_put_there_is_looked_up_delivered_and_proven(laptop: Laptop, tmp_path: Path) -> None:
    arn = laptop.make_trail("source", EnableLogFileValidation=True)
    ours = make_record(eventID="22222222-3333-4444-8555-666666666666", eventTime=to_iso(DELIVERED))
    others = [line for line in sample_lines() if b'"Insight"' not in line and b'"Data"' not in line][:300]
    path = write_file(tmp_path, to_bytes(ours), *others)

    put = laptop.run("aws", f"s3 cp {path} s3://{BUCKET}/{path.relative_to(tmp_path)} --no-progress")
    counts = laptop.flush(digest=True)
    found = laptop.run(
        "aws",
        "cloudtrail lookup-events --query Events[].CloudTrailEvent --output json "
        f"--lookup-attributes AttributeKey=EventId,AttributeValue={ours['eventID']}",
    )
    validated = laptop.run(
        "aws", f"cloudtrail validate-logs --trail-arn {arn} --start-time {to_iso(DELIVERED)}"
    )

    assert (put.returncode, counts["files"], counts["failed"]) == (0, 1, 0)
    assert [json.loads(event) for event in json.loads(found.stdout)] == [ours]
    copies = delivered(laptop, "audit-source")
    assert {copies[json.loads(line)["eventID"]] for line in others} == {1}
    assert validated.returncode == 0, validated.stdout
    assert "INVALID" not in validated.stdout


def test_a_back_fill_that_ctrl_c_ends_goes_on_where_it_ended(laptop: Laptop, tmp_path: Path) -> None:
    laptop.make_trail("later")
    laptop.client("s3").create_bucket(Bucket="old-trail")
    names = [f"call-{number}" for number in range(40)]
    for number, name in enumerate(names):
        write_file(tmp_path, to_bytes(make_record(eventID=name)), number=number)
    laptop.run("aws", f"s3 sync {tmp_path} s3://old-trail --quiet")
    state = tmp_path / "state.json"
    arguments = ["ingest", "s3://old-trail", "--state", str(state), "--workers", "1", "--json"]

    broken_off = begin(laptop, arguments)
    wait_for(state, broken_off)
    broken_off.send_signal(signal.SIGINT)
    _, said = broken_off.communicate(timeout=PATIENCE_SECONDS)
    then = laptop.run("opentrail", " ".join(arguments))
    laptop.flush()

    left = json.loads(then.stdout)["files"]
    assert (broken_off.returncode, then.returncode) == (130, 0)
    assert "the same command goes on from here" in said
    assert 0 < left < len(names)
    copies = delivered(laptop, "audit-later")
    assert {copies[name] for name in names} == {1}


def begin(laptop: Laptop, arguments: list[str]) -> subprocess.Popen[str]:
    """The command as a user has it running in the foreground."""
    ours = {
        "AWS_ENDPOINT_URL": laptop.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "operator",
        "AWS_SECRET_ACCESS_KEY": "operator",
    }
    return subprocess.Popen(
        [BIN / "opentrail", *arguments],
        env=environment(**ours),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until the run has done its first file, and said so."""
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 50):
        if path.exists() or process.poll() is not None:
            return
        pause.wait(0.02)
