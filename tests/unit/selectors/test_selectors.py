"""compile_trail: basic and advanced selectors, insights."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.model.event import Event, Place, Resource
from opentrail.model.trail import Trail
from opentrail.pipeline.select.selectors import compile_trail

OBJECT = Resource("AWS::S3::Object", "arn:aws:s3:::logs/a/b.txt")
BUCKET = Resource("AWS::S3::Bucket", "arn:aws:s3:::logs")


def make_event(**changes: Any) -> Event:
    facts: dict[str, Any] = {
        "raw": b"{}",
        "place": Place("123456789012", "us-east-1"),
        "arrived": Place("123456789012", "us-east-1"),
        "arrived_at": 1768018831.0,
        "event_id": "e",
        "time": "2026-01-10T04:20:31Z",
        "source": "iam.amazonaws.com",
        "name": "CreateUser",
        "category": "Management",
        "event_type": "AwsApiCall",
    }
    return Event(**(facts | changes))


def make_data_event(**changes: Any) -> Event:
    facts: dict[str, Any] = {"category": "Data", "source": "s3.amazonaws.com", "name": "PutObject"}
    return make_event(**(facts | {"resources": (OBJECT, BUCKET)} | changes))


def make_trail(**changes: Any) -> Trail:
    facts: dict[str, Any] = {
        "account": "123456789012",
        "home_region": "us-east-1",
        "name": "t",
        "bucket": "b",
    }
    return Trail(**(facts | changes))


def basic(**selector: Any) -> Trail:
    return make_trail(event_selectors=[selector])


def advanced(*fields: dict[str, Any]) -> Trail:
    return make_trail(advanced_event_selectors=[{"FieldSelectors": list(fields)}])


def takes(trail: Trail, event: Event) -> bool:
    """Ask twice, since the second answer comes from what was remembered."""
    matches = compile_trail(trail)
    first = matches(event)
    assert matches(event) is first
    return first


@pytest.mark.parametrize(
    ("category", "taken"),
    [("Management", True), ("Data", False), ("NetworkActivity", False), ("Insight", False), ("", False)],
)
@pytest.mark.parametrize("trail", [make_trail(), make_trail(event_selectors=[], advanced_event_selectors=[])])
def test_without_selectors_only_management_events_are_taken(trail: Trail, category: str, taken: bool) -> None:
    assert takes(trail, make_event(category=category)) is taken


@pytest.mark.parametrize(
    ("read_write", "read_only", "taken"),
    [
        ("All", True, True),
        ("All", False, True),
        ("ReadOnly", True, True),
        ("ReadOnly", False, False),
        ("WriteOnly", True, False),
        ("WriteOnly", False, True),
    ],
)
def test_read_write_type_holds_for_management_and_data(read_write: str, read_only: bool, taken: bool) -> None:
    resources = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    trail = basic(ReadWriteType=read_write, DataResources=resources)

    assert takes(trail, make_event(read_only=read_only)) is taken
    assert takes(trail, make_data_event(read_only=read_only)) is taken


def test_excluded_sources_are_management_sources_only() -> None:
    trail = basic(
        ExcludeManagementEventSources=["kms.amazonaws.com"],
        DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
    )

    assert not takes(trail, make_event(source="kms.amazonaws.com"))
    assert takes(trail, make_event(source="rdsdata.amazonaws.com"))
    assert takes(trail, make_data_event(source="kms.amazonaws.com"))


def test_management_events_can_be_left_out() -> None:
    trail = basic(
        IncludeManagementEvents=False, DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    )

    assert not takes(trail, make_event())
    assert takes(trail, make_data_event())


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("arn:aws:s3", True),
        ("arn:aws:s3:::", True),
        ("arn:aws:s3:::logs/", True),
        ("arn:aws:s3:::logs/a/", True),
        ("arn:aws:s3:::logs/b", False),
        ("arn:aws:s3:::log/", False),
        ("arn:aws:s3:::logs2/", False),
    ],
)
def test_s3_values_are_prefixes_of_object_arns(value: str, taken: bool) -> None:
    assert (
        takes(basic(DataResources=[{"Type": "AWS::S3::Object", "Values": [value]}]), make_data_event())
        is taken
    )


@pytest.mark.parametrize(
    ("type_", "value", "arn", "taken"),
    [
        ("AWS::Lambda::Function", "arn:aws:lambda", "arn:aws:lambda:us-east-1:1:function:f", True),
        (
            "AWS::Lambda::Function",
            "arn:aws:lambda:us-east-1:1:function:f",
            "arn:aws:lambda:us-east-1:1:function:f",
            True,
        ),
        (
            "AWS::Lambda::Function",
            "arn:aws:lambda:us-east-1:1:function:f",
            "arn:aws:lambda:us-east-1:1:function:f2",
            False,
        ),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb", "arn:aws:dynamodb:us-east-1:1:table/t", True),
        (
            "AWS::DynamoDB::Table",
            "arn:aws:dynamodb:us-east-1:1:table/t",
            "arn:aws:dynamodb:us-east-1:1:table/t2",
            False,
        ),
    ],
)
def test_function_and_table_values_are_whole_arns_or_all(
    type_: str, value: str, arn: str, taken: bool
) -> None:
    event = make_data_event(resources=(Resource(type_, arn),))

    assert takes(basic(DataResources=[{"Type": type_, "Values": [value]}]), event) is taken


def test_any_selector_is_enough() -> None:
    trail = make_trail(
        event_selectors=[
            {"ReadWriteType": "ReadOnly"},
            {
                "IncludeManagementEvents": False,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
            },
        ]
    )

    assert takes(trail, make_event(read_only=True))
    assert takes(trail, make_data_event(read_only=False))
    assert not takes(trail, make_event(read_only=False))


CATEGORY_DATA = {"Field": "eventCategory", "Equals": ["Data"]}
TYPE_OBJECT = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}


@pytest.mark.parametrize(
    ("selector", "name", "taken"),
    [
        ({"Equals": ["PutObject", "GetObject"]}, "PutObject", True),
        ({"Equals": ["PutObject"]}, "putobject", False),
        ({"StartsWith": ["Put"], "EndsWith": ["Acl"]}, "PutObject", True),
        ({"StartsWith": ["Put"], "EndsWith": ["Acl"]}, "GetObjectAcl", True),
        ({"StartsWith": ["Put"], "EndsWith": ["Acl"]}, "GetObject", False),
        ({"StartsWith": ["Put"], "NotEndsWith": ["Acl"]}, "PutObjectAcl", False),
        ({"StartsWith": ["Put"], "NotEndsWith": ["Acl"]}, "PutObject", True),
        ({"NotEquals": ["PutObject"], "NotStartsWith": ["Get"]}, "PutObject", False),
        ({"NotEquals": ["PutObject"], "NotStartsWith": ["Get"]}, "GetObject", False),
        ({"NotEquals": ["PutObject"], "NotStartsWith": ["Get"]}, "HeadObject", True),
    ],
)
def test_deselection_beats_selection_and_selections_are_alternatives(
    selector: dict[str, Any], name: str, taken: bool
) -> None:
    trail = advanced(CATEGORY_DATA, TYPE_OBJECT, {"Field": "eventName", **selector})

    assert takes(trail, make_data_event(name=name)) is taken


def test_all_fields_of_a_selector_must_hold() -> None:
    trail = advanced(CATEGORY_DATA, TYPE_OBJECT, {"Field": "readOnly", "Equals": ["false"]})

    assert takes(trail, make_data_event(read_only=False))
    assert not takes(trail, make_data_event(read_only=True))
    assert not takes(trail, make_data_event(resources=(BUCKET,)))


def test_type_and_arn_are_of_the_same_resource() -> None:
    trail = advanced(CATEGORY_DATA, TYPE_OBJECT, {"Field": "resources.ARN", "Equals": ["arn:aws:s3:::logs"]})

    assert not takes(trail, make_data_event())
    assert takes(trail, make_data_event(resources=(Resource("AWS::S3::Object", "arn:aws:s3:::logs"),)))


@pytest.mark.parametrize(
    ("field", "fact", "value"),
    [
        ("userIdentity.arn", "principal_arn", "arn:aws:iam::1:user/eve"),
        ("vpcEndpointId", "vpc_endpoint_id", "vpce-1"),
        ("errorCode", "error_code", "VpceAccessDenied"),
        ("eventType", "event_type", "AwsVpceEvents"),
    ],
)
def test_an_absent_field_fails_positive_operators_and_passes_negative_ones(
    field: str, fact: str, value: str
) -> None:
    network = {"Field": "eventCategory", "Equals": ["NetworkActivity"]}
    absent = make_event(category="NetworkActivity", **{fact: ""})
    present = make_event(category="NetworkActivity", **{fact: value})

    assert not takes(advanced(network, {"Field": field, "Equals": [value]}), absent)
    assert takes(advanced(network, {"Field": field, "NotEquals": [value]}), absent)
    assert takes(advanced(network, {"Field": field, "StartsWith": [value[:3]]}), present)
    assert not takes(advanced(network, {"Field": field, "NotEndsWith": [value[-3:]]}), present)


def test_console_sessions_can_be_left_out() -> None:
    trail = advanced(
        CATEGORY_DATA, TYPE_OBJECT, {"Field": "sessionCredentialFromConsole", "NotEquals": ["true"]}
    )

    assert takes(trail, make_data_event(from_console=False))
    assert not takes(trail, make_data_event(from_console=True))


def test_remembering_a_kind_does_not_remember_its_records() -> None:
    matches = compile_trail(
        advanced(CATEGORY_DATA, TYPE_OBJECT, {"Field": "resources.ARN", "EndsWith": [".txt"]})
    )
    picture = Resource("AWS::S3::Object", "arn:aws:s3:::logs/a/b.png")

    assert matches(make_data_event())
    assert not matches(make_data_event(resources=(picture, BUCKET)))
    assert matches(make_data_event())


def test_an_insight_is_taken_when_its_type_is_on() -> None:
    trail = make_trail(
        event_selectors=[{"IncludeManagementEvents": False}],
        insight_selectors=[{"InsightType": "ApiErrorRateInsight"}],
    )

    assert takes(trail, make_event(category="Insight", insight_type="ApiErrorRateInsight"))
    assert not takes(trail, make_event(category="Insight", insight_type="ApiCallRateInsight"))


def test_memory_for_kinds_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opentrail.pipeline.select.selectors.MAX_REMEMBERED_KINDS", 3)
    matches = compile_trail(make_trail())

    assert all(matches(make_event(name=f"Op{i}")) for i in range(10))
    assert not matches(make_data_event())


def test_types_of_two_resources_do_not_add_up_to_one() -> None:
    trail = advanced(CATEGORY_DATA, TYPE_OBJECT, {"Field": "resources.type", "Equals": ["AWS::S3::Bucket"]})

    assert not takes(trail, make_data_event())


def test_insights_of_data_events_are_for_the_trail_they_were_found_in() -> None:
    selector = {"InsightType": "ApiCallRateInsight", "EventCategories": ["Data"]}
    trail = make_trail(insight_selectors=[selector])

    found = [
        takes(trail, make_event(category="Insight", insight_type="ApiCallRateInsight", insight_source=source))
        for source in (trail.arn, trail.arn + "2", "")
    ]

    assert found == [True, False, False]
