"""Trails of CloudTrail, which is OpenTrail itself."""

from __future__ import annotations

from typing import Any, Final

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_TRAIL_NAME: Final = 128  # characters
# What UpdateTrail is told of a property that a template no longer has.
_ABSENT: Final[dict[str, Any]] = {
    "CloudWatchLogsLogGroupArn": "",
    "CloudWatchLogsRoleArn": "",
    "EnableLogFileValidation": False,
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": False,
    "IsOrganizationTrail": False,
    "KmsKeyId": "",
    "S3KeyPrefix": "",
    "SnsTopicName": "",
}


class Trail(Provider):
    """A trail with its selectors, insights and tags, logging or not.

    ``AggregationConfigurations`` stay unread, and are so refused.
    """

    type_name = "AWS::CloudTrail::Trail"
    replaced_by = frozenset({"TrailName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name``, ``logging``, ``selectors``, ``insights``, ``tags`` and ``settings``."""
        properties.need("IsLogging")
        selecting = site.shape("cloudtrail", "PutEventSelectors").members
        insights = site.shape("cloudtrail", "PutInsightSelectors").members["InsightSelectors"]
        kinds = ("EventSelectors", "AdvancedEventSelectors")
        selectors = {kind: properties.fitted(kind, selecting[kind]) for kind in kinds}
        creating = site.shape("cloudtrail", "CreateTrail").members
        known = ("S3BucketName", *_ABSENT)
        spelled = {"KmsKeyId": "KMSKeyId"}
        settings = {name: properties.fitted(spelled.get(name, name), creating[name]) for name in known}
        return {
            "name": properties.text("TrailName"),
            "logging": properties.flag("IsLogging"),
            "selectors": {kind: chosen for kind, chosen in selectors.items() if chosen},
            "insights": properties.fitted("InsightSelectors", insights) or [],
            "tags": properties.tags(),
            "settings": {name: value for name, value in settings.items() if value is not None},
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the trail; it does not log yet."""
        name = wanted["name"] or site.name(_MAX_TRAIL_NAME)
        trail = site.client("cloudtrail").create_trail(Name=name, **wanted["settings"])
        return Made(name, {"Arn": trail["TrailARN"], "SnsTopicArn": trail.get("SnsTopicARN", "")})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Bring about all else, by ARN: the trail may be an organization's."""
        client, arn = site.client("cloudtrail"), made.attributes["Arn"]
        old = before or {"settings": wanted["settings"], "selectors": {}, "insights": [], "logging": False}
        if wanted["settings"] != old["settings"]:
            client.update_trail(Name=arn, **{**_ABSENT, **wanted["settings"]})
        if wanted["selectors"] != old["selectors"]:
            client.put_event_selectors(
                TrailName=arn, **(wanted["selectors"] or {"AdvancedEventSelectors": []})
            )
        if wanted["insights"] != old["insights"]:
            client.put_insight_selectors(TrailName=arn, InsightSelectors=wanted["insights"])
        retag(
            before,
            wanted,
            add=lambda tags: client.add_tags(ResourceId=arn, TagsList=tag_list(tags)),
            remove=lambda names: client.remove_tags(
                ResourceId=arn, TagsList=[{"Key": name} for name in names]
            ),
        )
        if wanted["logging"] != old["logging"]:
            (client.start_logging if wanted["logging"] else client.stop_logging)(Name=arn)

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the trail; its files stay."""
        site.client("cloudtrail").delete_trail(Name=made.attributes["Arn"])
