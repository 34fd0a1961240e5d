"""HTTP APIs of API Gateway: APIs, integrations, routes, stages.

They are deployed so that a template with them deploys; nothing on the laptop serves
their URL. CloudTrail's API is served by the gateway, as CloudTrail.
"""

from __future__ import annotations

from typing import ClassVar

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag
from opentrail.local.deployer.state import Made


class Api(Provider):
    """One API."""

    type_name = "AWS::ApiGatewayV2::Api"
    replaced_by = frozenset({"ProtocolType"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return CreateApi's parameters under ``api``, and ``tags``."""
        tags = properties.tags()
        return {"tags": tags, "api": properties.rest(site.shape("apigatewayv2", "CreateApi"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the API; its id is its physical id."""
        made = site.client("apigatewayv2").create_api(**wanted["api"])
        return Made(made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": made["ApiEndpoint"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write what changed, and the tags."""
        client = site.client("apigatewayv2")
        if before is not None and before["api"] != wanted["api"]:
            changed = {name: value for name, value in wanted["api"].items() if name != "ProtocolType"}
            client.update_api(ApiId=made.physical_id, **changed)
        arn = f"arn:{site.partition}:apigateway:{site.region}::/apis/{made.physical_id}"
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(ResourceArn=arn, Tags=tags),
            remove=lambda names: client.untag_resource(ResourceArn=arn, TagKeys=names),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the API with everything in it."""
        site.client("apigatewayv2").delete_api(ApiId=made.physical_id)


class _PartOfApi(Provider):
    """A thing within an API that its four calls, named alike, create, update and delete."""

    word: ClassVar[str]  # "Route"
    verb: ClassVar[str]  # "route"
    replaced_by = frozenset({"ApiId"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return the parameters of the Create call under ``part``."""
        return {"part": properties.rest(site.shape("apigatewayv2", f"Create{self.word}"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create it; its id is its physical id."""
        answer = getattr(site.client("apigatewayv2"), f"create_{self.verb}")(**wanted["part"])
        made = str(answer[f"{self.word}Id"])
        return Made(made, {f"{self.word}Id": made})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write it where it changed."""
        if before is not None and before["part"] != wanted["part"]:
            update = getattr(site.client("apigatewayv2"), f"update_{self.verb}")
            update(**wanted["part"], **{f"{self.word}Id": made.physical_id})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete it."""
        delete = getattr(site.client("apigatewayv2"), f"delete_{self.verb}")
        delete(ApiId=wanted["part"]["ApiId"], **{f"{self.word}Id": made.physical_id})


class Integration(_PartOfApi):
    """What answers a route."""

    type_name = "AWS::ApiGatewayV2::Integration"
    word, verb = "Integration", "integration"


class Route(_PartOfApi):
    """One route."""

    type_name = "AWS::ApiGatewayV2::Route"
    word, verb = "Route", "route"


class Stage(Provider):
    """One stage."""

    type_name = "AWS::ApiGatewayV2::Stage"
    replaced_by = frozenset({"ApiId", "StageName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return CreateStage's parameters under ``stage``."""
        return {"stage": properties.rest(site.shape("apigatewayv2", "CreateStage"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the stage; its name is its physical id."""
        site.client("apigatewayv2").create_stage(**wanted["stage"])
        return Made(wanted["stage"]["StageName"])

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Make a changed stage anew: moto has no UpdateStage, and nobody is using the stage."""
        if before is not None and before["stage"] != wanted["stage"]:
            self.delete(made, before, site)
            site.client("apigatewayv2").create_stage(**wanted["stage"])

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the stage."""
        site.client("apigatewayv2").delete_stage(ApiId=wanted["stage"]["ApiId"], StageName=made.physical_id)
