"""A trail's validation is off, or no trail records all management events any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentrail.branches.remediation.playbook import Answer, Cloud, Danger, Permission, Playbook, Target, calls
from opentrail.branches.remediation.trails import GONE, READ_TAGS, TRAILS, all_trails, trail_of, trail_tags

ALL_MANAGEMENT = {
    "Name": "Management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}
Selectors = dict[str, list[dict[str, Any]]]


def _selectors(cloud: Cloud, trail: str) -> Selectors:
    answer = cloud("cloudtrail", "get_event_selectors", TrailName=trail)
    return {
        name: list(answer[name]) for name in ("EventSelectors", "AdvancedEventSelectors") if answer.get(name)
    }


def _is_management(selector: Mapping[str, Any]) -> bool:
    return any(
        f["Field"] == "eventCategory" and f.get("Equals") == ["Management"]
        for f in selector["FieldSelectors"]
    )


def _records_all(selectors: Selectors) -> bool:
    """Does a trail with these selectors record every management event?"""
    basic = any(
        s.get("IncludeManagementEvents")
        and s.get("ReadWriteType", "All") == "All"
        and not s.get("ExcludeManagementEventSources")
        for s in selectors.get("EventSelectors", [])
    )
    advanced = selectors.get("AdvancedEventSelectors", [])
    return basic or any(_is_management(s) and len(s["FieldSelectors"]) == 1 for s in advanced)


def _others(cloud: Cloud, trail: Answer) -> Sequence[str]:
    return [other["TrailARN"] for other in all_trails(cloud) if other["TrailARN"] != trail["TrailARN"]]


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look at validation, at the selectors, and whether another trail makes up for them."""
    trail = cloud("cloudtrail", "get_trail", Name=target.name)["Trail"]
    selectors = _selectors(cloud, target.name)
    validated = bool(trail.get("LogFileValidationEnabled"))
    covered = _records_all(selectors) or any(
        _records_all(_selectors(cloud, other)) for other in _others(cloud, trail)
    )
    found = [
        *(() if validated else ("log file validation is off",)),
        *(() if covered else ("no trail records all management events",)),
    ]
    if not found:
        return None
    before = {"validated": validated, "selectors": None if covered else selectors}
    return Danger(problem=" and ".join(found), before=before)


def _widened(selectors: Selectors) -> Selectors:
    advanced = selectors.get("AdvancedEventSelectors")
    if advanced:
        kept = [selector for selector in advanced if not _is_management(selector)]
        return {"AdvancedEventSelectors": [ALL_MANAGEMENT, *kept]}
    first, *rest = selectors.get("EventSelectors") or [{}]
    wide = {
        **first,
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "ExcludeManagementEventSources": [],
    }
    return {"EventSelectors": [wide, *rest]}


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Switch validation on and record all management events; data events stay as they are."""
    if not danger.before["validated"]:
        cloud("cloudtrail", "update_trail", Name=target.name, EnableLogFileValidation=True)
    if danger.before["selectors"] is not None:
        cloud(
            "cloudtrail", "put_event_selectors", TrailName=target.name, **_widened(danger.before["selectors"])
        )


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put back what was changed."""
    if not before["validated"]:
        cloud("cloudtrail", "update_trail", Name=target.name, EnableLogFileValidation=False)
    if before["selectors"]:
        cloud("cloudtrail", "put_event_selectors", TrailName=target.name, **before["selectors"])


PLAYBOOK = Playbook(
    id="trail-weakened",
    title="Trail's validation or event selectors weakened",
    severity="high",
    controls=("CIS AWS 3.0 3.1", "CIS AWS 3.0 3.2", "NIST 800-53 AU-9", "PCI DSS 4.0 10.3.4"),
    pattern=calls("cloudtrail", "UpdateTrail", "PutEventSelectors"),
    reads=(
        Permission(
            actions=("cloudtrail:GetEventSelectors", "cloudtrail:GetTrail"),
            resources=("arn:{partition}:cloudtrail:*:{account}:trail/*",),
            why="any trail that logs here, whatever its home",
        ),
        Permission(
            actions=("cloudtrail:DescribeTrails",),
            resources=("*",),
            why="CloudTrail offers no resource for DescribeTrails",
        ),
        READ_TAGS,
    ),
    writes=(
        Permission(
            actions=("cloudtrail:PutEventSelectors", "cloudtrail:UpdateTrail"),
            resources=(TRAILS,),
            why="any trail",
        ),
    ),
    target=trail_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=trail_tags,
    gone=GONE,
)
