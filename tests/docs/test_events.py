"""docs/events.md can be held against an event; that the real events fit is tested where they are made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.own_events import documented, problems

INSIGHT = "AWS Insight via CloudTrail"


def event(**detail: Any) -> dict[str, Any]:
    """An event with every member that is always there, and those of ``detail``."""
    made: dict[str, Any] = {}
    for path, member in documented()[INSIGHT].items():
        if member.always:
            *parents, name = path.split(".")
            inner = made
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[name] = {"string": "x", "number": 1, "boolean": True}[member.kind]
    return {"source": "opentrail", "detail-type": INSIGHT, "detail": {**made, **detail}}


def test_an_event_with_what_is_always_there_fits() -> None:
    assert problems(event()) == []


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (event(surprise=[{"a": 1}]), "surprise[].a: not on the page"),
        (event(eventID=5), "eventID: not a string"),
        (event(eventID=None), "eventID: not a string"),
        (event(eventID=[]), "eventID: missing"),
        ({**event(), "source": "aws.cloudtrail"}, "source is aws.cloudtrail"),
        ({**event(), "detail-type": "Rumour"}, "Rumour: not on the page"),
    ],
)
def test_what_differs_from_the_page_is_named(made: dict[str, Any], complaint: str) -> None:
    assert problems(made) == [complaint]
