"""The ``opentrail`` command: a verb is a file."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from opentrail import cli
from opentrail.adapters.aws.clients import client

FILES = [path for path in Path(cli.__file__).parent.glob("*.py") if not path.name.startswith("_")]
VERBS = sorted(path.stem.replace("_", "-") for path in FILES)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.main, list(arguments), prog_name="opentrail")
    return done.exit_code, done.output


def is_hidden(verb: str) -> bool:
    """For a make target, not for users."""
    return importlib.import_module(f"opentrail.cli.{verb.replace('-', '_')}").command.hidden is True


def test_help_lists_every_verb() -> None:
    code, text = run("--help")

    listed = [line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line.strip()]
    assert code == 0
    assert [name for name in VERBS if name not in listed] == [name for name in VERBS if is_hidden(name)]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    code, text = run(verb, "--help")

    assert code == 0
    assert text.startswith(f"Usage: opentrail {verb}")


@pytest.mark.parametrize("verb", ["_endpoint", "-endpoint", "nothing", "../up", "os.path", ""])
def test_what_is_no_verb_is_refused(verb: str) -> None:
    code, text = run(verb)

    assert code == 2
    assert "No such command" in text or "No such option" in text


def test_an_interrupted_verb_has_found_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("opentrail.cli.doctor.command.callback", interrupted)

    assert run("doctor") == (130, "interrupted\n")


@pytest.mark.parametrize("verb", ["lookup", "doctor", "cost", "status"])
def test_an_endpoint_that_is_no_url_is_said(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")

    code, text = run(verb)

    assert code == 2
    assert "Error: AWS_ENDPOINT_URL is not a URL: 'localhost:4566'" in text


def test_a_profile_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    client.cache_clear()

    code, text = run("remediation", "list")

    client.cache_clear()
    assert (code, text) == (2, "opentrail: The config profile (not-there) could not be found\n")


def test_the_version_is_the_packages() -> None:
    code, text = run("--version")

    assert (code, text.split()[:2]) == (0, ["opentrail,", "version"])
