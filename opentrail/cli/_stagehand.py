"""What the demo stands on: a laptop endpoint of its own, the real aws-cli, and a voice."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

BIN = Path(sys.executable).parent  # aws, opentrail
REGION = "us-east-1"
READY = "OpenTrail ready at "
OPERATOR = {"AWS_ACCESS_KEY_ID": "operator", "AWS_SECRET_ACCESS_KEY": "operator"}


class BrokenPromise(Exception):
    """A step did not hold."""


def scene(title: str) -> None:
    """Announce what comes next."""
    click.echo(f"\n{click.style(title, bold=True)}")


def proved(text: str) -> None:
    """Say what the scene proved."""
    click.echo(f"  {click.style('proved', fg='green')}  {text}")


def check(holds: bool, promise: str) -> None:
    """Stop the demo when a promise does not hold.

    Raises:
        BrokenPromise: it does not.
    """
    if not holds:
        raise BrokenPromise(promise)


class Terminal:
    """Runs commands as a user would, and shows them."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def aws(self, command: str, *, fails: bool = False, quiet: bool = False, **environment: str) -> str:
        """Run the real aws-cli; answer what it printed, its errors when it is meant to fail.

        Raises:
            BrokenPromise: it failed and should not have, or the other way round.
        """
        done = self.run("aws", command, quiet=quiet, **environment)
        if (done.returncode != 0) is not fails:
            raise BrokenPromise(
                f"aws {command} exited {done.returncode}: {done.stderr.strip() or done.stdout}"
            )
        return done.stderr if fails else done.stdout

    def run(
        self, program: str | Path, command: str, *, quiet: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment, or one at a path, against the endpoint."""
        if not quiet:
            click.echo(f"  $ {Path(program).name} {command}")
        return subprocess.run(
            [BIN / program, *shlex.split(command)],
            env=self._environment(environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def flush(self, *, digest: bool = False) -> dict[str, Any]:
        """``opentrail flush``, and its counts.

        Raises:
            BrokenPromise: it failed.
        """
        done = self.run("opentrail", "flush --digest" if digest else "flush")
        check(done.returncode == 0, f"opentrail flush failed: {done.stdout}{done.stderr}")
        click.echo(f"    {done.stdout.strip()}")
        counts: dict[str, Any] = json.loads(done.stdout)
        return counts

    def _environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        ours = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
        }
        return {**kept, **ours, **OPERATOR, **changes}


@contextmanager
def laptop(*options: str) -> Iterator[Terminal]:
    """``opentrail up`` with ``options``, on a free port, for as long as the block runs.

    Raises:
        BrokenPromise: it did not come up.
    """
    process = subprocess.Popen(
        [BIN / "opentrail", "up", "--port", "0", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None  # it was asked for
        line = process.stdout.readline().strip()
        check(line.startswith(READY), f"opentrail up said {line!r}")
        yield Terminal(line.removeprefix(READY))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
