"""compile_trail against a naive reading of the guide that was written apart from it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.model.event import Event, Resource
from opentrail.model.trail import Trail
from opentrail.pipeline.select.selectors import compile_trail
from tests.unit.selectors.test_selectors import make_event, make_trail

ARNS = [
    "arn:aws:s3:::logs",
    "arn:aws:s3:::logs/a/1",
    "arn:aws:s3:::logs/b/2",
    "arn:aws:lambda:us-east-1:1:function:f",
    "arn:aws:lambda:us-east-1:1:function:f2",
    "arn:aws:dynamodb:us-east-1:1:table/t",
]
TYPES = ["AWS::S3::Object", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::DynamoDB::Table"]
SOURCES = ["s3.amazonaws.com", "kms.amazonaws.com", "rdsdata.amazonaws.com", "lambda.amazonaws.com"]
NAMES = ["PutObject", "GetObject", "Invoke", "Decrypt", "DeleteObject"]
USERS = ["arn:aws:iam::1:user/eve", "arn:aws:iam::1:user/bob", "arn:aws:sts::1:assumed-role/r/s"]
CATEGORIES = ["Management", "Data", "NetworkActivity"]


def pieces(words: list[str]) -> st.SearchStrategy[str]:
    """Whole words, and beginnings and ends of them."""
    cut = st.tuples(st.sampled_from(words), st.integers(1, 30))
    return st.one_of(
        st.sampled_from(words), cut.map(lambda c: c[0][: c[1]]), cut.map(lambda c: c[0][-c[1] :])
    )


FIELDS = {
    "eventCategory": CATEGORIES,
    "eventSource": SOURCES,
    "eventName": NAMES,
    "eventType": ["AwsApiCall", "AwsServiceEvent"],
    "readOnly": ["true", "false"],
    "resources.type": TYPES,
    "resources.ARN": ARNS,
    "userIdentity.arn": USERS,
    "sessionCredentialFromConsole": ["true"],
    "vpcEndpointId": ["vpce-1", "vpce-2"],
    "errorCode": ["VpceAccessDenied"],
}
OPERATORS = ["Equals", "NotEquals", "StartsWith", "NotStartsWith", "EndsWith", "NotEndsWith"]


def field_selectors(field: str) -> st.SearchStrategy[dict[str, Any]]:
    values = st.lists(pieces(FIELDS[field]), min_size=1, max_size=3)
    conditions = st.dictionaries(st.sampled_from(OPERATORS), values, min_size=1, max_size=3)
    return conditions.map(lambda found: {"Field": field, **found})


ADVANCED = st.lists(
    st.lists(st.sampled_from(sorted(FIELDS)).flatmap(field_selectors), min_size=1, max_size=4).map(
        lambda fields: {"FieldSelectors": fields}
    ),
    min_size=1,
    max_size=3,
)
BASIC = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "ReadWriteType": st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
            "IncludeManagementEvents": st.booleans(),
            "ExcludeManagementEventSources": st.lists(st.sampled_from(SOURCES[1:3]), max_size=2),
            "DataResources": st.lists(
                st.builds(
                    lambda kind, values: {"Type": kind, "Values": values},
                    st.sampled_from(TYPES),
                    st.lists(
                        st.sampled_from([*ARNS, "arn:aws:s3", "arn:aws:lambda", "arn:aws:dynamodb"]),
                        max_size=3,
                    ),
                ),
                max_size=2,
            ),
        },
    ),
    min_size=1,
    max_size=3,
)
TRAILS = st.one_of(
    ADVANCED.map(lambda found: make_trail(advanced_event_selectors=found)),
    BASIC.map(lambda found: make_trail(event_selectors=found)),
)
EVENTS = st.builds(
    make_event,
    category=st.sampled_from(CATEGORIES),
    source=st.sampled_from(SOURCES),
    name=st.sampled_from(NAMES),
    event_type=st.sampled_from(["AwsApiCall", "AwsServiceEvent", ""]),
    read_only=st.booleans(),
    principal_arn=st.sampled_from([*USERS, ""]),
    from_console=st.booleans(),
    vpc_endpoint_id=st.sampled_from(["vpce-1", ""]),
    error_code=st.sampled_from(["VpceAccessDenied", ""]),
    resources=st.lists(
        st.builds(Resource, st.sampled_from(TYPES), st.sampled_from([*ARNS, ""])), max_size=3
    ).map(tuple),
)


def value_passes(selector: dict[str, Any], value: str | None) -> bool:
    """The guide's rule for one field; ``None`` is a field the record does not have."""
    for operator in OPERATORS:
        if operator.startswith("Not") and any(
            hit(operator[3:], v, value) for v in selector.get(operator, [])
        ):
            return False
    positives = [(o, v) for o in OPERATORS if not o.startswith("Not") for v in selector.get(o, [])]
    return not positives or any(hit(o, v, value) for o, v in positives)


def hit(operator: str, wanted: str, value: str | None) -> bool:
    if value is None:
        return False
    return {
        "Equals": value == wanted,
        "StartsWith": value[: len(wanted)] == wanted,
        "EndsWith": value[len(value) - len(wanted) :] == wanted and len(wanted) <= len(value),
    }[operator]


def record_of(event: Event) -> dict[str, str | None]:
    return {
        "eventCategory": event.category,
        "eventSource": event.source,
        "eventName": event.name,
        "eventType": event.event_type or None,
        "readOnly": "true" if event.read_only else "false",
        "userIdentity.arn": event.principal_arn or None,
        "sessionCredentialFromConsole": "true" if event.from_console else None,
        "vpcEndpointId": event.vpc_endpoint_id or None,
        "errorCode": event.error_code or None,
    }


def advanced_takes(fields: list[dict[str, Any]], event: Event) -> bool:
    record = record_of(event)
    of_resource = [f for f in fields if f["Field"].startswith("resources.")]
    if not all(value_passes(f, record[f["Field"]]) for f in fields if f not in of_resource):
        return False
    if not of_resource:
        return True
    for resource in event.resources:
        facts = {"resources.type": resource.type or None, "resources.ARN": resource.arn or None}
        if all(value_passes(f, facts[f["Field"]]) for f in of_resource):
            return True
    return False


def basic_takes(selector: dict[str, Any], event: Event) -> bool:
    wanted = selector.get("ReadWriteType", "All")
    if wanted != "All" and event.read_only != (wanted == "ReadOnly"):
        return False
    if event.category == "Management":
        included = selector.get("IncludeManagementEvents", True)
        return included and event.source not in selector.get("ExcludeManagementEventSources", [])
    if event.category != "Data":
        return False
    return any(
        resource.type == wanted_resource["Type"] and basic_value_hits(resource, value)
        for wanted_resource in selector.get("DataResources", [])
        for value in wanted_resource["Values"]
        for resource in event.resources
    )


def basic_value_hits(resource: Resource, value: str) -> bool:
    if resource.type == "AWS::S3::Object":
        return resource.arn.startswith(value)
    if value.count(":") == 2 and value.split(":")[2] in ("lambda", "dynamodb"):
        return resource.arn.startswith(value + ":")
    return resource.arn == value


def naive(trail: Trail, event: Event) -> bool:
    if trail.advanced_event_selectors:
        return any(advanced_takes(s["FieldSelectors"], event) for s in trail.advanced_event_selectors)
    return any(basic_takes(s, event) for s in trail.event_selectors or [])


@settings(max_examples=300, deadline=None)
@given(trail=TRAILS, events=st.lists(EVENTS, min_size=1, max_size=12))
def test_the_compiled_matcher_agrees_with_the_naive_reading(trail: Trail, events: list[Event]) -> None:
    matches = compile_trail(trail)

    assert [matches(event) for event in events] == [naive(trail, event) for event in events]
