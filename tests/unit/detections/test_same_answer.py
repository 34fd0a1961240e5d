"""Whatever the rule and the event: compiled, it answers as a plain reading of Sigma does."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.adapters.sigma.rule import read_rule
from opentrail.branches.detections import compile_predicate, pattern_of
from opentrail.branches.detections.detection import from_json, to_json
from opentrail.local.patterns import compile_pattern
from tests.unit.detections import naive
from tests.unit.detections.rules import ID, rule

WORDS = ["Delete", "DELETEBUCKET", "iam", "aWFt", "a*b", "10.0.0.7", "true", "22", "no.22", "q"]
texts = st.sampled_from(WORDS)
scalars = st.one_of(texts, st.booleans(), st.sampled_from([22, 2.5, 0, 5_000_000_001]))

# Fields whose kind is known, and some of which nothing is known.
TEXT_FIELDS = ["eventName", "errorCode", "userIdentity.type", "userIdentity.arn"]
OPEN_FIELDS = ["requestParameters.a", "requestParameters.b.c", "requestParameters.b.d", "requestParameters"]
fields = st.sampled_from([*TEXT_FIELDS, "readOnly", *OPEN_FIELDS, "nobody.knows"])

parts = st.sampled_from(
    ["Del", "delete", "BUCKET", "0.0", "b", "2", "e", "*", "a\\*b", "t*e", "?ue", "\\", "."]
)
wanted_texts = st.one_of(
    texts, parts, st.sampled_from(["", "*", "Del*", "*bucket", "*e*t*", "d?l*", "true", "22"])
)
plain_values = st.one_of(wanted_texts, st.booleans(), st.none(), st.sampled_from([22, 2.5, 5_000_000_001]))


def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One value, or a list of some."""
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


modifiers = st.one_of(
    st.tuples(st.just(""), listed(plain_values)),
    st.tuples(st.sampled_from(["|contains", "|startswith", "|endswith", "|cased"]), listed(wanted_texts)),
    st.tuples(st.sampled_from(["|contains|all", "|startswith|cased"]), listed(parts)),
    st.tuples(st.just("|base64|contains"), listed(st.sampled_from(["iam", "true"]))),
    st.tuples(
        st.sampled_from(["|re", "|re|i"]), listed(st.sampled_from(["^Del", "e.$", "b+", r"\d\d", "a\\*b"]))
    ),
    st.tuples(st.just("|cidr"), listed(st.sampled_from(["10.0.0.0/8", "10.0.0.7/32", "2001:db8::/32"]))),
    st.tuples(st.just("|exists"), st.booleans()),
    st.tuples(st.just("|fieldref"), fields),
    st.tuples(st.sampled_from(["|lt", "|gt"]), st.sampled_from([22, 3, 2.5])),
)
items = st.builds(lambda field, m: (field + m[0], m[1]), fields, modifiers)
maps = st.lists(items, min_size=1, max_size=3).map(dict)
selections = st.one_of(maps, st.lists(maps, min_size=1, max_size=3), st.lists(texts, min_size=1, max_size=2))

names = st.sampled_from(["sel_a", "sel_b", "other", "1 of sel_*", "all of sel_*", "all of them", "1 of them"])


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Conditions of conditions."""
    return st.one_of(
        st.builds("not {}".format, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
    )


conditions = st.recursive(names, joined, max_leaves=4)
detections = st.fixed_dictionaries(
    {"sel_a": selections, "sel_b": selections, "other": maps, "condition": conditions}
)

anything = st.recursive(
    st.one_of(scalars, st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abcd"), inner, max_size=2)
    ),
    max_leaves=6,
)
members = {
    "eventName": texts,
    "errorCode": texts,
    "readOnly": st.booleans(),
    "userIdentity": st.fixed_dictionaries({}, optional={"type": texts, "arn": texts}),
    "requestParameters": st.one_of(
        st.none(),
        st.dictionaries(st.sampled_from("abcd"), anything, max_size=3),
        st.fixed_dictionaries({"a": scalars, "b": st.lists(st.dictionaries(st.sampled_from("cd"), scalars))}),
    ),
}
records = st.fixed_dictionaries({}, optional=members)


# What EventBridge can say for the most part, so that exact patterns are tried as often as the others.
simple_items = st.one_of(
    st.tuples(
        st.sampled_from(
            [f"{field}{how}" for field in TEXT_FIELDS for how in ("", "|startswith", "|endswith")]
        ),
        listed(texts),
    ),
    st.tuples(st.sampled_from(["errorCode", "readOnly"]), st.sampled_from([None, "*", "true", True])),
    st.tuples(st.sampled_from(["requestParameters.a", "requestParameters.a|endswith"]), listed(texts)),
    st.tuples(st.sampled_from(["errorCode|exists", "userIdentity.arn|exists"]), st.booleans()),
)
simple_maps = st.lists(simple_items, min_size=1, max_size=2).map(dict)
simple_detections = st.fixed_dictionaries(
    {"sel_a": simple_maps, "sel_b": simple_maps, "other": simple_maps, "condition": conditions}
)


@settings(max_examples=500)
@given(st.one_of(detections, simple_detections), st.lists(records, min_size=1, max_size=8))
def test_interpreter_and_pattern_agree_with_a_plain_reading(
    detection: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    compiled = from_json(to_json([read_rule(rule(detection))]))[ID]
    interpreted = compile_predicate(compiled.condition)
    pattern = pattern_of(compiled.condition)
    selected = compile_pattern(json.dumps(pattern.body))

    for event in events:
        expected = naive.matches(detection, event)
        is_selected = selected(envelope(event))
        assert interpreted(event) == expected
        assert is_selected == expected if pattern.exact else is_selected or not expected


def envelope(record: dict[str, Any]) -> dict[str, Any]:
    """The record as EventBridge carries it."""
    return {"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "detail": record}
