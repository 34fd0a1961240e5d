"""Functions run for real: worker processes, their answers, logs, credentials and ends."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.local import function_logs
from opentrail.local.asynchronous import AsyncInvoker
from opentrail.local.functions import Functions, find_function
from opentrail.local.invocations import answer_invocation
from opentrail.local.server import Server
from opentrail.local.targets import Targets
from opentrail.local.transport import Clients
from opentrail.local.worker import Answer
from tests.adapters.local.conftest import ACCOUNT, Notes, bodies, make_function, make_queue, package

ECHO = "import os\ndef handler(event, context): return {'event': event, 'pid': os.getpid()}\n"


class Lab:
    """Functions, their asynchronous queue, and clients that invoke through moto's Lambda API."""

    def __init__(self, functions: Functions, asynchronous: AsyncInvoker, clients: Clients) -> None:
        self.functions = functions
        self.asynchronous = asynchronous
        self.clients = clients

    def call(self, payload: Any = None, name: str = "worker", **settings: Any) -> dict[str, Any]:
        """Invoke, and parse the answer's payload."""
        answer = self.clients("lambda").invoke(FunctionName=name, Payload=json.dumps(payload), **settings)
        body = answer["Payload"].read()
        return {**answer, "Payload": json.loads(body) if body else None}

    def logs(self, group: str = "/aws/lambda/worker") -> list[str]:
        """Every line of a log group, stream by stream."""
        logs = self.clients("logs")
        lines: list[str] = []
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            found = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])
            lines += [event["message"] for event in found["events"]]
        return lines


@pytest.fixture
def lab(notes: Notes, clients: Clients, moto_app: Any) -> Iterator[Lab]:
    server = Server("127.0.0.1", 0, moto_app)
    server.serve()
    functions = Functions(clients, lambda: server.url)
    targets: list[Targets] = []
    asynchronous = AsyncInvoker(functions.invoke, lambda arn, body: targets[0].send(arn, body))
    targets.append(Targets(asynchronous.submit))

    def invoke(
        function: Any, payload: bytes, headers: Mapping[str, str], answer_headers: dict[str, Any]
    ) -> bytes:
        return answer_invocation(functions, asynchronous, function, payload, headers, answer_headers)

    notes.invoke_function = invoke  # type: ignore[method-assign]
    yield Lab(functions, asynchronous, clients)
    asynchronous.stop()
    functions.close()
    server.close()


def test_function_answers_and_stays_warm(lab: Lab) -> None:
    make_function(lab.clients, ECHO)

    first, second = lab.call({"a": 1}), lab.call("two")

    assert first["StatusCode"] == 200
    assert first["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in first
    assert first["Payload"]["event"] == {"a": 1}
    assert second["Payload"] == {"event": "two", "pid": first["Payload"]["pid"]}


def test_environment_is_lambdas_and_not_the_hosts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "private")
    monkeypatch.setenv("HOST_SECRET", "s")
    source = "import os\ndef handler(event, context): return dict(os.environ)\n"
    make_function(lab.clients, source, Environment={"Variables": {"MINE": "1"}}, MemorySize=256)

    environment = lab.call()["Payload"]

    assert environment["MINE"] == "1"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "worker"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/worker"
    assert not {"AWS_PROFILE", "HOST_SECRET"} & set(environment)


def test_function_calls_aws_with_its_own_role(lab: Lab) -> None:
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket='audit-logs', Key='k', Body=b'x')\n"
        "    return boto3.client('sts').get_caller_identity()['Arn']\n"
    )
    lab.clients("s3").create_bucket(Bucket="audit-logs")
    make_function(lab.clients, source)

    arn = lab.call()["Payload"]

    assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/worker"
    assert lab.clients("s3").get_object(Bucket="audit-logs", Key="k")["Body"].read() == b"x"


def test_context_is_lambdas(lab: Lab) -> None:
    source = (
        "def handler(event, context):\n"
        "    left = context.get_remaining_time_in_millis()\n"
        "    return [context.aws_request_id, context.invoked_function_arn, left]\n"
    )
    arn = make_function(lab.clients, source, Timeout=20)

    request_id, invoked, remaining = lab.call()["Payload"]

    assert len(request_id) == 36
    assert invoked == arn
    assert 0 < remaining <= 20_000


def test_exception_is_an_unhandled_error(lab: Lab) -> None:
    make_function(lab.clients, "def handler(event, context): raise ValueError('bad luck')\n")

    answer = lab.call()

    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "ValueError"
    assert answer["Payload"]["errorMessage"] == "bad luck"
    assert answer["Payload"]["stackTrace"]


def test_error_while_importing_is_reported(lab: Lab) -> None:
    make_function(lab.clients, "import no_such_module\n")

    answer = lab.call()

    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ImportModuleError"
    assert "no_such_module" in answer["Payload"]["errorMessage"]


def test_timeout_kills_the_worker(lab: Lab) -> None:
    source = (
        "import os, threading\n"
        "def handler(event, context):\n"
        "    if event == 'wait': threading.Event().wait()\n"
        "    return os.getpid()\n"
    )
    make_function(lab.clients, source, Timeout=1)
    before = lab.call()["Payload"]

    answer = lab.call("wait")
    after = lab.call()["Payload"]

    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Sandbox.Timedout"
    assert answer["Payload"]["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert after != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_exit_is_reported(lab: Lab) -> None:
    make_function(lab.clients, "import os\ndef handler(event, context): os._exit(7)\n")

    answer = lab.call()

    assert answer["Payload"]["errorType"] == "Runtime.ExitError"
    assert answer["Payload"]["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")


def test_worker_that_died_between_calls_is_replaced(lab: Lab) -> None:
    make_function(lab.clients, ECHO)
    pid = lab.call()["Payload"]["pid"]
    os.kill(pid, 9)
    function = find_function("worker", account=ACCOUNT, region="us-east-1")
    pool = lab.functions._pool(function)
    pool._idle[0][0]._process.wait(10)

    assert lab.call()["Payload"]["pid"] != pid


@pytest.mark.parametrize(
    "change",
    [
        lambda api: api.update_function_code(
            FunctionName="worker", ZipFile=package(main="def handler(e, c): return 'new'\n")
        ),
        lambda api: api.update_function_configuration(
            FunctionName="worker", Environment={"Variables": {"ANSWER": "new"}}
        ),
    ],
    ids=["code", "environment"],
)
def test_change_means_a_cold_start(lab: Lab, change: Any) -> None:
    source = "import os\ndef handler(event, context): return os.environ.get('ANSWER', 'old')\n"
    make_function(lab.clients, source)
    before = lab.call()["Payload"]

    change(lab.clients("lambda"))

    assert (before, lab.call()["Payload"]) == ("old", "new")


def test_output_goes_to_the_log_group(lab: Lab) -> None:
    make_function(lab.clients, "print('starting')\ndef handler(event, context): print('hello', event)\n")

    answer = lab.call(1, LogType="Tail")
    lab.call(2)

    lines = lab.logs()
    assert lines[1:3] == ["starting", "hello 1"]
    assert lines[0].startswith("START RequestId: ")
    assert lines[0].endswith("Version: $LATEST")
    assert lines[4].startswith("REPORT RequestId: ")
    assert lines[6] == "hello 2"
    assert base64.b64decode(answer["LogResult"]).decode().splitlines() == ["starting", "hello 1"]


def test_json_log_goes_to_the_configured_group(lab: Lab) -> None:
    source = "import logging\ndef handler(event, context): logging.getLogger().warning('look')\n"
    make_function(lab.clients, source, LoggingConfig={"LogFormat": "JSON", "LogGroup": "/mine"})

    lab.call()

    lines = [json.loads(line) for line in lab.logs("/mine")]
    assert [line.get("type") for line in lines] == ["platform.start", None, "platform.report"]
    assert (lines[1]["level"], lines[1]["message"]) == ("WARNING", "look")
    assert lines[2]["record"]["status"] == "success"


def test_much_output_does_not_block_the_worker(lab: Lab) -> None:
    make_function(lab.clients, "def handler(event, context): print('x' * 500_000)\n")

    lab.call()

    assert max(len(line) for line in lab.logs()) == 500_000


def test_concurrent_calls_get_workers_of_their_own(lab: Lab, tmp_path: Path) -> None:
    # Each call waits until the other one has begun, so one worker alone would never end.
    source = (
        "import os, pathlib\n"
        "def handler(event, context):\n"
        "    here = pathlib.Path(event)\n"
        "    (here / str(os.getpid())).touch()\n"
        "    while len(list(here.iterdir())) < 2: pass\n"
        "    return os.getpid()\n"
    )
    make_function(lab.clients, source)
    pids: list[int] = []

    def call() -> None:
        pids.append(lab.call(str(tmp_path))["Payload"])

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(set(pids)) == 2
    assert lab.functions.describe() == {"worker": 2}


def test_dry_run_runs_nothing(lab: Lab) -> None:
    make_function(lab.clients, "import os\nos._exit(1)\n")

    assert lab.call(InvocationType="DryRun")["StatusCode"] == 204
    assert lab.functions.describe() == {}


def test_malformed_payload_is_refused(lab: Lab) -> None:
    make_function(lab.clients, ECHO)

    with pytest.raises(ClientError) as error:
        lab.clients("lambda").invoke(FunctionName="worker", Payload=b"{")

    assert error.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_other_runtimes_say_so(lab: Lab) -> None:
    make_function(lab.clients, ECHO)
    lab.clients("lambda").update_function_configuration(FunctionName="worker", Runtime="nodejs22.x")

    answer = lab.call()

    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.Unsupported"


def test_event_invocation_returns_at_once_and_runs(lab: Lab) -> None:
    url, _ = make_queue(lab.clients)
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=event['url'], MessageBody='ran')\n"
    )
    make_function(lab.clients, source)

    answer = lab.call({"url": url}, InvocationType="Event")

    assert (answer["StatusCode"], answer["Payload"]) == (202, None)
    assert lab.asynchronous.wait_idle(30)
    assert bodies(lab.clients, url) == ["ran"]


def test_failing_event_is_tried_three_times_and_goes_to_its_destination(lab: Lab) -> None:
    url, queue = make_queue(lab.clients)
    make_function(lab.clients, "def handler(event, context): print('try'); raise ValueError('no')\n")
    lab.clients("lambda").put_function_event_invoke_config(
        FunctionName="worker", DestinationConfig={"OnFailure": {"Destination": queue}}
    )

    lab.call({"a": 1}, InvocationType="Event")

    assert lab.asynchronous.wait_idle(30)
    (body,) = (json.loads(text) for text in bodies(lab.clients, url))
    assert body["requestContext"]["condition"] == "RetriesExhausted"
    assert body["requestContext"]["approximateInvokeCount"] == 3
    assert body["requestPayload"] == {"a": 1}
    assert body["responsePayload"]["errorMessage"] == "no"
    assert lab.logs().count("try") == 3
    assert lab.asynchronous.failed == 1


def test_failing_event_goes_to_the_dead_letter_queue(lab: Lab) -> None:
    url, queue = make_queue(lab.clients)
    make_function(
        lab.clients,
        "def handler(event, context): raise ValueError('no')\n",
        DeadLetterConfig={"TargetArn": queue},
    )
    lab.clients("lambda").put_function_event_invoke_config(FunctionName="worker", MaximumRetryAttempts=0)

    lab.call({"a": 1}, InvocationType="Event")

    assert lab.asynchronous.wait_idle(30)
    assert bodies(lab.clients, url) == ['{"a": 1}']


def test_a_destination_that_is_gone_is_said_and_costs_nothing_else(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    url, queue = make_queue(lab.clients)
    make_function(lab.clients, "def handler(event, context): raise ValueError('no')\n")
    lab.clients("lambda").put_function_event_invoke_config(
        FunctionName="worker",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    lab.clients("sqs").delete_queue(QueueUrl=url)

    lab.call({"a": 1}, InvocationType="Event")

    assert lab.asynchronous.wait_idle(30)
    assert lab.asynchronous.failed == 1
    assert [(r.levelname, r.exc_info) for r in caplog.records if "could not be told" in r.message] == [
        ("WARNING", None)
    ]


def test_bucket_notification_runs_the_function(lab: Lab) -> None:
    arn = make_function(
        lab.clients, "def handler(event, context): print(event['Records'][0]['s3']['object']['key'])\n"
    )
    lab.clients("s3").create_bucket(Bucket="audit-logs")
    lab.clients("s3").put_bucket_notification_configuration(
        Bucket="audit-logs",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )

    lab.clients("s3").put_object(Bucket="audit-logs", Key="new", Body=b"x")

    assert lab.asynchronous.wait_idle(30)
    assert "new" in lab.logs()


def test_warm_starts_workers_ahead_of_the_first_call(lab: Lab) -> None:
    make_function(lab.clients, ECHO)
    function = find_function("worker", account=ACCOUNT, region="us-east-1")

    lab.functions.warm([function])

    assert lab.functions.describe() == {"worker": 1}
    assert isinstance(lab.functions.invoke(function, b"1"), Answer)
    assert lab.functions.describe() == {"worker": 1}


def test_stop_ends_every_worker(lab: Lab) -> None:
    make_function(lab.clients, ECHO)
    pid = lab.call()["Payload"]["pid"]

    lab.functions.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert lab.functions.describe() == {}


HANG = (
    "import pathlib, threading\n"
    "def handler(event, context):\n"
    "    pathlib.Path(event, 'begun').touch()\n"
    "    threading.Event().wait()\n"
)


def wait_for(path: Path) -> None:
    while not path.exists():
        os.sched_yield()


def test_stop_ends_a_call_under_way(lab: Lab, tmp_path: Path) -> None:
    make_function(lab.clients, HANG, Timeout=900)
    answers: list[dict[str, Any]] = []
    caller = threading.Thread(target=lambda: answers.append(lab.call(str(tmp_path))))
    caller.start()
    wait_for(tmp_path / "begun")

    lab.functions.stop()
    caller.join(30)

    assert answers[0]["FunctionError"] == "Unhandled"
    assert answers[0]["Payload"]["errorType"] == "Runtime.ExitError"


def test_stop_drops_events_that_wait_and_tries_none_again(lab: Lab, tmp_path: Path) -> None:
    make_function(lab.clients, HANG, Timeout=900)
    for _ in range(3):
        lab.call(str(tmp_path), InvocationType="Event")
    wait_for(tmp_path / "begun")

    lab.asynchronous.stop()
    lab.functions.stop()

    assert lab.asynchronous.wait_idle(30)
    assert lab.functions.describe() == {}


def test_long_log_forgets_its_oldest_lines(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_logs, "MAX_STREAM_EVENTS", 8)
    make_function(lab.clients, "def handler(event, context): print('call', event)\n")

    for number in range(4):
        lab.call(number)

    lines = lab.logs()
    assert len(lines) <= 8
    assert "call 3" in lines
    assert "call 0" not in lines
