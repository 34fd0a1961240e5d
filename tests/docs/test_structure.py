"""What the tree promises its readers: stages that fit, files of one purpose, tests without clocks."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from opentrail.pipeline import STAGES

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
MAX_TEST_LINES = 700  # a test file is a list, and read as one
FOLDERS = ("opentrail", "lambdas", "stacks", "tests", "benchmarks")
SOURCES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if "_deploy" not in path.parts and "__pycache__" not in path.parts
)
TESTS = [path for path in SOURCES if path.is_relative_to(ROOT / "tests")]
SPECIFICATIONS = [path for path in TESTS if path.name.startswith(("test_", "conftest"))]
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"}


def promise(stage: str) -> dict[str, str]:
    """What a stage's docstring says of ``in``, ``out`` and ``needs``."""
    docstring = importlib.import_module(f"opentrail.pipeline.{stage}").__doc__ or ""
    said = dict(line.split(": ", 1) for line in docstring.splitlines() if ": " in line)
    return {name: said[name] for name in ("in", "out", "needs")}


def test_the_stages_are_the_packages_of_the_line() -> None:
    packages = {path.parent.name for path in (ROOT / "opentrail" / "pipeline").glob("*/__init__.py")}

    assert packages == set(STAGES)


@pytest.mark.parametrize(("stage", "following"), list(pairwise(STAGES)))
def test_what_a_stage_gives_the_next_one_takes(stage: str, following: str) -> None:
    assert promise(stage)["out"] == promise(following)["in"]


def test_the_line_begins_with_a_message_and_ends_with_a_report() -> None:
    assert (promise(STAGES[0])["in"], promise(STAGES[-1])["out"]) == ("message", "report")


def test_every_branch_says_what_it_takes_and_gives() -> None:
    for path in (ROOT / "opentrail" / "branches").glob("*/__init__.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        assert {"in", "out", "needs"} <= {line.partition(":")[0] for line in docstring.splitlines()}, path


def test_no_file_is_longer_than_one_purpose_needs() -> None:
    too_long = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if len(path.read_text().splitlines()) > (MAX_TEST_LINES if path in TESTS else MAX_LINES)
    ]

    assert too_long == []


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def called(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The last name of every call under ``tree``, where the call is of ``time`` or bare, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            target = node.func
            if isinstance(target, ast.Name):
                yield target.id, node.lineno
            elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                yield (target.attr if target.value.id == "time" else ""), node.lineno


def test_no_test_sleeps() -> None:
    asleep = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SPECIFICATIONS
        for name, line in called(ast.parse(path.read_text()))
        if name == "sleep"
    ]

    assert asleep == []


def test_no_test_asserts_how_long_something_took() -> None:
    timed = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
        for name, line in called(node)
        if name in CLOCKS
    ]

    assert timed == []
