"""Reading properties: every one is read or refused, and takes the form the API wants."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ShapeResolver

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties, fit

MODEL: Any = {
    "Root": {
        "type": "structure",
        "members": {
            "ID": {"shape": "Text"},
            "Size": {"shape": "Whole"},
            "On": {"shape": "Flag"},
            "Rate": {"shape": "Real"},
            "Items": {"shape": "Many"},
            "Labels": {"shape": "Labels"},
            "Body": {"shape": "Bytes"},
        },
    },
    "Many": {"type": "list", "member": {"shape": "Root"}},
    "Labels": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    "Text": {"type": "string"},
    "Whole": {"type": "integer"},
    "Flag": {"type": "boolean"},
    "Real": {"type": "double"},
    "Bytes": {"type": "blob"},
}
ROOT = ShapeResolver(MODEL).get_shape_by_name("Root")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Id": "x"}, {"ID": "x"}),
        ({"Size": "12"}, {"Size": 12}),
        ({"Size": "9007199254740993"}, {"Size": 9007199254740993}),
        ({"Size": 3.0}, {"Size": 3}),
        ({"On": "true"}, {"On": True}),
        ({"On": "false"}, {"On": False}),
        ({"Rate": "0.5"}, {"Rate": 0.5}),
        ({"Id": 5}, {"ID": "5"}),
        ({"Id": True}, {"ID": "true"}),
        ({"Id": {"a": [1]}}, {"ID": '{"a": [1]}'}),
        ({"Labels": {"k": 1}}, {"Labels": {"k": "1"}}),
        ({"Items": [{"Size": 1}, {"Id": "y"}]}, {"Items": [{"Size": 1}, {"ID": "y"}]}),
        ({"Body": "text"}, {"Body": b"text"}),
        ({"Other": "x"}, {"ID": "x"}),
    ],
)
def test_value_takes_the_form_of_the_shape(value: Any, expected: Any) -> None:
    assert fit(value, ROOT, "", {"Other": "ID"}) == expected


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"Unknown": 1}, "property Unknown is not supported"),
        ({"Items": [{"Size": 1}, {"Oops": 1}]}, r"property Items\[1\]\.Oops is not supported"),
        ({"Items": {"Size": 1}}, "property Items is .* not a list"),
        ({"Labels": ["x"]}, "property Labels is .* not an object"),
        ({"On": "yes"}, "property On is 'yes', not true or false"),
        ({"Size": "many"}, "property Size is 'many', not a number"),
        ({"Size": "1.5"}, "property Size is '1.5', not a whole number"),
        ({"Size": [1]}, r"property Size is \[1\], not a number"),
        ({"Id": None}, "property Id is None, not text"),
        ("text", "property  is 'text', not an object"),
    ],
)
def test_value_is_refused(value: Any, why: str) -> None:
    with pytest.raises(DeployError, match=why):
        fit(value, ROOT, "")


def test_what_nobody_reads_is_known_by_its_path() -> None:
    properties = Properties({"A": 1, "B": {"C": 1, "D": 2}, "E": [{"F": 1}, {"F": 1, "G": 2}], "H": 1})

    properties.take("A")
    child = properties.child("B")
    assert child is not None
    child.take("C")
    for one in properties.children("E"):
        one.take("F")

    assert list(properties.unread()) == ["H", "B.D", "E[1].G"]


def test_rest_reads_everything_not_read_yet() -> None:
    properties = Properties({"Id": "x", "Size": "1"})
    properties.take("Id")

    rest = properties.rest(ROOT)

    assert rest == {"Size": 1}
    assert list(properties.unread()) == []


@pytest.mark.parametrize("method", ["child", "children"])
def test_nested_value_of_another_kind_is_refused(method: str) -> None:
    with pytest.raises(DeployError, match="property A is 'text', not"):
        getattr(Properties({"A": "text"}), method)("A")


def test_tags_come_as_a_list_or_a_map() -> None:
    as_list = Properties({"Tags": [{"Key": "k", "Value": 1}]})
    as_map = Properties({"Tags": {"k": 1}})

    assert as_list.tags() == as_map.tags() == {"k": "1"}


def test_required_property_is_named() -> None:
    with pytest.raises(DeployError, match="property Bucket is required"):
        Properties({}).need("Bucket")
