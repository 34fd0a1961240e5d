"""What the CDK adds to a template for itself."""

from __future__ import annotations

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted
from opentrail.local.deployer.state import Made


class Metadata(Provider):
    """Which construct libraries were used: a note to the CDK's makers, in AWS too nothing is made of it."""

    type_name = "AWS::CDK::Metadata"

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Read the one property there is."""
        return {"analytics": properties.take("Analytics")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Give the note a name."""
        return Made(site.logical_id)

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """There is nothing to delete."""
