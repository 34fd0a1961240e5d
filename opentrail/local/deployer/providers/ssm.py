"""Systems Manager parameters."""

from __future__ import annotations

from typing import Final

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_NAME: Final = 1011  # characters


class Parameter(Provider):
    """One parameter; its value changes in place."""

    type_name = "AWS::SSM::Parameter"
    replaced_by = frozenset({"Name", "Type", "DataType"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return PutParameter's parameters under ``parameter``, and ``tags``."""
        properties.need("Value")
        tags = properties.tags()
        value, kind = properties.text("Value"), properties.need("Type")
        rest = properties.rest(site.shape("ssm", "PutParameter"))
        return {"tags": tags, "parameter": {**rest, "Value": value, "Type": kind}}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the parameter; one of that name that is already there is an error."""
        request = {"Name": site.name(_MAX_NAME), **wanted["parameter"]}
        site.client("ssm").put_parameter(**request, Overwrite=False)
        return Made(request["Name"], {"Type": request["Type"], "Value": request["Value"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Overwrite the parameter where it changed, and set its tags."""
        client, name = site.client("ssm"), made.physical_id
        if before is not None and before["parameter"] != wanted["parameter"]:
            client.put_parameter(**{**wanted["parameter"], "Name": name}, Overwrite=True)
            made.attributes["Value"] = wanted["parameter"]["Value"]
        retag(
            before,
            wanted,
            add=lambda tags: client.add_tags_to_resource(
                ResourceType="Parameter", ResourceId=name, Tags=tag_list(tags)
            ),
            remove=lambda keys: client.remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=name, TagKeys=keys
            ),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the parameter."""
        site.client("ssm").delete_parameter(Name=made.physical_id)
