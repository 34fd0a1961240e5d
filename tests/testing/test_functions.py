"""Functions that a test deploys: what they see, what they leave behind, what their errors become."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from opentrail.errors import OpenTrailError
from opentrail.testing.world import OpenTrail

CREATE_USER = {
    "source": ["aws.iam"],
    "detail": {"eventName": ["CreateUser"], "errorCode": [{"exists": False}]},
}
TAG = """
import os, boto3, rules_of_tags
iam = boto3.client("iam")
calls = []
def handler(event, context):
    calls.append(event)
    name = event["detail"]["requestParameters"]["userName"]
    tag = {"Key": os.environ["TAG"], "Value": f"{rules_of_tags.VALUE} {len(calls)}"}
    iam.tag_user(UserName=name, Tags=[tag])
"""


def write(directory: Path, **modules: str) -> Path:
    directory.mkdir(exist_ok=True)
    for name, text in modules.items():
        directory.joinpath(f"{name}.py").write_text(text)
    return directory


def tags(opentrail: OpenTrail, user: str) -> dict[str, str]:
    found = opentrail.client("iam").list_user_tags(UserName=user)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


@pytest.fixture
def tagging(opentrail: OpenTrail, tmp_path: Path) -> OpenTrail:
    """A rule that has every new user tagged."""
    source = write(tmp_path / "tagging", main=TAG, rules_of_tags="VALUE = 'number'")
    opentrail.function(source, handler="main.handler", on=CREATE_USER, environment={"TAG": "seen"})
    return opentrail


def test_a_function_of_a_rule_runs_in_the_flush(tagging: OpenTrail) -> None:
    tagging.client("iam").create_user(UserName="bob")
    assert tags(tagging, "bob") == {}

    tagging.flush()

    assert tags(tagging, "bob") == {"seen": "number 1"}


def test_a_function_stays_warm(tagging: OpenTrail) -> None:
    for user in ("bob", "eve"):
        tagging.client("iam").create_user(UserName=user)

    tagging.flush()

    assert tags(tagging, "eve") == {"seen": "number 2"}


def test_a_function_calls_as_its_role(tagging: OpenTrail) -> None:
    tagging.client("iam").create_user(UserName="bob")
    tagging.flush()

    (event,) = tagging.events("TagUser")

    assert event["userIdentity"]["type"] == "AssumedRole"
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "tagging"


def test_a_function_leaves_the_process_as_it_was(tagging: OpenTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    mine: Any = type(sys)("rules_of_tags")
    monkeypatch.setitem(sys.modules, "rules_of_tags", mine)
    before = (dict(os.environ), list(sys.path), Path.cwd(), boto3.DEFAULT_SESSION)
    tagging.client("iam").create_user(UserName="bob")

    tagging.flush()

    assert (dict(os.environ), list(sys.path), Path.cwd(), boto3.DEFAULT_SESSION) == before
    assert sys.modules["rules_of_tags"] is mine
    assert "main" not in sys.modules


def test_two_functions_have_modules_of_the_same_name(opentrail: OpenTrail, tmp_path: Path) -> None:
    for user in ("bob", "eve"):
        opentrail.client("iam").create_user(UserName=user)
    for user, value in (("bob", "one"), ("eve", "two")):
        source = write(tmp_path / user, main=TAG, rules_of_tags=f"VALUE = {value!r}")
        pattern = {"detail": {"eventName": ["UntagUser"], "requestParameters": {"userName": [user]}}}
        opentrail.function(source, handler="main.handler", on=pattern, environment={"TAG": "was"})
    for user in ("bob", "eve"):
        opentrail.client("iam").untag_user(UserName=user, TagKeys=["x"])

    opentrail.flush()

    assert (tags(opentrail, "bob"), tags(opentrail, "eve")) == ({"was": "one 1"}, {"was": "two 1"})


def test_new_code_is_a_cold_start(tagging: OpenTrail, tmp_path: Path) -> None:
    from opentrail.testing.deploying import zipped

    tagging.client("iam").create_user(UserName="bob")
    tagging.flush()
    changed = write(tmp_path / "changed", main=TAG, rules_of_tags="VALUE = 'changed'")
    tagging.client("lambda").update_function_code(FunctionName="tagging", ZipFile=zipped(changed))
    tagging.client("iam").create_user(UserName="eve")

    tagging.flush()

    assert tags(tagging, "eve") == {"seen": "changed 1"}


def test_deploying_leaves_no_events(tagging: OpenTrail) -> None:
    assert tagging.events() == []


def test_invoke_answers_at_once(opentrail: OpenTrail, tmp_path: Path) -> None:
    double = "def handler(event, context): return {'twice': 2 * event['n'], 'me': context.function_name}"
    opentrail.function(write(tmp_path, double=double) / "double.py")

    answer = opentrail.client("lambda").invoke(FunctionName="double", Payload=json.dumps({"n": 21}))

    assert json.loads(answer["Payload"].read()) == {"twice": 42, "me": "double"}


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("def handler(event, context): raise ValueError('no')", "ValueError", "no"),
        ("def handler(event, context): raise SystemExit(3)", "SystemExit", "3"),
        ("def handler(event, context): return {1, 2}", "TypeError", "set is not JSON"),
        ("import absent_module", "ModuleNotFoundError", "absent_module"),
        ("", "AttributeError", "handler"),
    ],
)
def test_what_a_function_raises_is_its_answer(
    opentrail: OpenTrail, tmp_path: Path, source: str, kind: str, message: str
) -> None:
    opentrail.function(write(tmp_path, broken=source) / "broken.py")

    answer = opentrail.client("lambda").invoke(FunctionName="broken")

    body = json.loads(answer["Payload"].read())
    assert (answer["FunctionError"], body["errorType"]) == ("Unhandled", kind)
    assert message in body["errorMessage"]


def test_other_runtimes_are_refused(opentrail: OpenTrail, tmp_path: Path) -> None:
    opentrail.function(write(tmp_path, fix="") / "fix.py")
    opentrail.client("lambda").update_function_configuration(FunctionName="fix", Runtime="nodejs22.x")

    answer = opentrail.client("lambda").invoke(FunctionName="fix")

    assert b"nodejs22.x" in answer["Payload"].read()


def test_a_failing_function_is_tried_three_times_and_given_up(
    opentrail: OpenTrail, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    failing = "def handler(event, context):\n    print('tried')\n    raise ValueError('no')"
    opentrail.function(write(tmp_path, failing=failing) / "failing.py", on=CREATE_USER)
    queue = opentrail.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    opentrail.client("lambda").update_function_configuration(
        FunctionName="failing",
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{opentrail.region}:{opentrail.account}:dead"},
    )
    opentrail.client("iam").create_user(UserName="bob")

    opentrail.flush()

    assert capsys.readouterr().out.count("tried") == 3
    assert "ValueError: no" in caplog.text
    (dead,) = opentrail.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(dead["Body"])["detail"]["eventName"] == "CreateUser"


def test_a_function_behind_a_queue_runs_in_the_flush(opentrail: OpenTrail, tmp_path: Path) -> None:
    source = """
import boto3, json
def handler(event, context):
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        boto3.client("iam").create_group(GroupName="of-" + detail["requestParameters"]["userName"])
"""
    opentrail.function(write(tmp_path, groups=source) / "groups.py")
    opentrail.client("sqs").create_queue(QueueName="inbox")
    queue = f"arn:aws:sqs:{opentrail.region}:{opentrail.account}:inbox"
    opentrail.client("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName="groups")
    opentrail.client("events").put_rule(Name="users", EventPattern=json.dumps(CREATE_USER))
    opentrail.client("events").put_targets(Rule="users", Targets=[{"Id": "inbox", "Arn": queue}])
    opentrail.client("iam").create_user(UserName="bob")

    opentrail.flush()

    groups = opentrail.client("iam").list_groups()["Groups"]
    assert [group["GroupName"] for group in groups] == ["of-bob"]


def test_functions_set_off_one_another_within_one_flush(opentrail: OpenTrail, tmp_path: Path) -> None:
    source = "import boto3\ndef handler(event, context): boto3.client('iam').create_group(GroupName='new')"
    opentrail.function(write(tmp_path, first=source) / "first.py", on=CREATE_USER)
    last = "import boto3\ndef handler(event, context): boto3.client('iam').delete_group(GroupName='new')"
    pattern = {"detail": {"eventName": ["CreateGroup"]}}
    opentrail.function(write(tmp_path, last=last) / "last.py", on=pattern)
    trail = opentrail.trail()
    opentrail.client("iam").create_user(UserName="bob")

    opentrail.flush()

    delivered = {event["eventName"] for event in trail.events()}
    assert delivered >= {"CreateUser", "CreateGroup", "DeleteGroup"}


def test_a_loop_of_functions_ends_with_an_error(opentrail: OpenTrail, tmp_path: Path) -> None:
    source = """
import boto3
def handler(event, context):
    boto3.client("events").put_events(Entries=[{"Source": "me", "DetailType": "again", "Detail": "{}"}])
"""
    opentrail.function(write(tmp_path, loop=source) / "loop.py", on={"source": ["me"]})
    opentrail.client("events").put_events(Entries=[{"Source": "me", "DetailType": "once", "Detail": "{}"}])

    with pytest.raises(OpenTrailError, match="without end: loop"):
        opentrail.flush()


def test_a_directory_needs_a_handler(opentrail: OpenTrail, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="say which handler"):
        opentrail.function(tmp_path)


def test_a_second_function_of_a_name_is_refused(opentrail: OpenTrail, tmp_path: Path) -> None:
    source = write(tmp_path, fix="def handler(event, context): pass") / "fix.py"
    opentrail.function(source)

    with pytest.raises(ClientError):
        opentrail.function(source)
