"""The stacks that other Regions and accounts get: rules that forward calls to the home bus.

Each is one self-contained template without assets, so that it can be deployed by the CDK
command, by ``aws cloudformation deploy``, or everywhere at once as a StackSet.
"""

from stacks.forwarders.forwarder_stacks import (
    MemberForwarderStack,
    RegionForwarderStack,
    build,
    forward_regions,
)

__all__ = ["MemberForwarderStack", "RegionForwarderStack", "build", "forward_regions"]
