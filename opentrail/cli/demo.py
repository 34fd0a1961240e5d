"""``make demo``: the whole line on the laptop, judged by the real aws-cli."""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.cli._demo_remediation import make_public_and_look
from opentrail.cli._stagehand import REGION, BrokenPromise, Terminal, check, laptop, proved, scene
from opentrail.errors import FormatError
from opentrail.format import keys, log_file

ACCOUNT = "123456789012"
BUCKET = "audit-logs"
TRAIL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
SAMPLES = Path("..") / "shared" / "sample-events" / "cloudtrail-records.ndjson.gz"
ENTRIES_PER_CALL = 10  # PutEvents, EventBridge API reference

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:GetBucketAcl",
            "Resource": f"arn:aws:s3:::{BUCKET}",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/{ACCOUNT}/*",
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}
SELECTORS = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
    }
]
INSIGHTS = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]

# What the demo does while the trail records: command, eventSource, eventName, errorCode.
CALLS = (
    ("s3api create-bucket --bucket customer-data", "s3", "CreateBucket", None),
    ("s3api put-bucket-versioning --bucket customer-data --versioning-configuration Status=Enabled",
     "s3", "PutBucketVersioning", None),
    ("iam create-user --user-name alice", "iam", "CreateUser", None),
    ("iam create-access-key --user-name alice", "iam", "CreateAccessKey", None),
    ("iam get-user --user-name mallory", "iam", "GetUser", "NoSuchEntityException"),
    ("dynamodb create-table --table-name orders --billing-mode PAY_PER_REQUEST"
     " --key-schema AttributeName=id,KeyType=HASH --attribute-definitions AttributeName=id,AttributeType=S",
     "dynamodb", "CreateTable", None),
    ("dynamodb list-tables", "dynamodb", "ListTables", None),
    ("ec2 create-security-group --group-name web --description web", "ec2", "CreateSecurityGroup", None),
    ("ec2 describe-instances", "ec2", "DescribeInstances", None),
    ("ec2 run-instances --image-id ami-12c6146b --instance-type t3.micro", "ec2", "RunInstances", None),
    ("sts get-caller-identity", "sts", "GetCallerIdentity", None),
)  # fmt: skip


@click.command()
def command() -> None:
    """Show the whole line at work on this machine, in about a minute."""
    started = time.monotonic()
    try:
        with laptop() as terminal, tempfile.TemporaryDirectory() as folder:
            play(terminal, Path(folder))
        make_public_and_look(number=7)
    except BrokenPromise as broken:
        click.echo(f"\n{click.style('FAILED', fg='red')}  {broken}", err=True)
        sys.exit(1)
    click.echo(f"\nEvery step held. {time.monotonic() - started:.0f} seconds.")


def play(terminal: Terminal, folder: Path) -> None:
    """All scenes, in order.

    Raises:
        BrokenPromise: at the first step that does not hold.
    """
    trail = Bucket(terminal)
    begin_trail(terminal, folder)
    make_calls(terminal, folder, trail)
    replay_real_events(terminal, trail)
    close_windows(terminal)
    validate(terminal)
    tamper(terminal, folder, trail)


class Bucket:
    """The trail's bucket, read behind the curtain."""

    def __init__(self, terminal: Terminal) -> None:
        import boto3  # here, not above: `opentrail --help` does without it

        make: Any = boto3.client
        settings = {
            "endpoint_url": terminal.endpoint,
            "region_name": REGION,
            "aws_access_key_id": "operator",
            "aws_secret_access_key": "operator",
        }
        self.events = make("events", **settings)
        self._s3 = make("s3", **settings)
        self._source = AuditSource(self._s3, make("cloudtrail", **settings))

    def log_keys(self) -> list[str]:
        """The keys of all log files."""
        return [key for key in self._source.keys_under(BUCKET, "AWSLogs/") if _is_log(key)]

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Every delivered record with the key of its file."""
        for key in self.log_keys():
            # Not with the source's fetch, which takes this process's own credentials: there may be none.
            body = self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            for raw in log_file.split_records(log_file.decompress(body)):
                yield key, raw


def _is_log(key: str) -> bool:
    try:
        keys.parse_log_key(key)
    except FormatError:
        return False
    return True


def begin_trail(terminal: Terminal, folder: Path) -> None:
    """A bucket, its policy, a trail with validation, logging."""
    scene("1  A trail, as CloudTrail has it")
    click.echo(f"  endpoint {terminal.endpoint}")
    terminal.aws(f"s3api create-bucket --bucket {BUCKET}")
    create = f"cloudtrail create-trail --name main --s3-bucket-name {BUCKET} --is-multi-region-trail"
    refusal = terminal.aws(f"{create} --enable-log-file-validation", fails=True)
    check(
        "InsufficientS3BucketPolicyException" in refusal,
        f"a bucket without policy was not refused: {refusal}",
    )
    click.echo(f"    {refusal.strip().splitlines()[-1]}")
    policy = _write(folder / "policy.json", POLICY)
    terminal.aws(f"s3api put-bucket-policy --bucket {BUCKET} --policy file://{policy}")
    terminal.aws(f"{create} --enable-log-file-validation")
    selectors = _write(folder / "selectors.json", SELECTORS)
    insights = _write(folder / "insights.json", INSIGHTS)
    terminal.aws(f"cloudtrail put-event-selectors --trail-name main --event-selectors file://{selectors}")
    terminal.aws(f"cloudtrail put-insight-selectors --trail-name main --insight-selectors file://{insights}")
    terminal.aws("cloudtrail start-logging --name main")
    status = json.loads(terminal.aws("cloudtrail get-trail-status --name main", quiet=True))
    check(status["IsLogging"], "the trail does not log")
    proved("the API refuses what AWS refuses, and the trail logs")


def make_calls(terminal: Terminal, folder: Path, trail: Bucket) -> None:
    """A dozen calls, and the records they left."""
    scene("2  A dozen calls, one as an assumed role, two that fail")
    for text, _, _, error in CALLS:
        terminal.aws(text, fails=error is not None)
    trust = _write(folder / "trust.json", TRUST)
    terminal.aws(f"iam create-role --role-name Deploy --assume-role-policy-document file://{trust}")
    assume = f"sts assume-role --role-arn arn:aws:iam::{ACCOUNT}:role/Deploy --role-session-name release-42"
    session = json.loads(terminal.aws(assume))["Credentials"]
    denied = terminal.aws(
        "dynamodb describe-table --table-name salaries",
        fails=True,
        AWS_ACCESS_KEY_ID=session["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=session["SecretAccessKey"],
        AWS_SESSION_TOKEN=session["SessionToken"],
    )
    check("ResourceNotFoundException" in denied, f"describe-table said {denied}")
    terminal.flush()
    records = [json.loads(raw) for _, raw in trail.records()]
    for _, source, name, error in CALLS:
        found = [
            r for r in records if (r["eventSource"], r["eventName"]) == (f"{source}.amazonaws.com", name)
        ]
        check(len(found) == 1, f"{source} {name} is in the log files {len(found)} times")
        check(found[0].get("errorCode") == error, f"{name} has errorCode {found[0].get('errorCode')}")
    click.echo("\n  log files:")
    for key in trail.log_keys():
        click.echo(f"    s3://{BUCKET}/{key}")
    failed = next(r for r in records if r.get("errorCode") == "ResourceNotFoundException")
    click.echo("\n  the record of the call that failed, made as the role:")
    click.echo(re.sub("^", "    ", json.dumps(failed, indent=2), flags=re.MULTILINE))
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/release-42"
    check(failed["userIdentity"]["arn"] == caller, f"the caller is {failed['userIdentity']['arn']}")
    secret = session["SecretAccessKey"]
    check(not any(secret.encode() in raw for _, raw in trail.records()), "a secret key is in a log file")
    proved(f"{len(records)} records: each call once, with its caller, parameters and error, and no secret")


def replay_real_events(terminal: Terminal, trail: Bucket) -> None:
    """Events from elsewhere through the EventBridge rule, as a real event source would send them."""
    lines = _samples()
    scene(f"3  {len(lines)} events through the EventBridge rule")
    for start in range(0, len(lines), ENTRIES_PER_CALL):
        entries = [_entry(line) for line in lines[start : start + ENTRIES_PER_CALL]]
        answer = trail.events.put_events(Entries=entries)
        check(answer["FailedEntryCount"] == 0, f"PutEvents refused some: {answer}")
    terminal.flush()
    wanted = Counter(lines)
    delivered = Counter(raw for _, raw in trail.records() if raw in wanted)
    check(delivered == wanted, f"{sum((wanted - delivered).values())} are missing, or some came twice")
    places = {keys.parse_log_key(key).place for key in trail.log_keys()}
    proved(f"each is in exactly one log file, byte for byte, under {len(places)} accounts and Regions")


def _samples() -> list[bytes]:
    if SAMPLES.exists():
        with gzip.open(SAMPLES) as found:
            return [line.rstrip(b"\n") for line in found]
    return [
        json.dumps(
            {
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "IAMUser",
                    "arn": f"arn:aws:iam::{ACCOUNT}:user/carol",
                },
                "eventTime": f"2026-01-10T04:20:{number:02d}Z",
                "eventSource": "ec2.amazonaws.com",
                "eventName": "TerminateInstances",
                "awsRegion": ("us-east-1", "eu-west-1")[number % 2],
                "eventID": f"00000000-0000-4000-8000-{number:012d}",
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "recipientAccountId": ACCOUNT,
                "eventCategory": "Management",
            },
            separators=(",", ":"),
        ).encode()
        for number in range(50)
    ]


def _entry(line: bytes) -> dict[str, str]:
    source = json.loads(line).get("eventSource", "cloudtrail.amazonaws.com").split(".")[0]
    return {
        "Source": f"aws.{source}",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": line.decode(),
    }


def close_windows(terminal: Terminal) -> None:
    """Two digests: one that lists everything, one for a quiet window."""
    scene("4  Two digest windows are closed and signed")
    for _ in range(2):
        counts = terminal.flush(digest=True)
        check(counts["digests"] >= 1, "no digest was written")
    proved("a KMS key signed them; the second lists no file and names the first")


def validate(terminal: Terminal) -> None:
    """aws-cli and our own verifier agree that all is well."""
    scene("5  The real aws-cli validates the trail")
    done = _validate_logs(terminal)
    check(done.returncode == 0 and "INVALID" not in done.stdout + done.stderr, done.stdout + done.stderr)
    summary = [line for line in done.stdout.splitlines() if re.match(r"\d+/\d+ ", line)]
    check(len(summary) == 2, f"no summary in {done.stdout}")
    for line in summary:
        click.echo(f"    {line}")
    own = terminal.run("opentrail", f"validate --trail-arn {TRAIL_ARN}")
    check(own.returncode == 0, f"opentrail validate exited {own.returncode}: {own.stdout}{own.stderr}")
    proved("aws cloudtrail validate-logs exits 0, and so does the independent verifier")


def _validate_logs(terminal: Terminal) -> Any:
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    text = f"cloudtrail validate-logs --trail-arn {TRAIL_ARN} --start-time {start} --verbose"
    return terminal.run("aws", text)


def tamper(terminal: Terminal, folder: Path, trail: Bucket) -> None:
    """One byte of one log file is changed, and both verifiers name that file."""
    scene("6  Somebody changes one byte")
    key = next(key for key, raw in trail.records() if b'"CreateUser"' in raw and b'"alice"' in raw)
    path = folder / "altered.json.gz"
    terminal.aws(f"s3 cp s3://{BUCKET}/{key} {path}", quiet=True)
    document = log_file.decompress(path.read_bytes())
    path.write_bytes(log_file.compress(document.replace(b'"userName":"alice"', b'"userName":"alicf"', 1)))
    terminal.aws(f"s3 cp {path} s3://{BUCKET}/{key}")
    done = _validate_logs(terminal)
    bad = [line for line in done.stderr.splitlines() if "INVALID" in line and line.startswith("Log file")]
    check(done.returncode == 1 and len(bad) == 1 and key in bad[0], f"exit {done.returncode}: {done.stderr}")
    click.echo(f"    {bad[0]}")
    own = terminal.run("opentrail", f"validate --trail-arn {TRAIL_ARN}")
    check(
        own.returncode == 1 and key in own.stdout, f"opentrail validate exited {own.returncode}: {own.stdout}"
    )
    proved("both exit 1 and name the file")


def _write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


if __name__ == "__main__":
    command()
