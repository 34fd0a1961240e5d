"""A function dies at any AWS call: no event is lost, none is twice in files, the chain holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opentrail.errors import StorageError
from opentrail.format import log_file
from opentrail.model.log_file import Chunk
from opentrail.pipeline.deliver.deliver import claim_of
from tests.support.crash import Crash, Fuse
from tests.support.line import SETTLE_SECONDS, Line
from tests.support.records import ACCOUNT, envelope, make_record, to_bytes

MODES = [
    pytest.param(after, refuse, id=f"{'refused' if refuse else 'dies'}-{'after' if after else 'before'}")
    for after in (False, True)
    for refuse in (False, True)
]


def fuses(after: bool, refuse: bool) -> Iterator[Fuse]:
    """A fuse for the first call, then the second, ... until a run has fewer calls than that."""
    at = 1
    while True:
        fuse = Fuse(at, after=after, refuse=refuse)
        yield fuse
        if not fuse.blown:
            return
        at += 1


def record_some(line: Line, count: int, regions: int = 2) -> tuple[set[str], list[Chunk]]:
    """``count`` events of two Regions, or of one, on their way to the trail and to history."""
    records = [make_record(awsRegion=("us-east-1", "eu-west-1")[i % regions]) for i in range(count)]
    line.record(envelope(to_bytes(record)) for record in records)
    return {record["eventID"] for record in records}, line.queued_chunks()


def attempt(run: Callable[[], Any]) -> Any:
    """Run it as Lambda would: when the process dies, or raises, there is no answer."""
    try:
        return run()
    except (Crash, StorageError):
        return None


def deliver_until_done(line: Line, chunks: list[Chunk]) -> None:
    """Redeliver what was not acknowledged, each time after the queue's visibility timeout."""
    for _ in range(3):
        delivery = line.deliver(chunks)
        failed = {failure.chunk.id for failure in delivery.failed}
        chunks = [chunk for chunk in chunks if chunk.id in failed]
        if not chunks:
            return
        line.wait(seconds=SETTLE_SECONDS + 1)
    raise AssertionError("delivery never finished")


def assert_whole(line: Line, ids: set[str]) -> None:
    """Every event once in files and once metered, every file once in digests, nothing else in the bucket."""
    assert line.delivered_ids() == dict.fromkeys(ids, 1)
    assert line.listed_files() == dict.fromkeys(line.logs(), 1)
    assert line.metered()["main"].first == len(ids)


@pytest.mark.parametrize(("after", "refuse"), MODES)
def test_delivery_survives_a_crash_at_every_call(
    clients: Callable[[str], Any], after: bool, refuse: bool
) -> None:
    for fuse in fuses(after, refuse):
        line = Line(clients)
        line.start_trail()
        ids, chunks = record_some(line, 6)

        answer = attempt(lambda fuse=fuse, line=line, chunks=chunks: line.deliver(chunks, fuse))  # type: ignore[misc]
        line.wait(seconds=SETTLE_SECONDS + 1)
        deliver_until_done(line, chunks if answer is None else [f.chunk for f in answer.failed])
        line.wait(hours=1)
        line.close()

        assert_whole(line, ids)


@pytest.mark.parametrize(("after", "refuse"), MODES)
def test_digests_survive_a_crash_at_every_call(
    clients: Callable[[str], Any], after: bool, refuse: bool
) -> None:
    for fuse in fuses(after, refuse):  # of one chain: a run that died has not come to the others
        line = Line(clients)
        line.start_trail()
        ids, chunks = record_some(line, 2, regions=1)
        line.deliver(chunks)
        line.wait(hours=2)

        attempt(lambda fuse=fuse, line=line: line.close(fuse))  # type: ignore[misc]
        line.close()
        more, chunks = record_some(line, 2)  # one of them begins another chain
        line.deliver(chunks)
        line.wait(hours=1)
        line.close()

        assert_whole(line, ids | more)
        assert_linked(line)
        assert_anchored(line)


def assert_linked(line: Line) -> None:
    """Each digest begins where the one before ended and names its signature."""
    for region in ("us-east-1", "eu-west-1"):
        chain = [d for d in line.digests() if f"/{region}/" in d["digestS3Object"]]
        assert chain[0]["previousDigestSignature"] is None
        for older, newer in zip(chain, chain[1:], strict=False):
            head = line.client("s3").head_object(Bucket=line.bucket, Key=older["digestS3Object"])
            assert newer["digestStartTime"] == older["digestEndTime"]
            assert newer["previousDigestS3Object"] == older["digestS3Object"]
            assert newer["previousDigestSignature"] == head["Metadata"]["signature"]


def assert_anchored(line: Line) -> None:
    """Every digest is written down outside the bucket, and nothing that is not a digest."""
    answer = line.client("dynamodb").scan(TableName=f"{line.name}-anchor")
    heads = [json.loads(item["head"]["S"]) for item in answer["Items"] if item["pk"]["S"] != "newest"]
    stored = {key: body for key, body in line.objects().items() if "/CloudTrail-Digest/" in key}
    assert {head["key"]: head["sha256"] for head in heads} == {
        key: log_file.sha256_hex(log_file.decompress(body)) for key, body in stored.items()
    }


def test_a_chunk_that_comes_twice_is_stored_once(line: Line) -> None:
    line.start_trail()
    ids, chunks = record_some(line, 3)

    line.deliver([*chunks, *chunks])
    again = line.deliver(chunks)

    assert set(again.repeats) == {claim_of(c, d) for c in chunks for d in c.destinations}
    assert line.delivered_ids() == dict.fromkeys(ids, 1)


def test_a_chunk_that_comes_again_after_its_digest_is_still_a_repeat(line: Line) -> None:
    line.start_trail()
    ids, chunks = record_some(line, 3)
    line.deliver(chunks)
    line.wait(hours=1)
    line.close()

    again = line.deliver(chunks)

    assert again.stored == []
    assert line.delivered_ids() == dict.fromkeys(ids, 1)


def test_two_digest_runs_at_once_write_one_digest(line: Line) -> None:
    line.start_trail()
    _, chunks = record_some(line, 2)
    line.deliver(chunks)
    line.wait(hours=1)
    rival = Fuse(6)  # dies somewhere after it has read the chains

    attempt(lambda: line.close(rival))
    line.close()
    line.close()

    assert line.listed_files() == dict.fromkeys(line.logs(), 1)


def test_a_topic_hears_of_every_head_also_of_one_it_missed(line: Line) -> None:
    sqs, sns = line.client("sqs"), line.client("sns")
    url: str = sqs.create_queue(QueueName=f"{line.name}-heads")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    line.start_trail()
    line.anchor_topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:{line.name}-heads"
    line.wait(hours=2)
    refused = line.close()
    sns.create_topic(Name=f"{line.name}-heads")
    sns.subscribe(
        TopicArn=line.anchor_topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )

    line.close()

    heard = [json.loads(message["Body"]) for message in line._drain(url)]
    assert [trouble.code for trouble in refused.troubles] == ["NotFound"]
    assert [head["end"][11:13] for head in heard] == ["05", "06"]
    assert_anchored(line)
