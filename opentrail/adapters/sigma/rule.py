"""One Sigma rule, as YAML gives it -> a detection.

Source: Sigma specification, "Sigma Rules"; SigmaHQ's rules for AWS have the logsource
``product: aws, service: cloudtrail``, older ones only the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sigma.conditions import SigmaCondition
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from opentrail.adapters.sigma.condition import to_predicate
from opentrail.adapters.sigma.policy import POLICY
from opentrail.branches.detections.detection import Detection
from opentrail.branches.detections.fields import is_member
from opentrail.branches.detections.matcher import compile_predicate
from opentrail.branches.detections.pattern import pattern_of
from opentrail.branches.detections.predicate import All, Not, Predicate, Same, Some
from opentrail.errors import FormatError

LOGSOURCE = {"product": "aws", "service": "cloudtrail"}
_OTHER_KINDS = {
    "correlation": "it is a correlation of several events; a detection sees one event at a time",
    "filter": "it is a filter of other rules; write the exception into the rule",
    "action": "collections with `action` are of Sigma's old form; write each rule out",
}
_WORD = re.compile(r"[\w*-]+")


def read_rule(document: Any) -> Detection:
    """Compile one rule.

    Raises:
        FormatError: it is no rule, not for CloudTrail, or says what we cannot compile.
    """
    if not isinstance(document, dict):
        raise FormatError("is no rule: a rule is a map")
    for kind, reason in _OTHER_KINDS.items():
        if kind in document:
            raise FormatError(reason)
    _check_logsource(document.get("logsource"))
    rule = _parse(document)
    if rule.id is None:
        raise FormatError("it has no id; its findings are named by it")
    condition = _condition(rule)
    compile_predicate(condition)  # whatever the function will do with it, it has been done here once
    return Detection(
        id=str(rule.id),
        title=rule.title or "",
        level=rule.level.name.lower() if rule.level else "",
        status=rule.status.name.lower() if rule.status else "",
        description=(rule.description or "").strip(),
        tags=tuple(str(tag) for tag in rule.tags),
        references=tuple(map(str, rule.references)),
        falsepositives=tuple(map(str, rule.falsepositives)),
        condition=condition,
    )


def _check_logsource(logsource: Any) -> None:
    given = logsource if isinstance(logsource, dict) else {}
    said = {name: value for name, value in given.items() if name in ("product", "service", "category")}
    if {"product": "aws", **said} != LOGSOURCE:
        listed = ", ".join(f"{name} {value}" for name, value in said.items()) or "missing"
        raise FormatError(f"its logsource is {listed}; ours is product aws, service cloudtrail")


def _parse(document: dict[str, Any]) -> SigmaRule:
    try:
        rule = SigmaRule.from_dict(document, collect_errors=True, policy=POLICY)
    except (SigmaError, AttributeError, TypeError, ValueError) as error:  # pySigma trips over odd shapes
        raise FormatError(f"{error}") from error
    if rule.errors:
        raise FormatError("; ".join(str(error) for error in rule.errors))
    return rule


def _condition(rule: SigmaRule) -> Predicate:
    """Several conditions of one rule are alternatives."""
    conditions = tuple(to_predicate(_parsed(condition)) for condition in rule.detection.parsed_condition)
    if not conditions:
        raise FormatError("it has no condition")
    return conditions[0] if len(conditions) == 1 else Some(conditions)


def _parsed(condition: SigmaCondition) -> object:
    try:
        return condition.parsed
    except (SigmaError, AttributeError, TypeError, ValueError) as error:
        place = getattr(error.__context__, "loc", None)  # the parser's, whose words are the grammar's
        if isinstance(place, int):
            rest = condition.condition[place:].strip()
            where = f"from {rest!r} on" if rest else "to its end"
            raise FormatError(f"its condition cannot be read {where}") from error
        raise FormatError(f"its condition: {error}") from error


def notes_on(document: dict[str, Any], detection: Detection) -> Iterator[str]:
    """What is allowed and probably not meant."""
    for field in sorted(set(_fields(detection.condition))):
        if not is_member(field):
            yield f"records have no member {field}: it is always absent"
    for name in _unused(document["detection"]):
        yield f"its condition does not use {name}"
    if pattern_of(detection.condition).is_every_call:
        yield "it names no event that EventBridge could select: its function runs for every call"


def _fields(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case All(of=of) | Some(of=of):
            for part in of:
                yield from _fields(part)
        case Not(of=of):
            yield from _fields(of)
        case Same():
            yield from (predicate.field, predicate.other)
        case _:
            yield predicate.field


def _unused(detection: dict[str, Any]) -> Iterator[str]:
    condition = detection["condition"]
    text = " ".join(map(str, condition)) if isinstance(condition, list) else str(condition)
    words = _WORD.findall(text)
    if "them" in words:
        return
    patterns = [re.compile(".*".join(map(re.escape, word.split("*")))) for word in words]
    for name in detection:
        if name != "condition" and not any(p.fullmatch(name) for p in patterns):
            yield name
