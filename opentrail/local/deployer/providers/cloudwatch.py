"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from typing import Final

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_NAME: Final = 255  # characters


class Alarm(Provider):
    """An alarm on one metric or on a metric expression."""

    type_name = "AWS::CloudWatch::Alarm"
    replaced_by = frozenset({"AlarmName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return PutMetricAlarm's parameters under ``alarm``, and ``tags``."""
        tags = properties.tags()
        return {"tags": tags, "alarm": properties.rest(site.shape("cloudwatch", "PutMetricAlarm"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the alarm; ``settle`` writes it."""
        name = wanted["alarm"].get("AlarmName") or site.name(_MAX_NAME)
        return Made(name, {"Arn": site.arn("cloudwatch", f"alarm:{name}")})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the alarm whole, then its tags: PutMetricAlarm takes tags only for a new one."""
        client, arn = site.client("cloudwatch"), made.attributes["Arn"]
        client.put_metric_alarm(**{**wanted["alarm"], "AlarmName": made.physical_id})
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
            remove=lambda names: client.untag_resource(ResourceARN=arn, TagKeys=names),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the alarm."""
        site.client("cloudwatch").delete_alarms(AlarmNames=[made.physical_id])


class Dashboard(Provider):
    """A dashboard."""

    type_name = "AWS::CloudWatch::Dashboard"
    replaced_by = frozenset({"DashboardName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name`` and ``body`` (JSON text)."""
        properties.need("DashboardBody")
        return {"name": properties.text("DashboardName"), "body": properties.text("DashboardBody")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the dashboard; ``settle`` writes it."""
        return Made(wanted["name"] or site.name(_MAX_NAME))

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the dashboard."""
        site.client("cloudwatch").put_dashboard(DashboardName=made.physical_id, DashboardBody=wanted["body"])

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the dashboard."""
        site.client("cloudwatch").delete_dashboards(DashboardNames=[made.physical_id])
