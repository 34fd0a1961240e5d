"""Attributions: the five values with most calls, during the incident and before it."""

from __future__ import annotations

import json
import zlib
from typing import Any

from opentrail.branches.insights.callers import Callers, Spans
from opentrail.branches.insights.series import Series, to_minute
from opentrail.format.insight import Attribution, Share
from opentrail.model.event import Place

SERIES = Series(Place("111122223333", "us-east-1"), "ec2.amazonaws.com", "RunInstances")
NAME = "ec2.amazonaws.com\nRunInstances\n"
START = to_minute("2026-01-10T04:20")
SPANS = Spans(measured=(START, START + 2), before=(START - 100, START))


def segment(**attributes: Any) -> bytes:
    return zlib.compress(json.dumps({NAME: attributes, "other\nApi\n": attributes}).encode())


def test_calls_of_segments_add_up_per_minute_of_each_span() -> None:
    callers = Callers([(SERIES, SPANS)])

    callers.add(segment(userAgent={"cli": {"2026-01-10T04:20": 6, "2026-01-10T04:19": 2}}))
    callers.add(segment(userAgent={"cli": {"2026-01-10T04:21": 2, "2026-01-10T04:22": 9}, "sdk": {"no": 1}}))
    callers.add(b"")

    assert callers.attributions(SERIES, SPANS) == [
        Attribution("userAgent", insight=[Share("cli", 4.0)], baseline=[Share("cli", 0.02)])
    ]


def test_five_values_are_shown_most_calls_first_and_names_in_order() -> None:
    callers = Callers([(SERIES, SPANS)])

    callers.add(segment(userIdentityArn={f"arn:{n}": {"2026-01-10T04:20": n} for n in (1, 2, 3, 4, 5, 6, 7)}))

    (found,) = callers.attributions(SERIES, SPANS)
    assert found.insight == [Share(f"arn:{n}", n / 2) for n in (7, 6, 5, 4, 3)]
    assert found.baseline == []


def test_the_rarest_of_very_many_values_are_forgotten_and_the_frequent_ones_stay() -> None:
    callers = Callers([(SERIES, SPANS)])

    for part in range(10):
        rare = {f"{part}-{n}": {"2026-01-10T04:20": 1} for n in range(500)}
        callers.add(segment(userAgent={**rare, "frequent": {"2026-01-10T04:20": 50}}))

    (found,) = callers.attributions(SERIES, SPANS)
    assert found.insight[0] == Share("frequent", 250.0)
    assert sum(map(len, callers._asked[NAME][SPANS].measured.values())) <= 2000
