"""The validate function over what the line wrote: what it tells, whom, and of which chains."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from lambdas.validate import handler as validate
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.errors import StorageError
from opentrail.format import keys
from opentrail.format.times import to_iso
from opentrail.model.report import Problem
from opentrail.pipeline.validate.rounds import Outcome, Verdict
from tests.support import own_events
from tests.support.line import Line
from tests.support.records import ACCOUNT, REGION, envelope, make_record, to_bytes


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Callable[[str], Any]]:
    """Clients of moto's server: a verifier opens connections of its own."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    session, made = boto3.Session("test", "test", region_name=REGION), {}

    def client(service: str) -> Any:
        if service not in made:
            make: Any = session.client
            made[service] = make(service, endpoint_url=f"http://{host}:{port}")
        return made[service]

    yield client
    patch.undo()
    server.stop()


@pytest.fixture
def line(endpoint: Callable[[str], Any]) -> Line:
    """A trail with three digests, by a clock at which its key is valid."""
    now = datetime.now(UTC).replace(minute=20, second=0, microsecond=0) + timedelta(hours=1)
    made = Line(endpoint, now=now)
    made.start_trail()
    hours(made, 3)
    return made


def hours(line: Line, count: int) -> None:
    """So many hours with a record, and their digests."""
    for _ in range(count):
        line.record([envelope(to_bytes(make_record()))])
        line.deliver(line.queued_chunks())
        line.wait(hours=1)
        line.close()


def look(line: Line, *, has_time: bool = True, hours: int = 26, **settings: Any) -> list[Verdict]:
    """Run the validate function."""
    validator = validate.build(line.validate_settings(**settings), line.client)
    return validator.run(line.now, hours=hours, has_time=lambda: has_time)


def inbox(line: Line) -> tuple[str, str]:
    """A topic and a queue that hears it and every validation report on the bus."""
    sqs, sns, events = (line.client(name) for name in ("sqs", "sns", "events"))
    url: str = sqs.create_queue(QueueName=f"{line.name}-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic: str = sns.create_topic(Name=f"{line.name}-reports")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    pattern = {"source": ["opentrail"], "detail-type": ["OpenTrail Validation Report"]}
    events.put_rule(Name=line.name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=line.name, Targets=[{"Id": "1", "Arn": arn}])
    return topic, url


def heard(line: Line, url: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The reports on the bus, and the messages of the topic."""
    answer = line.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    bodies = [message["Body"] for message in answer.get("Messages", [])]
    told = [json.loads(body) for body in bodies if body.startswith("{")]
    return told, [body for body in bodies if not body.startswith("{")]


def test_an_untouched_day_is_proven_and_everybody_hears_of_it(line: Line) -> None:
    topic, url = inbox(line)

    (verdict,) = look(line, topic_arn=topic)

    told, messages = heard(line, url)
    assert (verdict.outcome, verdict.digests_valid, verdict.log_files_valid) == (Outcome.PROVEN, 3, 3)
    assert [(one["detail"]["outcome"], one["detail"]["trailArn"]) for one in told] == [
        ("PROVEN", verdict.trail_arn)
    ]
    assert messages == [
        f"PROVEN\t{verdict.trail_arn}\t{ACCOUNT} {REGION}\t3/3 digest files, 3/3 log files valid"
    ]


def test_a_lost_file_and_a_cut_tail_are_told_by_name(line: Line) -> None:
    topic, url = inbox(line)
    s3 = line.client("s3")
    log = min(line.logs())
    digest = max(key for key in line.objects() if "/CloudTrail-Digest/" in key)
    for key in (log, digest):
        s3.delete_object(Bucket=line.bucket, Key=key)

    (verdict,) = look(line, topic_arn=topic)

    (event,), (message,) = heard(line, url)
    told = event["detail"]
    named = {(finding["key"], finding["problem"]) for finding in told["findings"]}
    assert own_events.problems(event) == []
    assert verdict.outcome is Outcome.FINDINGS
    assert {(log, "not found"), (digest, "not found")} <= named
    assert told["findingCount"] == len(told["findings"]) == verdict.finding_count
    assert f"s3://{line.bucket}/" in message


def test_a_tail_that_the_ledger_forgot_too_is_told_by_the_anchor(line: Line) -> None:
    ledger = DynamoLedger(line.client("dynamodb"), f"{line.name}-ledger")
    (chain,) = ledger.chains()
    *_, kept, cut = sorted(key for key in line.objects() if "/CloudTrail-Digest/" in key)
    before = keys.parse_digest_key(kept).end
    lost = [f["s3Object"] for f in line.digests()[-1]["logFiles"]]
    for key in (cut, cut.replace("CloudTrail-Digest", "OpenTrail-Tree"), *lost):
        line.client("s3").delete_object(Bucket=line.bucket, Key=key)
    ledger.save_chain(msgspec.structs.replace(chain, end=to_iso(before), head=None))

    (verdict,) = look(line)

    told = {(finding.key, finding.problem) for finding in verdict.findings}
    assert told >= {(cut, Problem.NOT_FOUND), (cut, Problem.LEDGER_BEHIND), (kept, Problem.MISSING_DIGESTS)}


def test_a_chain_that_ledger_and_bucket_lost_altogether_is_told_by_the_anchor(line: Line) -> None:
    digests = [key for key in line.objects() if "/CloudTrail-Digest/" in key]
    for key in line.objects():
        line.client("s3").delete_object(Bucket=line.bucket, Key=key)
    (item,) = line.client("dynamodb").query(
        TableName=f"{line.name}-ledger",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "chain"}},
    )["Items"]
    line.client("dynamodb").delete_item(
        TableName=f"{line.name}-ledger", Key={"pk": item["pk"], "sk": item["sk"]}
    )

    (verdict,) = look(line)

    missing = {finding.key for finding in verdict.findings if finding.problem is Problem.NOT_FOUND}
    assert (verdict.outcome, missing) == (Outcome.FINDINGS, set(digests))


def test_only_chains_of_trails_with_validation_are_looked_at(line: Line) -> None:
    line.start_trail("unproven", log_file_validation=False)
    line.start_trail("other", bucket=line.bucket, prefix="other")
    hours(line, 1)

    names = {verdict.trail_arn.rpartition("/")[2] for verdict in look(line)}

    assert names == {"main", "other"}


def test_a_trail_stopped_long_ago_has_nothing_to_prove(line: Line) -> None:
    line.start_trail(logging=False, started_at=1, validation_since=1, stopped_at=line.now.timestamp())
    line.wait(hours=1)
    line.close()
    line.wait(days=3)

    assert look(line) == []


@pytest.mark.parametrize("name", ["main", "never-digested"])
def test_a_logging_trail_without_digests_is_not_proven(line: Line, name: str) -> None:
    line.start_trail(name)
    line.wait(days=3)

    verdict = of_trail(look(line), name)

    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "no digests in this time")


class Closed(AuditSource):
    """Buckets that refuse to be listed."""

    def keys_under(self, bucket: str, prefix: str) -> Iterator[str]:
        raise StorageError(f"list s3://{bucket}/{prefix}: AccessDenied", "AccessDenied")


def test_what_cannot_be_read_in_time_or_at_all_is_unchecked_and_says_why(line: Line) -> None:
    validator = validate.build(line.validate_settings(), line.client)
    closed = replace(validator, archive=Closed(line.client("s3"), None))

    (late,) = look(line, has_time=False)
    (refused,) = closed.run(line.now, hours=26, has_time=lambda: True)

    assert (late.outcome, late.reason) == (Outcome.UNCHECKED, "there was no time left")
    assert (refused.outcome, refused.reason[-12:]) == (Outcome.UNCHECKED, "AccessDenied")


@pytest.fixture
def locked(endpoint: Callable[[str], Any], line: Line) -> Line:
    """The same with a bucket whose default is two days of governance retention."""
    s3, name = endpoint("s3"), f"{line.name}-locked"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": retention}
    )
    line.bucket = name
    line.start_trail("locked")
    hours(line, 2)
    return line


def of_trail(verdicts: list[Verdict], name: str) -> Verdict:
    (found,) = (verdict for verdict in verdicts if verdict.trail_arn.endswith(f"/{name}"))
    return found


def unlocked(verdict: Verdict) -> int:
    return sum(finding.problem is Problem.NOT_LOCKED for finding in verdict.findings)


def test_every_object_is_retained_as_the_bucket_has_it(locked: Line) -> None:
    verdict = of_trail(look(locked, lock_mode="GOVERNANCE", lock_days=2), "locked")

    assert (verdict.outcome, verdict.digests, verdict.log_files) == (Outcome.PROVEN, 2, 2)


@pytest.mark.parametrize(("mode", "days"), [("COMPLIANCE", 2), ("GOVERNANCE", 3)])
def test_less_than_the_option_says_is_a_finding_for_each_object(locked: Line, mode: str, days: int) -> None:
    verdict = of_trail(look(locked, lock_mode=mode, lock_days=days), "locked")

    assert (verdict.outcome, unlocked(verdict)) == (Outcome.FINDINGS, 4)


def test_objects_without_retention_are_findings_only_when_the_option_is_on(locked: Line) -> None:
    on = of_trail(look(locked, lock_mode="GOVERNANCE", lock_days=2), "main")
    off = of_trail(look(locked), "main")

    assert unlocked(on) == on.digests + on.log_files
    assert off.outcome is Outcome.PROVEN
