"""Every example of docs/testing-your-rules.md runs as a reader would run it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "testing-your-rules.md"
BLOCK = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

IN_ANOTHER_ACCOUNT = """
def test_account_and_region(opentrail):
    trail = opentrail.trail()
    opentrail.client("sqs").create_queue(QueueName="q")
    opentrail.flush()
    assert [event["awsRegion"] for event in trail.events("CreateQueue")] == ["eu-west-1"]
    assert trail.arn == "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
    assert "/111122223333/CloudTrail/eu-west-1/" in trail.log_files()[0]
"""


def examples() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text())


def test_every_python_block_is_a_file() -> None:
    assert PAGE.read_text().count("```python") == len(examples())


def test_examples_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name)  # a reader's shell has none
    *files, (_, another_account) = examples()
    elsewhere = pytester.mkdir("elsewhere")
    elsewhere.joinpath("conftest.py").write_text(another_account)
    elsewhere.joinpath("test_elsewhere.py").write_text(IN_ANOTHER_ACCOUNT)
    for name, text in files:
        pytester.path.joinpath(name).write_text(text)

    outcome = pytester.runpytest_subprocess("-Werror")

    promised = sum(text.count("\ndef test_") for text in [*(text for _, text in files), IN_ANOTHER_ACCOUNT])
    outcome.assert_outcomes(passed=promised)
