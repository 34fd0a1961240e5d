"""The runtime as a whole, over a small pipeline of its own: calls in, files out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from opentrail.errors import StorageError
from opentrail.local.call import Call, Reply
from opentrail.local.reading import reading_own_writes
from opentrail.local.runtime import Options, Runtime
from opentrail.local.server import Server
from opentrail.local.transport import Clients
from tests.adapters.local.conftest import ACCOUNT, make_function, make_queue

RECORD = """
import boto3, json, os
def handler(event, context):
    sqs = boto3.client('sqs')
    names = [json.loads(r['body'])['detail']['eventName'] for r in event['Records']]
    sqs.send_message(QueueUrl=os.environ['DELIVERY'], MessageBody=json.dumps(names))
"""
DELIVER = """
import boto3, json
def handler(event, context):
    failed = []
    for record in event['Records']:
        names = json.loads(record['body'])
        if 'CreateGroup' in names:
            failed.append({'itemIdentifier': record['messageId']})
        else:
            boto3.client('s3').put_object(Bucket='delivered', Key=record['messageId'], Body=record['body'])
    return {'batchItemFailures': failed}
"""
DIGEST = "def handler(event, context): return {'digests': 3 if event == {'close': True} else 0}\n"


def deploy(runtime: Runtime) -> Mapping[str, Mapping[str, str]]:
    """A pipeline in three functions and two queues, as outputs name them."""
    clients = runtime.clients
    clients("s3").create_bucket(Bucket="delivered")
    intake_url, intake = make_queue(clients, "intake")
    delivery_url, delivery = make_queue(clients, "delivery")
    make_function(clients, RECORD, name="record", Environment={"Variables": {"DELIVERY": delivery_url}})
    make_function(clients, DELIVER, name="deliver")
    make_function(clients, DIGEST, name="digest")
    for queue, function in ((intake, "record"), (delivery, "deliver")):
        clients("lambda").create_event_source_mapping(
            EventSourceArn=queue,
            FunctionName=function,
            BatchSize=100,
            MaximumBatchingWindowInSeconds=300,  # so that only a flush moves anything
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
    events = clients("events")
    events.put_rule(
        Name="calls",
        EventPattern=json.dumps({"source": [{"prefix": "aws."}]}),
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    )
    events.put_targets(Rule="calls", Targets=[{"Id": "intake", "Arn": intake}])
    names = {f"{name.capitalize()}FunctionName": name for name in ("record", "deliver", "digest")}
    return {"Pipeline": {"IntakeQueueUrl": intake_url, "DeliveryQueueUrl": delivery_url, **names}}


def services(runtime: Runtime) -> Mapping[str, Any]:
    def handle(call: Call) -> Reply:
        found = delivered(runtime) if call.operation == "LookupEvents" else []
        return Reply(status=200, headers={}, body=json.dumps({"Found": found}).encode())

    return {"cloudtrail": reading_own_writes(handle, runtime.drain)}


def delivered(runtime: Runtime) -> list[str]:
    """Names of all delivered events."""
    s3 = runtime.clients("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="delivered").get("Contents", [])]
    found = [json.loads(s3.get_object(Bucket="delivered", Key=key)["Body"].read()) for key in keys]
    return sorted(sum(found, []))


@pytest.fixture
def runtime(moto_app: Any) -> Iterator[Runtime]:
    made = Runtime(Options(), deploy=deploy, services=services)
    server = Server("127.0.0.1", 0, made)
    made.endpoint = server.url
    server.serve()
    made.start()
    yield made
    server.close()
    made.stop()


@pytest.fixture
def caller(runtime: Runtime) -> Clients:
    """A user of the endpoint: recorded."""
    return Clients(runtime, account=ACCOUNT, region="us-east-1", act_as_account=False, access_key="AKIAUSER")


def test_flush_moves_every_call_to_its_file(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_user(UserName="bob")
    caller("sts").get_caller_identity()

    counts = runtime.flush()

    assert counts == {"events": 2, "chunks": 1, "failed": 0, "insights": 0, "digests": 0}
    assert delivered(runtime) == ["CreateUser", "GetCallerIdentity"]


def test_flush_counts_what_others_moved_since_the_flush_before(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_user(UserName="bob")
    runtime.drain()
    caller("iam").create_user(UserName="eve")
    runtime.drain()

    counts = [runtime.flush(), runtime.flush()]

    assert [(count["events"], count["chunks"]) for count in counts] == [(2, 2), (0, 0)]


def test_own_functions_are_not_recorded(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_user(UserName="bob")
    runtime.flush()

    assert runtime.flush() == {"events": 0, "chunks": 0, "failed": 0, "insights": 0, "digests": 0}
    assert delivered(runtime) == ["CreateUser"]
    assert set(runtime.unrecorded_roles()) == {
        f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("record", "deliver", "digest")
    }


def test_calls_made_while_others_are_delivered_are_all_delivered_once(
    runtime: Runtime, caller: Clients
) -> None:
    def make(number: int) -> None:
        for turn in range(10):
            caller("sqs").create_queue(QueueName=f"queue-{number}-{turn}")

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        runtime.flush()
    for thread in threads:
        thread.join()
    runtime.flush()

    assert delivered(runtime) == ["CreateQueue"] * 40


def test_calls_in_every_account_and_region_are_recorded_once(runtime: Runtime, caller: Clients) -> None:
    caller("sqs", region="eu-west-1").create_queue(QueueName="theirs")
    role = {"RoleArn": "arn:aws:iam::111122223333:role/there", "RoleSessionName": "me"}
    keys = caller("sts").assume_role(**role)["Credentials"]
    other = Clients(
        runtime,
        account="111122223333",
        region="us-east-1",
        act_as_account=False,
        access_key=keys["AccessKeyId"],
        secret_key=keys["SecretAccessKey"],
        session_token=keys["SessionToken"],
    )
    other("dynamodb").list_tables()

    runtime.flush()

    assert delivered(runtime).count("CreateQueue") == 1
    assert delivered(runtime).count("ListTables") == 1


def test_flush_with_digest_closes_the_window(runtime: Runtime) -> None:
    assert runtime.flush(digest=True)["digests"] == 3


def test_failed_messages_are_counted_and_do_not_hang_the_flush(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_group(GroupName="them")

    counts = runtime.flush()

    assert (counts["events"], counts["chunks"], counts["failed"]) == (1, 0, 1)
    assert delivered(runtime) == []


def test_failing_digest_function_is_named(runtime: Runtime) -> None:
    runtime.clients("lambda").update_function_configuration(FunctionName="digest", Handler="main.absent")

    with pytest.raises(StorageError, match="invoke digest"):
        runtime.flush(digest=True)


def test_lookup_reads_what_was_recorded_before_it(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_user(UserName="bob")

    caller("cloudtrail").lookup_events()

    assert delivered(runtime) == ["CreateUser"]


def test_reset_forgets_and_deploys_afresh(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_user(UserName="bob")
    runtime.flush()

    runtime.reset()

    assert caller("iam").list_users()["Users"] == []
    assert delivered(runtime) == []
    assert runtime.flush()["events"] == 1
    assert delivered(runtime) == ["ListUsers"]


def test_status_tells_what_happened(runtime: Runtime, caller: Clients) -> None:
    caller("iam").create_user(UserName="bob")
    runtime.flush()

    status = runtime.status()

    assert status["bus"]["deliveries"] == 1
    assert status["workers"] == {"record": 1, "deliver": 1, "digest": 1}
    assert [(queue["taken"], queue["failed"]) for queue in status["queues"]] == [(1, 0), (1, 0)]
    assert status["calls"]["recorded"] == 1
    assert status["waiting"] == {"IntakeQueue": 0, "DeliveryQueue": 0}
    assert json.dumps(status)


def test_flush_without_a_pipeline_says_so(moto_app: Any) -> None:
    bare = Runtime(Options(), deploy=lambda runtime: {}, services=lambda runtime: {})
    try:
        bare.start()
        with pytest.raises(StorageError, match="no output IntakeQueueUrl"):
            bare.flush()
    finally:
        bare.stop()
