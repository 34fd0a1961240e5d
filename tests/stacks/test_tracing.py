"""The option ``tracing``: X-Ray by configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opentrail import settings
from tests.stacks.conftest import Templates
from tests.stacks.test_checks import bodies_of


def functions(installation: Templates) -> dict[str, dict[str, Any]]:
    resources = [item for body in bodies_of(installation) for item in body["Resources"].items()]
    return {name: r["Properties"] for name, r in resources if r["Type"] == "AWS::Lambda::Function"}


def test_it_is_off_unless_asked_for(templates: Templates) -> None:
    assert not any("TracingConfig" in function for function in functions(templates).values())


def test_every_function_is_traced_and_may_send_it(plain: Templates) -> None:
    assert {f["TracingConfig"]["Mode"] for f in functions(plain).values()} == {"Active"}

    senders = {
        role["Ref"]
        for body in bodies_of(plain)
        for resource in body["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy" and "xray:PutTraceSegments" in str(resource)
        for role in resource["Properties"]["Roles"]
    }
    assert senders == {f["Role"]["Fn::GetAtt"][0] for f in functions(plain).values()}


@pytest.mark.parametrize("folder", ["opentrail", "lambdas"])
def test_no_code_of_ours_traces(folder: str) -> None:
    source = Path(settings.__file__).parents[1] / folder
    found = [p for p in source.rglob("*.py") if "_deploy" not in p.parts]

    assert found
    assert [p.name for p in found if "aws_xray_sdk" in p.read_text() or "Tracer(" in p.read_text()] == []
