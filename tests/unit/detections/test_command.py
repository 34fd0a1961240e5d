"""``opentrail detections``: what becomes of rules, and what they find in files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from opentrail.cli.detections import command
from tests.support.records import make_record
from tests.unit.detections.rules import ID, rule

FOUND = make_record(eventName="StopLogging", eventID="e-1")
OTHER = make_record(eventName="StartLogging")


def run(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def write(path: Path, document: Any) -> Path:
    """JSON is YAML, too."""
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one rule, for StopLogging."""
    (tmp_path / "rules").mkdir()
    items = {"selection": {"eventName": "StopLogging"}, "condition": "selection"}
    write(tmp_path / "rules" / "stop.yml", rule(items, level="high"))
    return tmp_path / "rules"


def test_check_says_what_eventbridge_decides(rules: Path) -> None:
    result = run("check", rules)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{rules / 'stop.yml'}: A rule of tests",
        '  EventBridge decides: {"eventName": [{"equals-ignore-case": "StopLogging"}]}',
        "1 rule, 0 with problems",
    ]


def test_check_says_what_the_function_decides(rules: Path) -> None:
    one, every = {"eventName": "A", "userAgent|contains": "x"}, {"status": 1, "userAgent|contains": "x"}
    write(rules / "stop.yml", rule({"selection": one, "condition": "selection"}))
    other = {**rule({"selection": every, "condition": "not selection"}), "id": ID.replace("0", "1")}
    write(rules / "z.yml", other)

    lines = run("check", rules).stdout.splitlines()

    assert lines[1] == '  the function decides about: {"eventName": [{"equals-ignore-case": "A"}]}'
    assert lines[3] == "  the function decides about every call"
    assert lines[4] == "  note: records have no member status: it is always absent"


def test_check_fails_when_a_rule_cannot_be_compiled(rules: Path) -> None:
    write(rules / "bad.yml", {"title": "Bad", "correlation": {}})
    (rules / "worse.yml").write_text("[")

    result = run("check", rules)

    assert result.exit_code == 1
    assert "  problem: it is a correlation of several events" in result.stdout
    assert f"{rules / 'worse.yml'}: is no YAML" in result.stdout
    assert result.stdout.endswith("3 rules, 2 with problems\n")


def test_check_in_json(rules: Path) -> None:
    write(rules / "bad.yml", {"title": "Bad", "correlation": {}})

    bad, good = map(json.loads, run("check", "--json", rules).stdout.splitlines())

    assert (bad["rule"], bad["problem"].partition(";")[0]) == ("Bad", "it is a correlation of several events")
    assert (good["id"], good["level"], good["decides"], good["notes"]) == (ID, "high", "EventBridge", [])
    assert good["pattern"]["detail"] == {"eventName": [{"equals-ignore-case": "StopLogging"}]}


def test_a_folder_without_rules_is_an_error(tmp_path: Path) -> None:
    result = run("check", tmp_path)

    assert (result.exit_code, "holds no Sigma rules" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"Records": [OTHER, FOUND]}),
        json.dumps([OTHER, FOUND]),
        json.dumps(FOUND, indent=2),
        f"{json.dumps(OTHER)}\n\n{json.dumps(FOUND)}\n",
        json.dumps({"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": FOUND}),
        json.dumps({"Events": [{"EventId": "e-1", "CloudTrailEvent": json.dumps(FOUND)}]}),
    ],
    ids=["log file", "list", "record", "lines", "EventBridge event", "lookup-events"],
)
def test_events_come_in_every_form(rules: Path, tmp_path: Path, content: str) -> None:
    plain, packed = tmp_path / "events.json", tmp_path / "events.json.gz"
    plain.write_text(content)
    packed.write_bytes(gzip.compress(content.encode()))

    result = run("test", rules / "stop.yml", plain, packed)

    assert result.exit_code == 0
    *matches, summary = result.stdout.splitlines()
    line = (
        f"{FOUND['eventTime']}  high      A rule of tests  StopLogging  {FOUND['userIdentity']['arn']}  e-1"
    )
    assert matches == [line, line]
    assert summary.startswith("2 findings in ")


def test_a_folder_of_events_and_json(rules: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs" / "2026"
    logs.mkdir(parents=True)
    write(logs / "a.json", FOUND)
    (logs / "README.txt").write_text("no events")

    (line,) = run("test", "--json", rules, tmp_path / "logs").stdout.splitlines()

    assert json.loads(line) == {"ruleId": ID, "title": "A rule of tests", "level": "high", "record": FOUND}


def test_nothing_found_is_exit_code_1(rules: Path, tmp_path: Path) -> None:
    result = run("test", rules, write(tmp_path / "events.json", OTHER))

    assert (result.exit_code, result.stdout) == (1, "0 findings in 1 record\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{\n", "line 1 is no JSON"),
        (b"7", "'7' is no event"),
        (b"\xff", "can't decode"),
        (b"\x1f\x8b broken", "events.json"),
        (json.dumps({"CloudTrailEvent": "{"}).encode(), "is no JSON"),
    ],
)
def test_a_file_of_something_else_is_exit_code_2(
    rules: Path, tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(content)

    result = run("test", rules, path)

    assert (result.exit_code, complaint in result.stderr) == (2, True)


def test_a_folder_without_events_is_exit_code_2(rules: Path) -> None:
    result = run("test", rules, rules)

    assert (result.exit_code, "holds no files with events" in result.stderr) == (2, True)


def test_a_rule_that_cannot_be_compiled_is_not_tried(rules: Path, tmp_path: Path) -> None:
    write(rules / "bad.yml", {"title": "Bad", "correlation": {}})

    result = run("test", rules, write(tmp_path / "events.json", FOUND))

    assert (result.exit_code, "bad.yml: Bad: it is a correlation" in result.stderr) == (2, True)
