"""What targets receive: Input, InputPath, InputTransformer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.errors import FormatError
from opentrail.local.templates import MISSING, extract, target_body

EVENT = {
    "version": "0",
    "time": "2026-01-10T18:12:23Z",
    "account": "111122223333",
    "detail": {"name": 'say "hi"', "count": 7, "items": [{"id": "a"}, {"id": "b"}], "on": True, "none": None},
}
ENVELOPE = json.dumps(EVENT).encode()
RULE = "arn:aws:events:us-east-1:111122223333:rule/mine"


def body(**target: Any) -> str:
    return target_body(target, ENVELOPE, EVENT, RULE).decode()


def transformed(template: str, **paths: str) -> str:
    return body(InputTransformer={"InputTemplate": template, "InputPathsMap": paths})


def test_plain_target_gets_the_very_bytes() -> None:
    assert target_body({}, ENVELOPE, {}, RULE) is ENVELOPE


def test_input_is_sent_as_it_is() -> None:
    assert body(Input='{"constant":  1}') == '{"constant":  1}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.detail.count", "7"),
        ("$.detail.items[1].id", '"b"'),
        ("$.detail['items'][0]", '{"id":"a"}'),
        ("$.detail.absent", "null"),
    ],
)
def test_input_path(path: str, expected: str) -> None:
    assert body(InputPath=path) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"n": <count>}', {"n": 7}),
        ('{"n": "<count>"}', {"n": "7"}),
        ('{"who": <name>}', {"who": 'say "hi"'}),
        ('{"who": "it is <name>!"}', {"who": 'it is say "hi"!'}),
        ('{"all": <items>}', {"all": [{"id": "a"}, {"id": "b"}]}),
        ('{"text": "<items>"}', {"text": '[{"id":"a"},{"id":"b"}]'}),
        ('{"on": <on>, "none": <none>}', {"on": True, "none": None}),
        ('{"gone": "<gone>"}', {"gone": ""}),
        ('{"gone": <gone>}', {"gone": None}),
        ('{"unknown": "<nobody>"}', {"unknown": "<nobody>"}),
    ],
)
def test_json_template(template: str, expected: dict[str, Any]) -> None:
    fields = ("count", "name", "items", "on", "none", "gone")

    answer = transformed(template, **{field: f"$.detail.{field}" for field in fields})

    assert json.loads(answer) == expected


def test_text_template_keeps_its_quotes_and_lines() -> None:
    assert transformed('"<account> did it"\n"twice"', account="$.account") == '"111122223333 did it"\n"twice"'


def test_own_variables() -> None:
    template = (
        '{"rule": "<aws.events.rule-name>", "arn": <aws.events.rule-arn>, '
        '"event": <aws.events.event.json>, "head": <aws.events.event>}'
    )

    answer = json.loads(transformed(template))

    assert answer["rule"] == "mine"
    assert answer["arn"] == RULE
    assert answer["event"] == EVENT
    assert answer["head"] == {name: value for name, value in EVENT.items() if name != "detail"}


def test_template_that_is_no_json_afterwards_fails() -> None:
    with pytest.raises(FormatError, match="does not give JSON"):
        transformed('{"n": <nobody>}')


@pytest.mark.parametrize("path", ["detail", "$detail", "$.detail[x]"])
def test_path_outside_the_language_is_refused(path: str) -> None:
    with pytest.raises(FormatError):
        extract(path, EVENT)


def test_missing_is_told_from_null() -> None:
    assert extract("$.detail.none", EVENT) is None
    assert extract("$.detail.gone", EVENT) is MISSING
    assert extract("$.detail.items[9]", EVENT) is MISSING
