"""The session of docs/laptop.md, run in a shell against a real ``opentrail up``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.laptop_recording.conftest import Laptop

PAGE = Path(__file__).parents[3] / "docs" / "laptop.md"
END = "end of command"


def blocks(kind: str) -> list[list[tuple[str, str]]]:
    """Commands and what they print, block by block."""
    pattern = re.compile(rf"^<!-- {kind} -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [commands(block) for block in pattern.findall(PAGE.read_text())]


def commands(block: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def matches(printed: str, promised: str) -> bool:
    """Is it what the page says? Three dots stand for anything within a line; indents do not count."""
    said, shown = ([line.strip() for line in text.strip().splitlines()] for text in (promised, printed))
    return len(said) == len(shown) and all(
        re.fullmatch(re.escape(one).replace(r"\.\.\.", ".*"), other)
        for one, other in zip(said, shown, strict=True)
    )


@pytest.fixture(scope="module")
def environment(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    tools = Path(sys.executable).parent
    return {
        **kept,
        "PATH": f"{tools}{os.pathsep}{kept['PATH']}",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "AWS_ENDPOINT_URL": laptop.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "me",
        "AWS_PAGER": "",
    }


@pytest.fixture(scope="module")
def tailing(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """``opentrail tail`` in a third shell."""
    process = subprocess.Popen(
        ["opentrail", "tail", "--since", "1m"], env=environment, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.terminate()
    process.communicate()


@pytest.fixture(scope="module")
def session(environment: dict[str, str], tailing: object) -> list[tuple[str, str, str]]:
    """Every command of the page in one shell: the command, what was promised, what it printed."""
    promised = [entry for block in blocks("session") for entry in block]
    script = "\n".join(f"{command}\necho; echo '{END}'" for command, _ in promised)
    done = subprocess.run(
        ["bash"], input=script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    printed = done.stdout.split(f"\n{END}\n")
    return [(command, output, shown) for (command, output), shown in zip(promised, printed[:-1], strict=True)]


def test_every_command_prints_what_the_page_says(session: list[tuple[str, str, str]]) -> None:
    wrong = [(command, shown) for command, promised, shown in session if not matches(shown, promised)]

    assert wrong == []
    assert len(session) == sum(map(len, blocks("session")))


def test_tail_prints_what_the_page_says(
    session: list[tuple[str, str, str]], tailing: subprocess.Popen[str]
) -> None:
    (((_, promised),),) = blocks("tail")
    assert tailing.stdout is not None

    printed = [tailing.stdout.readline() for _ in promised.strip().splitlines()]

    assert matches("".join(printed), promised)
