"""Two stacks: for the other Regions of the home account, and for the other accounts."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from stacks.checks import check
from stacks.constructs.home_bus import home_bus_name
from stacks.forwarders.forwarder import Forwarder
from stacks.options import Options


class RegionForwarderStack(cdk.Stack):
    """Calls of this Region -> the home Region of the same account.

    In the home Region itself it makes nothing, so it may be deployed to every Region.
    """

    def __init__(
        self, scope: Construct, id_: str, *, options: Options, home_region: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        region = _parameter(
            self, "HomeRegion", "The Region OpenTrail is deployed in", "[a-z0-9-]+", default=home_region
        )
        elsewhere = cdk.CfnCondition(
            self,
            "Elsewhere",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(cdk.Aws.REGION, region)),
        )
        Forwarder(
            self,
            "Forwarder",
            name_prefix=options.name_prefix,
            bus_arn=_bus_arn(options, cdk.Aws.ACCOUNT_ID, region),
            condition=elsewhere,
        )


class MemberForwarderStack(cdk.Stack):
    """Calls of this account and Region -> the home account of the organization.

    In the home account itself it makes nothing, so it may be deployed to every account:
    the home account's other Regions are what ``RegionForwarderStack`` is for.
    """

    def __init__(self, scope: Construct, id_: str, *, options: Options, **kwargs: Any) -> None:
        super().__init__(scope, id_, **kwargs)
        account = _parameter(self, "HomeAccount", "The account OpenTrail is deployed in", r"\d{12}")
        region = _parameter(self, "HomeRegion", "The Region OpenTrail is deployed in", "[a-z0-9-]+")
        elsewhere = cdk.CfnCondition(
            self,
            "Elsewhere",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(cdk.Aws.ACCOUNT_ID, account)),
        )
        Forwarder(
            self,
            "Forwarder",
            name_prefix=options.name_prefix,
            bus_arn=_bus_arn(options, account, region),
            condition=elsewhere,
        )


def build(app: cdk.App) -> tuple[RegionForwarderStack, MemberForwarderStack]:
    """Add both stacks to ``app``, with the options in its context.

    They need no bootstrapping: StackSets deploy them to accounts nobody ever prepared.

    Raises:
        SettingsError: an option in the context is malformed.
    """
    options = Options.from_context(app.node.try_get_context)
    check(app)
    region = RegionForwarderStack(
        app,
        "OpenTrailRegionForwarder",
        options=options,
        stack_name=f"{options.name_prefix}RegionForwarder",
        description="OpenTrail: forwards this Region's calls to the home Region",
        synthesizer=cdk.BootstraplessSynthesizer(),
    )
    member = MemberForwarderStack(
        app,
        "OpenTrailMemberForwarder",
        options=options,
        stack_name=f"{options.name_prefix}MemberForwarder",
        description="OpenTrail: forwards this account's calls to the home account",
        synthesizer=cdk.BootstraplessSynthesizer(),
    )
    return region, member


def forward_regions(app: cdk.App, options: Options, home_region: str) -> list[RegionForwarderStack]:
    """Add one forwarder for each of the option ``regions`` to ``app``, but none for ``home_region``."""
    return [
        RegionForwarderStack(
            app,
            f"OpenTrailRegionForwarder-{region}",
            options=options,
            home_region=home_region,
            stack_name=f"{options.name_prefix}RegionForwarder",
            description=f"OpenTrail: forwards calls of {region} to the home Region",
            env=cdk.Environment(region=region),
            synthesizer=cdk.BootstraplessSynthesizer(),
        )
        for region in options.regions
        if region != home_region
    ]


def _parameter(
    scope: Construct, name: str, description: str, pattern: str, *, default: str | None = None
) -> str:
    return cdk.CfnParameter(
        scope, name, description=description, allowed_pattern=pattern, default=default
    ).value_as_string


def _bus_arn(options: Options, account: str, region: str) -> str:
    return f"arn:{cdk.Aws.PARTITION}:events:{region}:{account}:event-bus/{home_bus_name(options.name_prefix)}"
