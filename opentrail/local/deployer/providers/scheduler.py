"""EventBridge Scheduler: schedules and their groups."""

from __future__ import annotations

from typing import Final

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_NAME: Final = 64  # characters
_DEFAULT_GROUP: Final = "default"


class Schedule(Provider):
    """One schedule; every property but its name and group changes in place."""

    type_name = "AWS::Scheduler::Schedule"
    replaced_by = frozenset({"Name", "GroupName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return CreateSchedule's parameters under ``schedule``."""
        return {"schedule": properties.rest(site.shape("scheduler", "CreateSchedule"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the schedule."""
        request = {"Name": site.name(_MAX_NAME), **wanted["schedule"]}
        arn = site.client("scheduler").create_schedule(**request)["ScheduleArn"]
        return Made(request["Name"], {"Arn": arn})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the schedule whole: UpdateSchedule resets what a request leaves out."""
        if before is not None and before["schedule"] != wanted["schedule"]:
            site.client("scheduler").update_schedule(**{**wanted["schedule"], "Name": made.physical_id})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the schedule."""
        group = wanted["schedule"].get("GroupName", _DEFAULT_GROUP)
        site.client("scheduler").delete_schedule(Name=made.physical_id, GroupName=group)


class ScheduleGroup(Provider):
    """A group of schedules."""

    type_name = "AWS::Scheduler::ScheduleGroup"
    replaced_by = frozenset({"Name"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name`` and ``tags``."""
        return {"name": properties.text("Name"), "tags": properties.tags()}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the group."""
        name = wanted["name"] or site.name(_MAX_NAME)
        arn = site.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        return Made(name, {"Arn": arn, "State": "ACTIVE"})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Set the tags."""
        client, arn = site.client("scheduler"), made.attributes["Arn"]
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(ResourceArn=arn, Tags=tag_list(tags)),
            remove=lambda names: client.untag_resource(ResourceArn=arn, TagKeys=names),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the group with its schedules."""
        site.client("scheduler").delete_schedule_group(Name=made.physical_id)
