"""Each thing a Sigma rule can say of a field: what it finds, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.adapters.sigma.rule import read_rule
from opentrail.branches.detections import compile_predicate
from tests.unit.detections.rules import rule


def finds(detection: dict[str, Any], record: dict[str, Any]) -> bool:
    """Does a rule with this detection find the record?"""
    return compile_predicate(read_rule(rule(detection)).condition)(record)


def selects(items: Any, record: dict[str, Any]) -> bool:
    """The same, for one selection."""
    return finds({"selection": items, "condition": "selection"}, record)


def asked(**parameters: Any) -> dict[str, Any]:
    """A record with these request parameters."""
    return {"requestParameters": parameters}


@pytest.mark.parametrize(
    ("items", "found", "left"),
    [
        pytest.param(
            {"eventName": "StopLogging"},
            [{"eventName": "StopLogging"}, {"eventName": "stoplogging"}],
            [{"eventName": "StopLogging2"}, {}],
            id="a text, whatever its case",
        ),
        pytest.param(
            {"eventName": ["A", "B"]}, [{"eventName": "b"}], [{"eventName": "C"}], id="one of a list"
        ),
        pytest.param(
            {"eventName": "A", "awsRegion": "x"},
            [{"eventName": "A", "awsRegion": "x"}],
            [{"eventName": "A"}, {"eventName": "A", "awsRegion": "y"}],
            id="all of a map",
        ),
        pytest.param(
            [{"eventName": "A"}, {"awsRegion": "x"}],
            [{"awsRegion": "x"}],
            [{"awsRegion": "y"}],
            id="any of a list",
        ),
        pytest.param(
            {"eventName": "Delete*"},
            [{"eventName": "DeleteTrail"}],
            [{"eventName": "UndeleteX"}],
            id="a star",
        ),
        pytest.param(
            {"eventName": "Get?"}, [{"eventName": "GetX"}], [{"eventName": "Get"}], id="a question mark"
        ),
        pytest.param(
            {"requestParameters.principal": r"\*"},
            [asked(principal="*")],
            [asked(principal="x")],
            id="a plain star",
        ),
        pytest.param(
            {"eventName|contains": "log"},
            [{"eventName": "StopLogging"}],
            [{"eventName": "Stop"}],
            id="contains",
        ),
        pytest.param(
            {"eventName|contains|all": ["stop", "log"]},
            [{"eventName": "StopLogging"}],
            [{"eventName": "StopIt"}],
            id="contains all",
        ),
        pytest.param(
            {"eventName|startswith": "put"},
            [{"eventName": "PutKey"}],
            [{"eventName": "Input"}],
            id="startswith",
        ),
        pytest.param(
            {"eventName|endswith": "policy"},
            [{"eventName": "PutPolicy"}],
            [{"eventName": "Policy1"}],
            id="endswith",
        ),
        pytest.param({"eventName|cased": "Put"}, [{"eventName": "Put"}], [{"eventName": "put"}], id="cased"),
        pytest.param(
            {"userIdentity.arn|re": r":assumed-role/aws:\w+"},
            [{"userIdentity": {"arn": "arn:aws:sts::1:assumed-role/aws:ec2/i-1"}}],
            [{"userIdentity": {"arn": "arn:aws:sts::1:assumed-role/AWS:ec2"}}],
            id="re",
        ),
        pytest.param(
            {"eventName|re|i": "^put"}, [{"eventName": "PutX"}], [{"eventName": "XPut"}], id="re, any case"
        ),
        pytest.param(
            {"sourceIPAddress|cidr": ["10.0.0.0/8", "2001:db8::/32"]},
            [{"sourceIPAddress": "10.9.8.7"}, {"sourceIPAddress": "2001:db8::1"}],
            [{"sourceIPAddress": "11.0.0.1"}, {"sourceIPAddress": "ec2.amazonaws.com"}, {}],
            id="cidr",
        ),
        pytest.param(
            {"errorCode|exists": False},
            [{}, {"errorCode": None}],
            [{"errorCode": "AccessDenied"}],
            id="exists: no",
        ),
        pytest.param(
            {"requestParameters.tags|exists": True},
            [asked(tags={"a": 1})],
            [asked(), asked(tags=[])],
            id="exists",
        ),
        pytest.param({"errorCode": None}, [{}, {"errorCode": None}], [{"errorCode": "X"}], id="null"),
        pytest.param({"errorCode": "*"}, [{"errorCode": "X"}], [{}, {"errorCode": None}], id="anything"),
        pytest.param(
            {"errorMessage": ""}, [{"errorMessage": ""}], [{}, {"errorMessage": "x"}], id="empty text"
        ),
        pytest.param({"eventName|neq": "A"}, [{"eventName": "B"}, {}], [{"eventName": "a"}], id="neq"),
        pytest.param(
            {"requestParameters.x|base64": "secret"}, [asked(x="c2VjcmV0")], [asked(x="secret")], id="base64"
        ),
        pytest.param(
            {"requestParameters.userData|base64offset|contains": "wget http"},
            [
                asked(userData="IyEvYmluL3NoCndnZXQgaHR0cDovL3gK")
            ],  # printf '#!/bin/sh\nwget http://x\n' | base64
            [asked(userData="IyEvYmluL3NoCmVjaG8gaGkK")],
            id="base64 at any place",
        ),
        pytest.param(
            {"requestParameters.command|windash|contains": " -enc "},
            [asked(command="powershell -enc x"), asked(command="powershell /enc x")],
            [asked(command="powershell enc")],
            id="windash",
        ),
        pytest.param(
            {"userIdentity.userName|fieldref": "requestParameters.userName"},
            [{"userIdentity": {"userName": "Bob"}, **asked(userName="bob")}],
            [{"userIdentity": {"userName": "bob"}, **asked(userName="eve")}, asked(userName="bob"), {}],
            id="fieldref",
        ),
        pytest.param(
            {"requestParameters.port|gte": 1024},
            [asked(port=1024), asked(port="8080")],
            [asked(port=80), asked(port="all"), asked(port=True), asked()],
            id="gte",
        ),
        pytest.param({"requestParameters.port|lt": 10}, [asked(port=9.5)], [asked(port=10)], id="lt"),
    ],
)
def test_modifiers(items: Any, found: list[dict[str, Any]], left: list[dict[str, Any]]) -> None:
    assert [record for record in found if not selects(items, record)] == []
    assert [record for record in left if selects(items, record)] == []


@pytest.mark.parametrize("wanted", ["true", True, "True"])
def test_a_flag_is_found_as_text_and_as_a_boolean(wanted: Any) -> None:
    assert selects({"readOnly": wanted}, {"readOnly": True})
    assert selects({"requestParameters.enable": wanted}, asked(enable="true"))
    assert not selects({"readOnly": wanted}, {"readOnly": False})


@pytest.mark.parametrize("wanted", ["22", 22, 22.0])
def test_a_number_is_found_as_text_and_as_a_number(wanted: Any) -> None:
    for value in (22, 22.0, "22"):
        assert selects({"requestParameters.port": wanted}, asked(port=value))
    assert not selects({"requestParameters.port": wanted}, asked(port="022"))


def test_members_of_answers_and_of_sign_ins_are_found_by_their_path() -> None:
    items = {"additionalEventData.MFAUsed": "No", "responseElements.ConsoleLogin": "Success"}

    login = {"additionalEventData": {"MFAUsed": "No"}, "responseElements": {"ConsoleLogin": "Success"}}
    assert selects(items, login)
    assert not selects(items, {**login, "responseElements": {"ConsoleLogin": "Failure"}})
    assert not selects(items, {**login, "additionalEventData": None})


def test_paths_go_through_lists_of_objects() -> None:
    items = {"requestParameters.ipPermissions.items.ipRanges.items.cidrIp": "0.0.0.0/0"}

    ranges = [{"cidrIp": "10.0.0.0/8"}, {"cidrIp": "0.0.0.0/0"}]
    assert selects(items, asked(ipPermissions={"items": [{"ipRanges": {}}, {"ipRanges": {"items": ranges}}]}))
    assert not selects(items, asked(ipPermissions={"items": [{"ipRanges": {"items": ranges[:1]}}]}))


def test_words_are_found_in_a_policy_as_its_caller_wrote_it() -> None:
    policy = '{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::<NAME>/*"}]}'

    record = asked(userName="bob", policyDocument=policy)
    assert selects({"requestParameters|contains|all": ['"s3:GetObject"', r'<NAME>/\*"']}, record)
    assert not selects({"requestParameters|contains": '"s3:PutObject"'}, record)


def test_an_object_has_members_to_be_found_and_is_no_text() -> None:
    record = asked(bucketPolicy={"Statement": [{"Principal": "*"}]})

    assert selects({"requestParameters.bucketPolicy|contains": r'"Principal":"\*"'}, record)
    assert selects({"requestParameters.bucketPolicy.Statement.Principal": r"\*"}, record)
    assert not selects({"requestParameters.bucketPolicy|startswith": "{"}, record)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("1 of sel*", True),
        ("all of sel*", False),
        ("1 of them", True),
        ("all of them", False),
        ("any of sel*", True),
        ("sel_a and not sel_b", True),
        ("not (sel_a or sel_b)", False),
        ("not sel_a or sel_a and not sel_b", True),
        (["sel_b", "sel_a"], True),
    ],
)
def test_conditions(condition: Any, expected: bool) -> None:
    detection = {"sel_a": {"eventName": "A"}, "sel_b": {"eventName": "B"}, "condition": condition}

    assert finds(detection, {"eventName": "A"}) is expected


def test_keywords_are_found_anywhere_in_the_record() -> None:
    detection = {"keywords": ["ransom", "bit*coin"], "condition": "keywords"}

    assert finds(detection, asked(tags=[{"value": "pay RANSOM now"}]))
    assert finds(detection, {"errorMessage": "a bit of coin"})
    assert not finds(detection, {"errorMessage": "coin"})
