"""Event selectors -> a function that says which events a trail takes.

Basic and advanced selectors are brought into one form, a list of clauses: an
event is taken when any clause holds, a clause holds when all its tests do.
Tests that look only at an event's kind (category, source, name, read or write,
type, resource types) give the same answer for millions of events, so it is
remembered; only tests of ARNs and identities run for each record.

Source: CloudTrail user guide, "How CloudTrail evaluates multiple conditions for
a field" and "Logging data events"; API reference, EventSelector, DataResource,
AdvancedFieldSelector, InsightSelector.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentrail.model.event import Event, Resource
from opentrail.model.trail import Trail

Matcher = Callable[[Event], bool]
Condition = Callable[[str], bool]

# Kinds are few in practice; the bound keeps hostile event names from filling memory.
MAX_REMEMBERED_KINDS = 10_000

_ALL_OF_SERVICE = re.compile(r"arn:[^:]+:(?:lambda|dynamodb)")
_READ_WRITE: dict[str, tuple[str, ...]] = {"All": (), "ReadOnly": ("true",), "WriteOnly": ("false",)}
_POSITIVE = ("Equals", "StartsWith", "EndsWith")
_NEGATIVE = ("NotEquals", "NotStartsWith", "NotEndsWith")

# An absent field reads as "": no positive operator accepts that and every negative one does,
# because selector values have at least one character.
_OF_KIND: dict[str, Callable[[Event], str]] = {
    "eventCategory": lambda e: e.category,
    "eventSource": lambda e: e.source,
    "eventName": lambda e: e.name,
    "eventType": lambda e: e.event_type,
    "readOnly": lambda e: "true" if e.read_only else "false",
}
_OF_RECORD: dict[str, Callable[[Event], str]] = {
    "errorCode": lambda e: e.error_code,
    "sessionCredentialFromConsole": lambda e: "true" if e.from_console else "",
    "userIdentity.arn": lambda e: e.principal_arn,
    "vpcEndpointId": lambda e: e.vpc_endpoint_id,
}
_OF_RESOURCE: dict[str, Callable[[Resource], str]] = {
    "resources.type": lambda r: r.type,
    "resources.ARN": lambda r: r.arn,
}


@dataclass(frozen=True, slots=True)
class _Clause:
    """``kind`` tests look only at what the memo's key holds, ``record`` tests at anything."""

    kind: tuple[Matcher, ...]
    record: tuple[Matcher, ...]


def compile_trail(trail: Trail) -> Matcher:
    """Turn a trail's selectors into one function of an event.

    It answers what the event and insight selectors say, and nothing else: whether
    the trail is logging, and whether the event is in its scope at all, is for the
    caller to decide first.
    Without selectors a trail takes management events only. An Insight event is
    taken when its insight type is switched on, whatever the event selectors say;
    one of data events only when it was found in this trail's.

    Args:
        trail: selectors as the API stored them, already validated.

    Returns:
        Matcher: safe to keep as long as the trail is unchanged; not thread-safe
        beyond what a dict gives (at worst an answer is worked out twice).
    """
    clauses = tuple(_clauses(trail))
    insights = _wanted_insights(trail)
    remembered: dict[tuple[Any, ...], bool | tuple[tuple[Matcher, ...], ...]] = {}

    def matches(event: Event) -> bool:
        if event.category == "Insight":
            return (event.insight_type, event.insight_source) in insights
        kind = _kind(event)
        answer = remembered.get(kind)
        if answer is None:
            if len(remembered) >= MAX_REMEMBERED_KINDS:
                remembered.clear()
            answer = remembered[kind] = _judge_kind(clauses, event)
        if isinstance(answer, bool):
            return answer
        return any(all(test(event) for test in tests) for tests in answer)

    return matches


def _wanted_insights(trail: Trail) -> frozenset[tuple[str, str]]:
    """(type, source) of each; the source is this trail for data events, and "" for management events."""
    sources = {"Management": "", "Data": trail.arn}
    return frozenset(
        (selector["InsightType"], sources[category])
        for selector in trail.insight_selectors or ()
        for category in selector.get("EventCategories", ("Management",))
    )


def _kind(event: Event) -> tuple[Any, ...]:
    types = tuple([r.type for r in event.resources]) if event.resources else ()
    return (event.category, event.source, event.name, event.read_only, event.event_type, types)


def _judge_kind(clauses: Iterable[_Clause], event: Event) -> bool | tuple[tuple[Matcher, ...], ...]:
    """True or False when the kind alone decides, else the record tests of which one set must hold."""
    open_clauses = [c.record for c in clauses if all(test(event) for test in c.kind)]
    if not open_clauses:
        return False
    return True if () in open_clauses else tuple(open_clauses)


def _clauses(trail: Trail) -> Iterator[_Clause]:
    if trail.advanced_event_selectors:
        yield from (_advanced_clause(s["FieldSelectors"]) for s in trail.advanced_event_selectors)
    elif trail.event_selectors:
        for selector in trail.event_selectors:
            yield from _basic_clauses(selector)
    else:
        yield from _basic_clauses({})


def _basic_clauses(selector: Mapping[str, Any]) -> Iterator[_Clause]:
    read_write = _READ_WRITE[selector.get("ReadWriteType", "All")]
    fields: list[dict[str, Any]] = [{"Field": "readOnly", "Equals": read_write}] if read_write else []
    if selector.get("IncludeManagementEvents", True):
        excluded = selector.get("ExcludeManagementEventSources") or []
        yield _advanced_clause(
            [
                {"Field": "eventCategory", "Equals": ["Management"]},
                {"Field": "eventSource", "NotEquals": excluded},
                *fields,
            ]
        )
    for resource in selector.get("DataResources") or []:
        if not resource.get("Values"):
            continue
        yield _advanced_clause(
            [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": [resource["Type"]]},
                _basic_arns(resource),
                *fields,
            ]
        )


def _basic_arns(resource: Mapping[str, Any]) -> dict[str, Any]:
    """S3 values are prefixes of object ARNs; the others name one function or table, or all of them."""
    values = resource["Values"]
    if resource["Type"] == "AWS::S3::Object":
        return {"Field": "resources.ARN", "StartsWith": values}
    return {
        "Field": "resources.ARN",
        "Equals": [v for v in values if not _ALL_OF_SERVICE.fullmatch(v)],
        "StartsWith": [v + ":" for v in values if _ALL_OF_SERVICE.fullmatch(v)],
    }


def _advanced_clause(field_selectors: Iterable[Mapping[str, Any]]) -> _Clause:
    kind: list[Matcher] = []
    record: list[Matcher] = []
    resource: list[tuple[Callable[[Resource], str], Condition]] = []
    for selector in field_selectors:
        field, condition = selector["Field"], _condition(selector)
        if field in _OF_KIND:
            kind.append(_test(_OF_KIND[field], condition))
        elif field in _OF_RECORD:
            record.append(_test(_OF_RECORD[field], condition))
        else:
            resource.append((_OF_RESOURCE[field], condition))
    types = [test for test in resource if test[0] is _OF_RESOURCE["resources.type"]]
    if types:
        kind.append(_any_resource(types))
    if len(types) < len(resource):
        record.append(_any_resource(resource))
    return _Clause(tuple(kind), tuple(record))


def _test(read: Callable[[Event], str], condition: Condition) -> Matcher:
    return lambda event: condition(read(event))


def _any_resource(tests: Iterable[tuple[Callable[[Resource], str], Condition]]) -> Matcher:
    """One element of ``resources`` has to pass every test, so that a type and its ARN belong together."""
    kept = tuple(tests)
    return lambda event: any(all(ok(read(r)) for read, ok in kept) for r in event.resources)


def _condition(selector: Mapping[str, Any]) -> Condition:
    """Any negative match deselects; else any positive match selects; without positives all is selected."""
    rejects = _any_of(selector, _NEGATIVE)
    if not any(selector.get(name) for name in _POSITIVE):
        return lambda value: not rejects(value)
    accepts = _any_of(selector, _POSITIVE)
    return lambda value: accepts(value) and not rejects(value)


def _any_of(selector: Mapping[str, Any], names: tuple[str, ...]) -> Condition:
    equals, prefixes, suffixes = (selector.get(name) or () for name in names)
    exact, starts, ends = frozenset(equals), tuple(prefixes), tuple(suffixes)
    return lambda value: value in exact or value.startswith(starts) or value.endswith(ends)
