"""The oracle's measure: how much of the real records the laptop's records have."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.capture.compare import Score, typed_paths
from tests.conformance.capture.oracle import REFUSALS, Laptop
from tests.conformance.capture.rebuild import HIDDEN, Rebuilt, rebuild

Record = dict[str, Any]


@dataclass(slots=True)
class Measured:
    """Scores by the first label of eventSource, and what a person should look at."""

    requests: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    responses: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    wrong_names: list[str] = field(default_factory=list)
    wrong_values: list[str] = field(default_factory=list)
    not_rebuilt: list[str] = field(default_factory=list)

    def total(self, scores: dict[str, Score]) -> Score:
        """All services together."""
        whole = Score()
        for score in scores.values():
            whole.merge(score)
        return whole


def measure(records: Iterable[Record]) -> Measured:
    """Make every record's call again and compare.

    Records that ask for the same things in the same shape are made once and
    counted as often as they occur.
    """
    laptop, measured = Laptop(), Measured()
    for alike in _groups(records):
        real = alike[0]
        call = rebuild(real)
        name = f"{real['eventSource']} {real['eventName']}"
        if call is None:
            measured.not_rebuilt += [name] * len(alike)
            continue
        refusal = real["errorCode"] if real.get("errorCode") in REFUSALS else ""
        new = laptop.call(call, real["awsRegion"], refusal=refusal)
        assert new is not None, f"no record of {name}"
        _count(measured, alike, real, new, name)
        measured.wrong_values += _wrong_values(name, real, new, _changed(call, laptop.sent))
    return measured


def _groups(records: Iterable[Record]) -> list[list[Record]]:
    alike: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        shapes = [sorted(typed_paths(record.get(part))) for part in ("requestParameters", "responseElements")]
        key = [record["eventSource"], record["eventName"], record.get("errorCode"), *shapes]
        alike[json.dumps(key)].append(record)
    return list(alike.values())


def _count(measured: Measured, alike: list[Record], real: Record, new: Record, name: str) -> None:
    service = real["eventSource"].partition(".")[0]
    if (new["eventSource"], new["eventName"]) != (real["eventSource"], real["eventName"]):
        measured.wrong_names.append(f"{name}: {new['eventSource']} {new['eventName']}")
    answered = (
        "errorCode" not in real
        and "errorCode" not in new
        and not (real.get("readOnly") is True and real.get("responseElements") is None)
    )
    for _ in alike:
        measured.requests[service].add(real.get("requestParameters"), new["requestParameters"])
        if answered:
            measured.responses[service].add(real.get("responseElements"), new["responseElements"])


def _wrong_values(name: str, real: Record, new: Record, changed: set[str]) -> Iterator[str]:
    """Parameters whose value differs, other than those the setting had to change."""
    theirs = dict(_leaves("", real.get("requestParameters")))
    for path, value in _leaves("", new["requestParameters"]):
        wanted = theirs.get(path, value)
        if value != wanted and str(value) not in changed and not _may_differ(path, wanted):
            yield f"{name}{path}: {value!r} is not {wanted!r}"


def _changed(call: Rebuilt, sent: Record) -> set[str]:
    """Values that were sent in place of the record's: ids and account numbers of the laptop's own."""
    before = {str(value) for _, value in _leaves("", call.parameters)}
    return {str(value) for _, value in _leaves("", sent)} - before


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(f"{path}[{number}]", item)
    else:
        yield path, value


def _may_differ(path: str, wanted: Any) -> bool:
    """The endpoint's own Host, what a publisher blanked out, secrets, and dates in their two spellings."""
    return path == ".Host" or wanted == "-" or str(wanted) in HIDDEN or str(wanted)[-2:] in ("AM", "PM")
