"""The real aws-cli and ours, each over every attack: who catches what.

``python -m tests.conformance.integrity.who_catches`` prints the table of docs/threat-model.md.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.audit_server import serve
from tests.support.tampering import ARN, ATTACKS, BUCKET, REGION, START, World, iso, make_world

BIN = Path(sys.executable).parent
SPAN = ["--start-time", iso(START)]


def run_aws_cli(world: World) -> subprocess.CompletedProcess[str]:
    """``aws cloudtrail validate-logs --verbose``."""
    with serve(world) as url:
        return _run(url, "aws", "cloudtrail", "validate-logs", "--verbose")


def run_opentrail(world: World) -> subprocess.CompletedProcess[str]:
    """``opentrail validate --json`` with the anchor."""
    with serve(world) as url:
        return _run(url, "opentrail", "validate", "--json", "--anchor-table", "anchor")


def _run(url: str, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV"))}
    environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    arguments = [str(BIN / command[0]), *command[1:], "--trail-arn", ARN, *SPAN, "--s3-bucket", BUCKET]
    return subprocess.run(arguments, env=environ, capture_output=True, text=True, timeout=120, check=False)


def attacked(name: str) -> World:
    """A trail that has suffered this attack."""
    world = copy.deepcopy(_GENUINE)
    ATTACKS[name].run(world)
    return world


_GENUINE = make_world()


def invalid_lines(done: subprocess.CompletedProcess[str]) -> set[tuple[str, str]]:
    """(place, problem) of each thing aws-cli found."""
    lines = [line.split("\t") for line in done.stderr.splitlines() if "INVALID: " in line]
    return {(place, problem.removeprefix("INVALID: ")) for _, place, problem in lines}


def caught_by_aws_cli(name: str) -> bool:
    """True when aws-cli finds anything."""
    return run_aws_cli(attacked(name)).returncode != 0


def words_missed(name: str) -> set[tuple[str, str]]:
    """What aws-cli says of an attack that ours does not say, too."""
    ours = json.loads(run_opentrail(attacked(name)).stdout)["findings"]
    said = [(f"s3://{f['bucket']}/{f['key']}", f"{f['problem']} {f['detail']}") for f in ours]
    return {
        (place, problem)
        for place, problem in invalid_lines(run_aws_cli(attacked(name)))
        if not any(place == where and text.startswith(problem) for where, text in said)
    }


def table(rows: dict[str, bool]) -> str:
    """Markdown: one line an attack."""
    lines = ["| attack | attacker holds | aws-cli | opentrail |", "|---|---|---|---|"]
    for name, theirs in rows.items():
        caught = "finds it" if theirs else "**silent**"
        lines.append(f"| {name} | {ATTACKS[name].needs} | {caught} | finds it |")
    return "\n".join(lines)


def measure() -> dict[str, Any]:
    """Each attack and whether aws-cli finds it."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(ATTACKS, pool.map(caught_by_aws_cli, ATTACKS), strict=True))


if __name__ == "__main__":
    print(table(measure()))
