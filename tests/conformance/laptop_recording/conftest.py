"""A real ``opentrail up`` in a process of its own, and clients of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config

READY = "OpenTrail ready at "


@dataclass(frozen=True, slots=True, kw_only=True)
class Laptop:
    """The endpoint, and where it exports delivered files to."""

    url: str
    exported: Path

    def client(self, service: str, **session: str) -> Any:
        """A boto3 client of the endpoint."""
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", **session}
        session_of: Any = boto3.Session  # its stubs know only literal names
        config = Config(retries={"total_max_attempts": 1})
        return session_of(region_name="us-east-1", **keys).client(
            service, endpoint_url=self.url, config=config
        )


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One for the module; a window of five minutes, so that only a flush delivers."""
    exported = tmp_path_factory.mktemp("exported")
    command = [str(Path(sys.executable).parent / "opentrail"), "up", "--port", "0"]
    options = ["--delivery-seconds", "300", "--export", str(exported)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith(READY)
        yield Laptop(url=line.removeprefix(READY), exported=exported)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


Admin = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def admin(laptop: Laptop) -> Admin:
    """POST a path of the endpoint and return the JSON it answers."""

    def post(path: str) -> dict[str, Any]:
        with urlopen(Request(f"{laptop.url}{path}", method="POST")) as answer:
            value: dict[str, Any] = json.load(answer)
        return value

    return post
