"""Rules and folders of rules: what is kept of them, and what is refused, with its file and its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opentrail.adapters.sigma.folder import load, read
from opentrail.adapters.sigma.rule import notes_on, read_rule
from opentrail.branches.detections import Detection
from opentrail.branches.detections.detection import from_json, to_json
from opentrail.branches.detections.predicate import Regex, Text
from opentrail.errors import FormatError, SettingsError
from tests.unit.detections.rules import ID, rule

SELECTION = {"selection": {"eventName": "A"}, "condition": "selection"}

RULE = """
title: Something
id: {id}
logsource: {{product: aws, service: cloudtrail}}
detection:
  selection: {{eventName: A}}
  condition: selection
"""


def write(folder: Path, name: str, text: str = RULE, **places: str) -> Path:
    """A file of a folder."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.format(**{"id": ID, **places}))
    return path


def test_what_a_rule_says_of_itself_is_kept() -> None:
    made = read_rule(
        rule(
            SELECTION,
            level="high",
            status="test",
            description="It is so.\n",
            tags=["attack.t1078.004", "attack.persistence"],
            references=["https://example.com/a"],
            falsepositives=["Tuesdays"],
            author="Me",
        )
    )

    assert made == Detection(
        id=ID,
        title="A rule of tests",
        level="high",
        status="test",
        description="It is so.",
        tags=("attack.t1078.004", "attack.persistence"),
        references=("https://example.com/a",),
        falsepositives=("Tuesdays",),
        condition=Text("eventName", "A"),
    )
    assert from_json(to_json([made])) == {ID: made}


def test_compiled_rules_that_are_broken_are_a_format_error() -> None:
    with pytest.raises(FormatError, match="broken detections"):
        from_json(b'[{"id":"1","title":"x","condition":{"test":"perhaps"}}]')


def detecting(selection: Any, condition: str = "selection") -> dict[str, Any]:
    """A rule with one selection."""
    return rule({"selection": selection, "condition": condition})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("text", "a rule is a map"),
        (detecting({"eventName|soundslike": "x"}), "Unknown modifier"),
        (
            detecting({"eventName|expand": "%names%"}),
            "eventName: there is nothing to put in the place of %names%",
        ),
        (detecting({"eventTime|hour": 3}), "eventTime: parts of a time .* are not supported"),
        (detecting({"eventName|re": "(unclosed"}), r"'\(unclosed' is invalid: missing \)"),
        (detecting({"sourceIPAddress|cidr": "10.0.0.1/8"}), "CIDR"),
        (detecting({"eventName": "A"}, "selection | count() > 5"), "pipe syntax"),
        (detecting({"eventName": "A"}, "selektion"), "selektion"),
        (detecting({"eventName": "A"}, "selection and ("), "its condition cannot be read to its end"),
        (detecting({"eventName": "A"}, "selection andd x"), "its condition cannot be read from 'andd x' on"),
        (detecting({"eventName": "A"}, "1 of other*"), "other"),
        (detecting({}), "empty"),
        (detecting([None]), "a keyword|Null value"),
        (rule({"selection": {"eventName": "A"}}), "condition"),
        ({**detecting({"eventName": "A"}), "id": None}, "it has no id"),
        ({**detecting({"eventName": "A"}), "id": "7"}, "UUID"),
        ({**detecting({"eventName": "A"}), "level": "dire"}, "dire"),
        (
            {**detecting({"eventName": "A"}), "logsource": {"product": "windows"}},
            "its logsource is product windows",
        ),
        ({**detecting({"eventName": "A"}), "logsource": None}, "its logsource is missing"),
        ({"title": "x", "correlation": {"type": "event_count"}}, "it is a correlation of several events"),
        ({"title": "x", "filter": {}}, "it is a filter of other rules"),
        ({"action": "global"}, "old form"),
    ],
)
def test_what_cannot_be_compiled_is_refused_and_says_why(document: Any, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read_rule(document)


def test_an_expression_that_cannot_be_read_writes_nothing_of_its_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(FormatError):
        read_rule(detecting({"eventName|re": "(unclosed"}))

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("modifiers", "flags"), [("re", ""), ("re|i", "i"), ("re|i|m|s", "ims")])
def test_flags_of_an_expression(modifiers: str, flags: str) -> None:
    condition = read_rule(detecting({f"eventName|{modifiers}": "^A.*z$"})).condition

    assert condition == Regex("eventName", "^A.*z$", flags)


def test_a_folder_is_read_with_those_below_it_and_files_of_several_rules(tmp_path: Path) -> None:
    first = RULE.format(id=ID)
    second = RULE.format(id="1b9e7c52-6b0b-4b0e-9d55-6b2f5b3b1a02")
    write(tmp_path, "both.yml", f"{first}---{second}".replace("{", "{{").replace("}", "}}"))
    write(tmp_path, "below/third.yaml", id="2b9e7c52-6b0b-4b0e-9d55-6b2f5b3b1a03")
    write(tmp_path, "README.md", "no rule")

    assert [detection.id[0] for detection in load(tmp_path).detections] == ["2", "0", "1"]


def test_every_rule_that_is_wrong_is_named_at_once_with_its_file(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", "title: [")
    write(tmp_path, "b.yml", "---\n")
    write(tmp_path, "c.yml", RULE.replace("eventName:", "eventName|no:"))
    write(tmp_path, "d.yml")
    write(tmp_path, "e.yml")
    write(tmp_path, "f.yml", RULE.replace("selection: {{", "selection: {{eventName: B, "))

    with pytest.raises(SettingsError) as caught:
        load(tmp_path)

    said = str(caught.value).split("; ")
    assert [text.partition(": ")[0].rpartition("/")[2] for text in said] == [f"{n}.yml" for n in "abcef"]
    assert "is no YAML" in said[0]
    assert said[1].endswith("holds no rule")
    assert "Something: Unknown modifier" in said[2]
    assert said[3].endswith(f"Something: its id is that of a rule in {tmp_path / 'd.yml'}")
    assert "Duplicate key 'eventName'" in said[4]


def test_notes_say_which_rule_of_a_folder_they_are_about(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", RULE.replace("eventName:", "status:"))

    assert load(tmp_path).notes == (f"{path}: Something: records have no member status: it is always absent",)


def test_a_rule_for_cloudtrail_need_not_say_whose_that_is() -> None:
    assert read_rule({**rule(SELECTION), "logsource": {"service": "cloudtrail"}}).id == ID


def test_a_folder_without_rules_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no Sigma rules"):
        load(tmp_path)


def test_what_is_probably_not_meant_is_noted(tmp_path: Path) -> None:
    detection = {
        "selection": {"status": "success", "requestParameters.any": "x"},
        "forgotten": {"eventName": "A"},
        "filter_main_x": {"eventName": "B"},
        "condition": "selection and not 1 of filter_*",
    }
    document = rule(detection)

    assert list(notes_on(document, read_rule(document))) == [
        "records have no member status: it is always absent",
        "its condition does not use forgotten",
    ]


def test_a_rule_that_every_call_must_be_judged_by_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", RULE.replace("eventName: A", "userAgent|contains: kali"))

    (reading,) = read(path)
    assert reading.notes == (
        "it names no event that EventBridge could select: its function runs for every call",
    )
