"""The model of cost counts what is deployed."""

from __future__ import annotations

import re

from opentrail.branches.cost import installation
from tests.stacks.conftest import ROOT, Template, Templates


def stacks(templates: Templates) -> tuple[Template, ...]:
    """Those of every installation."""
    return (templates.storage, templates.pipeline, templates.api, templates.integrity)


def count(templates: Templates, type_: str) -> int:
    return sum(len(stack.of_type(type_)) for stack in stacks(templates))


def test_alarms_and_dashboards_are_counted(templates: Templates) -> None:
    assert count(templates, "AWS::CloudWatch::Alarm") == installation.ALARMS
    assert count(templates, "AWS::CloudWatch::Dashboard") == installation.DASHBOARDS


def test_keys_are_counted(templates: Templates) -> None:
    assert count(templates, "AWS::KMS::Key") == installation.ENCRYPTION_KEYS + installation.SIGNING_KEYS


def test_memory_is_that_of_the_functions(templates: Templates) -> None:
    functions = [
        body for stack in stacks(templates) for body in stack.of_type("AWS::Lambda::Function").values()
    ]
    memory = {body["Handler"].split(".")[1]: body["MemorySize"] for body in functions}
    del memory["api"]  # runs for requests, not for events

    assert memory == installation.MEMORY_MIB


def test_polling_is_that_of_the_queues(templates: Templates) -> None:
    pollers = templates.pipeline.of_type("AWS::Lambda::EventSourceMapping").values()
    parameters = templates.pipeline.body["Parameters"]

    assert len(pollers) == installation.QUEUES
    assert {
        (p["MaximumBatchingWindowInSeconds"]["Ref"], p["ScalingConfig"]["MaximumConcurrency"])
        for p in pollers
    } == {
        ("IntakeWindowSeconds", installation.INTAKE_CONCURRENCY),
        ("DeliveryWindowSeconds", installation.DELIVERY_CONCURRENCY),
    }
    assert parameters["IntakeWindowSeconds"]["Default"] == installation.INTAKE_WINDOW_SECONDS
    assert parameters["DeliveryWindowSeconds"]["Default"] == installation.DELIVERY_WINDOW_SECONDS


def test_metrics_are_those_the_scheduled_and_polling_handlers_write() -> None:
    named = [
        name
        for stage in installation.MEMORY_MIB
        for name in re.findall(r'add_metric\(name="', (ROOT / "lambdas" / stage / "handler.py").read_text())
    ]

    assert len(named) == installation.METRICS
