"""Intrinsic functions: what each gives, and what each refuses."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import DeployError
from opentrail.local.deployer.intrinsics import references, resolve


class Names:
    """A scope that knows a few names."""

    def __init__(self, **refs: Any) -> None:
        self.refs = refs

    def ref(self, name: str) -> Any:
        if name not in self.refs:
            raise DeployError(f"unknown {name}")
        return self.refs[name]

    def attribute(self, logical_id: str, name: str) -> Any:
        return f"{logical_id}/{name}"

    def condition(self, name: str) -> bool:
        return name == "Yes"

    def mapping(self, name: str, first: str, second: str) -> Any:
        return [name, first, second]

    def imported(self, name: str) -> str:
        return f"imported {name}"


SCOPE = Names(Bucket="my-bucket", Number="7", List=["a", "b"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Bucket"}, "my-bucket"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "Bucket/Arn"),
        ({"Fn::GetAtt": "Bucket.Sub.Arn"}, "Bucket/Sub.Arn"),
        ({"Fn::Sub": "${Bucket}-${Bucket.Arn}-${!Literal}"}, "my-bucket-Bucket/Arn-${Literal}"),
        ({"Fn::Sub": ["${X}${Number}", {"X": {"Ref": "Bucket"}}]}, "my-bucket7"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Bucket"}, 3]]}, "a/my-bucket/3"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Split": ["-", {"Ref": "Bucket"}]}, ["my", "bucket"]),
        ({"Fn::Select": ["1", {"Fn::Split": ["-", "a-b-c"]}]}, "b"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, {"Ref": "Number"}]}, "7"),
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": [{"Ref": "Number"}, 7]}, True),
        ({"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
        ({"Fn::Contains": [["1", "2"], "2"]}, True),
        ({"Fn::EachMemberEquals": [{"Ref": "List"}, "a"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "List"}, ["a", "b", "c"]]}, True),
        ({"Fn::FindInMap": ["M", {"Ref": "Bucket"}, "k"]}, ["M", "my-bucket", "k"]),
        ({"Fn::Base64": "hello"}, base64.b64encode(b"hello").decode()),
        ({"Fn::ImportValue": {"Fn::Sub": "x-${Number}"}}, "imported x-7"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"a": {"Fn::If": ["No", "kept", {"Ref": "AWS::NoValue"}]}}, {}),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, None),
    ],
)
def test_function_gives(value: Any, expected: Any) -> None:
    assert resolve(value, SCOPE) == (value if expected is None else expected)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"Fn::GetAZs": ""}, "Fn::GetAZs is not supported"),
        ({"Fn::Transform": {}}, "Fn::Transform is not supported"),
        ({"Fn::Select": [2, ["a", "b"]]}, "no item 2"),
        ({"Fn::Select": [-1, ["a", "b"]]}, "no item -1"),
        ({"Fn::Select": ["x", ["a"]]}, "takes a position"),
        ({"Fn::Join": [",", "text"]}, "takes a list"),
        ({"Fn::Join": [","]}, "takes two arguments"),
        ({"Fn::Split": ["", "text"]}, "at least one character"),
        ({"Fn::If": ["Yes", 1]}, "two values"),
        ({"Fn::GetAtt": "Bucket"}, "logical id and an attribute"),
        ({"Fn::Sub": [{"Ref": "Bucket"}, {}]}, "a string and a map"),
        ({"Fn::Sub": "${List}"}, "takes text"),
        ({"Fn::Not": ["text"]}, "not a condition"),
        ({"Fn::And": [{"Condition": "Yes"}]}, "2 to 10 conditions"),
        ({"Fn::FindInMap": ["a", "b"]}, "three names"),
        ({"Ref": "Nobody"}, "unknown Nobody"),
        ("{{resolve:secretsmanager:x}}", "dynamic reference"),
    ],
)
def test_function_refuses(value: Any, why: str) -> None:
    with pytest.raises(DeployError, match=why):
        resolve(value, SCOPE)


def test_references_are_found_wherever_they_hide() -> None:
    value = {
        "a": [{"Ref": "One"}, {"Fn::If": ["C", {"Fn::GetAtt": ["Two", "Arn"]}, "x"]}],
        "b": {"Fn::Sub": ["${Three.Arn}${Own}${!Not}", {"Own": {"Ref": "Four"}}]},
        "c": {"Fn::Join": ["", [{"Fn::GetAtt": "Five.Arn"}]]},
    }

    assert sorted(references(value)) == ["Five", "Four", "One", "Three", "Two"]


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8).filter(lambda text: "{{" not in text),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcde", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(value=_PLAIN)
def test_plain_data_is_left_as_it_is(value: Any) -> None:
    assert resolve(value, SCOPE) == value


@given(parts=st.lists(st.text("abcdef", max_size=5), min_size=1, max_size=5), place=st.integers(0, 4))
def test_split_undoes_join(parts: list[str], place: int) -> None:
    joined = {"Fn::Join": ["|", parts]}

    assert resolve({"Fn::Split": ["|", joined]}, SCOPE) == parts
    if place < len(parts):
        assert resolve({"Fn::Select": [place, {"Fn::Split": ["|", joined]}]}, SCOPE) == parts[place]


@given(
    pieces=st.lists(
        st.one_of(
            st.text("xyz $", max_size=4).map(lambda text: (text, text)),
            st.sampled_from([("${Bucket}", "my-bucket"), ("${Bucket.Arn}", "Bucket/Arn"), ("${!A}", "${A}")]),
        ),
        max_size=6,
    )
)
def test_sub_replaces_each_variable_and_nothing_else(pieces: list[tuple[str, str]]) -> None:
    template = "".join(source for source, _ in pieces)

    assert resolve({"Fn::Sub": template}, SCOPE) == "".join(result for _, result in pieces)


@given(value=_PLAIN, flag=st.booleans())
def test_if_takes_one_branch_and_never_looks_into_the_other(value: Any, flag: bool) -> None:
    broken = {"Fn::GetAZs": ""}
    branches = [value, broken] if flag else [broken, value]

    assert resolve({"Fn::If": ["Yes" if flag else "No", *branches]}, SCOPE) == value
