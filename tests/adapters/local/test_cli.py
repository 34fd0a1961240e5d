"""The commands against an endpoint: exit codes, output, and ``up`` as its own process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from opentrail import cli
from opentrail.cli import main
from opentrail.local.server import Server

COUNTS = {"events": 3, "chunks": 1, "digests": 0, "failed": 0}


class Endpoint:
    """Answers every request with ``status`` and ``body``; remembers what was asked."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.body = json.dumps(COUNTS).encode()
        self.asked: list[str] = []
        self.server = Server("127.0.0.1", 0, self)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        start_response(self.status, [])
        return [self.body]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    made.server.serve()
    yield made
    made.server.close()


def run(*arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(main, arguments, env=environment)


def test_flush_prints_the_counts(endpoint: Endpoint) -> None:
    result = run("flush", AWS_ENDPOINT_URL=endpoint.server.url)

    assert result.exit_code == 0
    assert json.loads(result.stdout) == COUNTS
    assert endpoint.asked == ["POST /_opentrail/flush?"]


def test_flush_with_digest(endpoint: Endpoint) -> None:
    run("flush", "--digest", "--endpoint", endpoint.server.url)

    assert endpoint.asked == ["POST /_opentrail/flush?digest=1"]


def test_flush_that_leaves_messages_behind_fails(endpoint: Endpoint) -> None:
    endpoint.body = json.dumps({**COUNTS, "failed": 1}).encode()

    assert run("flush", "--endpoint", endpoint.server.url).exit_code == 1


def test_error_of_the_runtime_is_shown(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.body = "500 Internal Server Error", b'{"error": "invoke digest: no"}'

    result = run("flush", "--endpoint", endpoint.server.url)

    assert result.exit_code == 1
    assert "invoke digest: no" in result.stderr


@pytest.mark.parametrize("verb", ["flush", "status"])
def test_nothing_there_is_exit_code_2(verb: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    result = run(verb, "--endpoint", url)

    assert result.exit_code == 2
    assert f"cannot reach OpenTrail at {url}" in result.stderr


@pytest.mark.parametrize("verb", ["flush", "status"])
def test_an_endpoint_that_is_no_url_is_exit_code_2(verb: str) -> None:
    refused = run(verb, "--endpoint", "localhost")

    assert refused.exit_code == 2
    assert "cannot reach OpenTrail at localhost" in refused.output


def test_something_else_there_is_exit_code_2(endpoint: Endpoint) -> None:
    endpoint.body = b"<html>"

    assert run("status", "--endpoint", endpoint.server.url).exit_code == 2


def test_status_prints_json(endpoint: Endpoint) -> None:
    endpoint.body = b'{"account": "123456789012"}'

    shown = run("status", "--json", "--endpoint", endpoint.server.url).stdout
    assert json.loads(shown) == {"account": "123456789012"}


@pytest.mark.parametrize(
    ("status", "bad", "code"),
    [
        ({}, [], 0),
        ({"waiting": {"IntakeQueue": 7, "IntakeDeadLetterQueue": 0}}, [], 0),
        ({"waiting": {"IntakeDeadLetterQueue": 1}}, ["queue IntakeDeadLetter"], 1),
        ({"calls": {"calls": 9, "recorded": 8, "capture_errors": 1, "last_error": "no"}}, ["recording"], 1),
        ({"asynchronous_failures": 2}, ["asynchronous invocations"], 1),
    ],
)
def test_status_is_one_screen_and_an_exit_code(
    endpoint: Endpoint, status: dict[str, Any], bad: list[str], code: int
) -> None:
    endpoint.body = json.dumps(status).encode()

    shown = run("status", "--endpoint", endpoint.server.url)

    lines = shown.stdout.splitlines()
    assert [line[4:38].strip() for line in lines if line.startswith("BAD")] == bad
    assert shown.exit_code == code


def test_status_calls_functions_by_the_names_their_stacks_have(endpoint: Endpoint) -> None:
    made, own = "OpenTrailPipeline-RecordFunction0FDC7770-HDMNLX63HUVH", "keep-logging"
    endpoint.body = json.dumps({"workers": {made: 2, own: 1}}).encode()

    *_, line = run("status", "--endpoint", endpoint.server.url).stdout.splitlines()

    assert line.split(maxsplit=2) == ["ok", "workers", f"2 RecordFunction, 1 {own}"]


def test_verbs_are_found_by_their_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wave_back.py").write_text(
        "import click\n@click.command()\ndef command():\n    '''Wave.'''\n    click.echo('bye')\n"
    )
    (tmp_path / "_private.py").write_text("raise RuntimeError\n")
    (tmp_path / "plain.py").write_text("command = 'no command'\n")
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(tmp_path)])

    assert run("wave-back").output == "bye\n"
    listed = main.list_commands(click.Context(main))
    assert {"flush", "status", "up", "wave-back"} <= set(listed)
    assert not {"plain", "-private", "-endpoint"} & set(listed)
    assert run("plain").exit_code == 2
    sys.modules.pop("opentrail.cli.wave_back", None)


def test_flush_does_not_wait_for_moto() -> None:
    code = (
        "import sys, opentrail.cli.flush, opentrail.cli; print('moto' in sys.modules, 'boto3' in sys.modules)"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output == "False False\n"


TEMPLATE: dict[str, Any] = {
    "Parameters": {
        name: {"Type": "String"}
        for name in (
            "IntakeWindowSeconds",
            "DeliveryWindowSeconds",
            "DigestPeriodSeconds",
            "TrailCacheSeconds",
            "LateSeconds",
        )
    },
    "Resources": {
        "Intake": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "intake"}},
        "Delivery": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "delivery"}},
        "Trails": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": {"Statement": []}, "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        },
    },
    "Outputs": {
        "IntakeQueueUrl": {"Value": {"Ref": "Intake"}},
        "DeliveryQueueUrl": {"Value": {"Ref": "Delivery"}},
        "TrailsTableName": {"Value": {"Ref": "Trails"}},
        "LedgerTableName": {"Value": {"Ref": "Trails"}},
        "HistoryTableName": {"Value": {"Ref": "Trails"}},
        "SigningKeyId": {"Value": {"Ref": "Key"}},
    },
}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """The smallest cloud assembly that ``up`` can start with."""
    manifest = {
        "version": "55.0.0",
        "artifacts": {
            "Small": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "Small.template.json"},
            }
        },
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "Small.template.json").write_text(json.dumps(TEMPLATE))
    return tmp_path


def start(*arguments: str) -> subprocess.Popen[str]:
    code = "from opentrail.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "up", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AWS_PROFILE": "not-there"},
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_up_announces_itself_answers_and_ends(assembly: Path, end: signal.Signals) -> None:
    process = start("--port", "0", "--assembly", str(assembly), "--account", "111122223333")
    assert process.stdout is not None
    line = process.stdout.readline()

    url = line.removeprefix("OpenTrail ready at ").strip()
    with urllib.request.urlopen(f"{url}/_opentrail/health", timeout=10) as answer:
        health = json.load(answer)
    status = json.loads(run("status", "--json", "--endpoint", url).stdout)
    process.send_signal(end)
    rest, errors = process.communicate(timeout=30)

    assert url.startswith("http://127.0.0.1:")
    assert health == {"status": "ok"}
    assert status["account"] == "111122223333"
    assert status["outputs"]["IntakeQueueUrl"] == f"{url}/111122223333/intake"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_up_on_a_taken_port_says_so(assembly: Path, endpoint: Endpoint) -> None:
    process = start("--port", str(endpoint.server.port), "--assembly", str(assembly))
    output, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert output == ""
    assert "cannot listen on 127.0.0.1" in errors


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--account", "me"], "'me' is not an account: 12 digits"),
        (["--region", "nowhere"], "'nowhere' is not a Region"),
        (["--bare", "--ingest"], "--bare deploys nothing: --ingest does not go with it"),
        (["--export", f"{os.devnull}/here"], os.devnull),
    ],
)
def test_up_refuses_what_it_could_not_serve(options: list[str], complaint: str) -> None:
    refused = run("up", "--port", "0", *options)

    assert refused.exit_code == 2
    assert complaint in refused.output


def test_up_with_a_template_it_cannot_build_says_so(assembly: Path) -> None:
    template = {**TEMPLATE, "Resources": {**TEMPLATE["Resources"], "Odd": {"Type": "AWS::Odd::Thing"}}}
    (assembly / "Small.template.json").write_text(json.dumps(template))

    process = start("--port", "0", "--assembly", str(assembly))
    output, errors = process.communicate(timeout=30)

    assert (process.returncode, output) == (1, "")
    assert "AWS::Odd::Thing" in errors
