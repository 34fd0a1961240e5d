"""The real CDK command of a checkout, run against the laptop."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from opentrail.cli._stagehand import REGION, BrokenPromise, Terminal

CDK = Path("node_modules") / ".bin" / "cdk"
ACCOUNT = "123456789012"
# The laptop runs handlers in this environment, so the layer needs no packages; and trails made a moment
# ago are to be seen at once.
LAPTOP_CONTEXT = "--context bundleLayer=false"
LAPTOP_PARAMETERS = "--parameters OpenTrailPipeline:TrailCacheSeconds=0"


class Cdk:
    """Runs ``cdk`` in the current directory, which is a checkout."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def synth(self, folder: Path, **context: str) -> None:
        """Write the stacks' templates, with these options, into ``folder``."""
        options = " ".join(f"--context {name}={value}" for name, value in context.items())
        self._run(f"synth --quiet --output {folder} {LAPTOP_CONTEXT} {options}")

    def bootstrap(self, folder: Path) -> str:
        """``cdk bootstrap``, once per account and Region; ``folder`` saves it a synthesis."""
        return self._run(f"bootstrap aws://{ACCOUNT}/{REGION} --app {folder}")

    def deploy(self, folder: Path) -> str:
        """``cdk deploy --all`` of a folder that ``synth`` wrote."""
        return self._run(f"deploy --all --require-approval never --app {folder} {LAPTOP_PARAMETERS}")

    def diff(self, folder: Path) -> str:
        """``cdk diff`` against what is deployed."""
        return self._run(f"diff --app {folder}")

    def destroy(self, folder: Path) -> str:
        """``cdk destroy --all``."""
        return self._run(f"destroy --all --force --app {folder}")

    def _run(self, command: str) -> str:
        done: subprocess.CompletedProcess[str] = self._terminal.run(
            CDK.absolute(),
            f"{command} --ci --no-color --progress events",
            CDK_DISABLE_CLI_TELEMETRY="1",
            NODE_NO_WARNINGS="1",
            PATH=os.environ["PATH"],
        )
        said = done.stdout + done.stderr
        if done.returncode != 0:
            raise BrokenPromise(f"cdk {command} exited {done.returncode}: {said[-4000:]}")
        return said
