"""Hypothesis strategies for inputs, read off botocore's shapes: mostly right, sometimes a little wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.api.fakes import ACCOUNT, GROUP_ARN, HOME, KEY_ARN, ROLE_ARN, TOPIC_ARN

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
# Values that mean something here, by the member that takes them.
KNOWN: dict[str, list[Any]] = {
    "Name": ["audit", "other", ARN],
    "TrailName": ["audit", ARN],
    "S3BucketName": ["logs", "bare"],
    "S3KeyPrefix": ["", "p"],
    "SnsTopicName": ["news", TOPIC_ARN, ""],
    "KmsKeyId": [KEY_ARN, "alias/logs", ""],
    "CloudWatchLogsLogGroupArn": [GROUP_ARN, ""],
    "CloudWatchLogsRoleArn": [ROLE_ARN, ""],
    "ResourceId": [ARN],
    "ResourceArn": [ARN],
    "Field": ["eventCategory", "resources.type", "resources.ARN", "eventName", "eventSource", "readOnly"],
    "Equals": [["Data"], ["Management"], ["AWS::S3::Object"], ["true"]],
    "Values": [["arn:aws:s3"], ["arn:aws:s3:::b/"]],
    "Key": ["team", "owner"],
    "Type": ["AWS::S3::Object", "AWS::Lambda::Function"],
}
TEXT = st.text(max_size=12)
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def values_of(draw: st.DrawFn, shape: Any, member: str = "") -> Any:
    """What a request may hold at this place: values that mean something, others, one time in 60 any."""
    if draw(st.integers(0, 59)) == 59:
        return draw(ANYTHING)
    if member in KNOWN and draw(st.integers(0, 5)):
        return draw(st.sampled_from(KNOWN[member]))
    return draw(_right_values(shape))


def _right_values(shape: Any) -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if kind == "structure":
        members = {name: values_of(m, name) for name, m in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if kind == "list":
        return st.lists(values_of(shape.member), max_size=3)
    if kind == "map":
        return st.dictionaries(TEXT, values_of(shape.value), max_size=2)
    if kind == "string":
        return st.sampled_from(shape.enum) if shape.enum else TEXT
    scalars: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "integer": st.integers(-5, 2000),
        "long": st.integers(-5, 2000),
        "timestamp": st.floats(1.7e9, 1.8e9),
    }
    return scalars[kind]
