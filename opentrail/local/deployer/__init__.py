"""CloudFormation for the resource types OpenTrail's stacks use.

A library without a wire format: ``Engine`` deploys one template,
``deploy_assembly`` a whole CDK cloud assembly. Resources are made by plain
boto3 calls, one small provider per type (``providers``), and whatever a
template asks for that no provider honours is a ``DeployError``.
"""

from opentrail.local.deployer.assembly import deploy_assembly, read_assembly
from opentrail.local.deployer.assets import publish_assets
from opentrail.local.deployer.engine import Engine
from opentrail.local.deployer.state import Made, Resource, StackEvent, StackState, StackStore, StackStores

__all__ = [
    "Engine",
    "Made",
    "Resource",
    "StackEvent",
    "StackState",
    "StackStore",
    "StackStores",
    "deploy_assembly",
    "publish_assets",
    "read_assembly",
]
