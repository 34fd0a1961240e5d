"""CloudFormation's API on the laptop: what the CDK CLI and the aws-cli call, over the deployer.

| module | does |
|---|---|
| ``service`` | who answers: the deployer, or moto for stacks with resource types it does not know |
| ``stacks``, ``change_sets`` | the operations |
| ``request``, ``sources`` | what a call gives: settings, parameters, the template |
| ``answers``, ``wire`` | stacks as the API shows them; query protocol |
| ``behalf`` | clients that act for the caller, so that what a stack makes is recorded |
"""

from opentrail.local.cloudformation.service import StackChanged, cloudformation_service

__all__ = ["StackChanged", "cloudformation_service"]
