"""Trails -> the scopes that are watched, and for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opentrail.branches.insights.series import Scope
from opentrail.model.event import Place
from opentrail.model.trail import Trail


def wanted_insights(trails: Iterable[Trail], regions: Collection[str]) -> dict[Scope, set[str]]:
    """The Insight types logging trails want: of a place's management events, and of each one's data events.

    An organization trail is watched in its own account.
    """
    wanted: dict[Scope, set[str]] = {}
    for trail in trails:
        places = [
            Place(trail.account, region)
            for region in (sorted(regions) if trail.multi_region else [trail.home_region])
        ]
        for selector in (trail.insight_selectors or ()) if trail.logging else ():
            for category in selector.get("EventCategories", ("Management",)):
                for place in places:
                    scope = Scope(place, trail.arn if category == "Data" else "")
                    wanted.setdefault(scope, set()).add(selector["InsightType"])
    return wanted
