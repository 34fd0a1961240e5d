"""Trails -> the places that are watched, and for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opentrail.branches.insights.series import Scope
from opentrail.model.event import Place
from opentrail.model.trail import Trail


def wanted_insights(trails: Iterable[Trail], regions: Collection[str]) -> dict[Scope, set[str]]:
    """The Insight types some logging trail wants of management events, by account and Region.

    An organization trail is watched in its own account.
    """
    wanted: dict[Scope, set[str]] = {}
    for trail in trails:
        types = {
            selector["InsightType"]
            for selector in trail.insight_selectors or ()
            if "Management" in selector.get("EventCategories", ["Management"])
        }
        if trail.logging and types:
            for region in sorted(regions) if trail.multi_region else [trail.home_region]:
                wanted.setdefault(Scope(Place(trail.account, region)), set()).update(types)
    return wanted
