"""Deploy a whole CDK cloud assembly: assets first, then its stacks in dependency order.

Source: the cloud assembly schema's manifest (``manifest.json``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.assets import Clients, publish_assets
from opentrail.local.deployer.engine import Engine
from opentrail.local.deployer.state import StackStore

_STACK: Final = "aws:cloudformation:stack"
_NESTED: Final = "cdk:cloud-assembly"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyStack:
    """One stack artifact of an assembly."""

    name: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str]  # those the assembly itself sets
    bootstrap_parameter: str  # SSM parameter that tells the bootstrap version; may be empty
    bootstrap_version: int  # the lowest the stack is content with


def deploy_assembly(
    assembly_dir: Path,
    *,
    clients: Clients,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    store: StackStore | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dict[str, dict[str, str]]:
    """Publish the assets of an assembly and deploy its stacks.

    No bootstrap stack is needed: publishing does what it is for, so the
    version check of the templates is answered with the version they ask for.

    Args:
        assembly_dir: what ``cdk synth`` wrote.
        clients: service name -> boto3 client of the account and Region.
        account: 12 digits; by default the account the clients belong to.
        region: by default the clients' Region.
        parameters: each goes to every stack that declares it.
        without: names of stacks to leave out.
        store: where to keep the stacks; a repeated call with the same store updates them.
        now: UTC clock for events.

    Returns:
        dict: stack name -> outputs.

    Raises:
        DeployError: no stack declares one of the parameters, or a stack could not be
            deployed; that stack was rolled back, those before it stay.
    """
    stacks = [stack for stack in read_assembly(assembly_dir) if stack.name not in without]
    given = dict(parameters or {})
    unknown = sorted(name for name in given if not any(_declares(stack, name) for stack in stacks))
    if unknown:
        raise DeployError(f"no stack of the assembly declares parameter {', '.join(unknown)}")
    account = account or str(clients("sts").get_caller_identity()["Account"])
    region = region or str(clients("s3").meta.region_name)
    publish_assets(assembly_dir, clients, account, region)
    engine = Engine(
        clients,
        account=account,
        region=region,
        store=store if store is not None else StackStore(),
        now=now,
        ssm_values=_bootstrap_versions(stacks),
    )
    return {stack.name: _deploy(engine, stack, given) for stack in stacks}


def read_assembly(assembly_dir: Path) -> list[AssemblyStack]:
    """Return the stacks of an assembly so that each comes after those it depends on.

    Raises:
        DeployError: there is no assembly in the directory, or it holds nested ones.
    """
    manifest = assembly_dir / "manifest.json"
    if not manifest.is_file():
        raise DeployError(f"{assembly_dir} holds no cloud assembly: there is no manifest.json")
    artifacts: Mapping[str, Any] = json.loads(manifest.read_bytes())["artifacts"]
    for name, artifact in artifacts.items():
        if artifact["type"] == _NESTED:
            raise DeployError(f"{name} is a nested assembly; deploy the directory of its stage instead")
    return [_stack(assembly_dir, name, artifacts[name]) for name in _stack_order(artifacts)]


def _stack_order(artifacts: Mapping[str, Any]) -> Iterator[str]:
    graph = {name: artifact.get("dependencies", []) for name, artifact in artifacts.items()}
    for name in TopologicalSorter(graph).static_order():
        if artifacts[name]["type"] == _STACK:
            yield name


def _stack(assembly_dir: Path, name: str, artifact: Mapping[str, Any]) -> AssemblyStack:
    properties = artifact["properties"]
    return AssemblyStack(
        name=properties.get("stackName", name),
        template=json.loads((assembly_dir / properties["templateFile"]).read_bytes()),
        parameters=properties.get("parameters", {}),
        bootstrap_parameter=properties.get("bootstrapStackVersionSsmParameter", ""),
        bootstrap_version=properties.get("requiresBootstrapStackVersion", 0),
    )


def _bootstrap_versions(stacks: list[AssemblyStack]) -> dict[str, str]:
    versions: dict[str, int] = {}
    for stack in stacks:
        if stack.bootstrap_parameter:
            known = versions.get(stack.bootstrap_parameter, 0)
            versions[stack.bootstrap_parameter] = max(known, stack.bootstrap_version)
    return {name: str(version) for name, version in versions.items()}


def _declares(stack: AssemblyStack, parameter: str) -> bool:
    return parameter in stack.template.get("Parameters", {})


def _deploy(engine: Engine, stack: AssemblyStack, given: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in given.items() if _declares(stack, name)}
    return engine.deploy(stack.name, stack.template, {**stack.parameters, **own}).outputs
