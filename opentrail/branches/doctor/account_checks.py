"""Checks of the account as a whole: one trail that does it is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opentrail.branches.doctor import trail_fixes
from opentrail.branches.doctor.facts import AccountFacts, GroupFacts, TrailFacts, Unread
from opentrail.branches.doctor.recorded import records_management, records_objects
from opentrail.branches.doctor.verdict import NO_FIX, Fix, Verdict, unread

RATE_TYPES = frozenset({"ApiCallRateInsight", "ApiErrorRateInsight"})


def multi_region_trail(facts: AccountFacts) -> Iterator[Verdict]:
    """``multi-region-trail``; an organization's trail counts for its members."""
    good = [trail.arn for trail in facts.trails if _records_everything(trail)]
    if good:
        yield Verdict(facts.account, True, f"{', '.join(good)} carries them to EventBridge, too")
    elif facts.trails:
        lacks = "; ".join(f"{trail.name}: {', '.join(_lacks(trail))}" for trail in facts.trails)
        yield Verdict(facts.account, False, lacks, _complete(facts))
    else:
        evidence = "no trail: EventBridge carries no API calls"
        yield Verdict(facts.account, False, evidence, trail_fixes.create_trail(facts.account, facts.region))


def log_group(facts: AccountFacts) -> Iterator[Verdict]:
    """``log-group``."""
    streaming = [trail for trail in facts.trails if trail.group_arn]
    for trail in streaming:
        error = trail.status.get("LatestCloudWatchLogsDeliveryError")
        evidence = f"LatestCloudWatchLogsDeliveryError is {error}" if error else trail.group_arn
        yield Verdict(trail.arn, not error, evidence, trail_fixes.stream(trail, facts.account))
    if facts.trails and not streaming:
        yield from _missing(
            facts, "no trail names a log group", lambda t: trail_fixes.stream(t, facts.account)
        )


def alarms(facts: AccountFacts) -> Iterator[Verdict]:
    """``alarms``: each log group once, where there is one."""
    groups = {trail.group_arn: trail.group for trail in facts.trails}
    for arn, group in groups.items():
        match group:
            case Unread() as reason:
                yield unread(arn, reason)
            case GroupFacts():
                evidence = f"{group.metric_filters} metric filters, {group.alarmed_filters} with an alarm"
                yield Verdict(arn, group.alarmed_filters > 0, evidence, trail_fixes.first_alarm(arn))


def insights(facts: AccountFacts) -> Iterator[Verdict]:
    """``insights``."""
    watching = [trail for trail in facts.trails if set(trail.insight_types) >= RATE_TYPES]
    if watching:
        yield Verdict(facts.account, True, ", ".join(trail.arn for trail in watching))
    elif facts.trails:
        yield from _missing(facts, "no trail has both insight types", trail_fixes.watch)


def data_events(facts: AccountFacts) -> Iterator[Verdict]:
    """``data-events``."""
    recording = [trail for trail in facts.trails if trail.logging and records_objects(trail)]
    if recording:
        yield Verdict(facts.account, True, ", ".join(trail.arn for trail in recording))
    elif facts.trails:
        yield from _missing(facts, "no trail records the objects of all buckets", trail_fixes.record_objects)


def organization_trail(facts: AccountFacts) -> Iterator[Verdict]:
    """``organization-trail``: only where there is an organization."""
    if isinstance(facts.organization, Unread):
        yield unread(facts.account, facts.organization)
    elif facts.organization:
        covering = [trail for trail in facts.trails if trail.of_organization and trail.logging]
        evidence = ", ".join(trail.arn for trail in covering) or f"none in {facts.organization}"
        best = _best(facts) if facts.manages_organization else None
        fix = trail_fixes.cover_organization(best, facts.organization) if best else NO_FIX
        yield Verdict(facts.organization, bool(covering), evidence, fix)


def _records_everything(trail: TrailFacts) -> bool:
    return not _lacks(trail)


def _lacks(trail: TrailFacts) -> list[str]:
    wants = {
        "not logging": trail.logging,
        "one Region only": trail.multi_region,
        "no global service events": trail.global_events,
        "not all management events": records_management(trail),
    }
    return [lack for lack, there in wants.items() if not there]


def _complete(facts: AccountFacts) -> Fix:
    trail = _best(facts)
    if trail is None:
        return trail_fixes.create_trail(facts.account, facts.region)
    return trail_fixes.complete(trail, selectors=not records_management(trail))


def _best(facts: AccountFacts) -> TrailFacts | None:
    """The own trail that lacks least: the one to repair rather than adding another."""
    return min(facts.own_trails, key=lambda trail: len(_lacks(trail)), default=None)


def _missing(facts: AccountFacts, evidence: str, fix: Callable[[TrailFacts], Fix]) -> Iterator[Verdict]:
    best = _best(facts)
    yield Verdict(facts.account, False, evidence, fix(best) if best else NO_FIX)
