"""What functions run: one code asset with the package and all handlers, one layer with what they import.

Neither needs Docker. The code asset is the sources as they are; the layer is made by pip
from wheels for Lambda, whatever machine builds it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs import layer_bundle
from stacks.constructs.code_bundle import bundle_code

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "lambdas" / "requirements.txt"

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64

# Read as .gitignore: everything out, two folders in, and out of these what no function runs.
NOT_CODE = [
    "/*",
    "!/opentrail",
    "!/lambdas",
    "/opentrail/_deploy",
    "/opentrail/adapters/sigma",
    "/opentrail/branches/cost",
    "/opentrail/branches/doctor",
    "/opentrail/branches/evidence",
    "/opentrail/cli",
    "/opentrail/local",
    "/opentrail/testing",
    "/lambdas/requirements.*",
    "__pycache__",
    "*.pyc",
]


def function_code(added: Mapping[str, Path | bytes] | None = None) -> lambda_.Code:
    """Return the sources, and ``added``: folders and files by name; their hash depends on nothing else."""
    if added:
        return lambda_.Code.from_asset(str(bundle_code(ROOT, added)))
    return lambda_.Code.from_asset(str(ROOT), exclude=NOT_CODE, ignore_mode=cdk.IgnoreMode.GIT)


def package_layer(scope: Construct, id_: str, *, bundle: bool) -> lambda_.LayerVersion:
    """Return the layer; without ``bundle`` it holds no packages, only the list of them."""
    return lambda_.LayerVersion(
        scope,
        id_,
        description="OpenTrail: packages" if bundle else "OpenTrail: list of packages, for the laptop only",
        code=_packages() if bundle else _package_list(),
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
    )


def _packages() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(REQUIREMENTS.parent),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=layer_hash(REQUIREMENTS),
        bundling=cdk.BundlingOptions(
            image=RUNTIME.bundling_image,  # named because CDK insists, never pulled: `local` never declines
            local=layer_bundle.LayerBundle(REQUIREMENTS),
        ),
    )


def _package_list() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(REQUIREMENTS.parent), exclude=["/*", "!/requirements.txt"], ignore_mode=cdk.IgnoreMode.GIT
    )


def layer_hash(requirements: Path) -> str:
    """Return a hash over all that decides the layer's content: list, builder, and builder's Python."""
    builder = Path(layer_bundle.__file__).read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor}".encode()
    return hashlib.sha256(b"\0".join((requirements.read_bytes(), builder, python))).hexdigest()
