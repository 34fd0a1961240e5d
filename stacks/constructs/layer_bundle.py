"""requirements.txt -> the folder that becomes a Lambda layer, byte for byte the same on any machine."""

from __future__ import annotations

import compileall
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii

PYTHON_VERSION = "3.13"

# pip takes each tag literally: the newest does not imply the older ones. glibc 2.34 is Amazon Linux 2023's.
PLATFORMS = ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64")

LAYER_PATH = "/opt/python"  # where Lambda puts the layer's `python` folder


@jsii.implements(cdk.ILocalBundling)
class LayerBundle:
    """Builds the layer in place of a container."""

    def __init__(self, requirements: Path) -> None:
        self.requirements = requirements

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Fill ``output_dir``; always True, there is no other way to build it.

        The signature is loose because the one CDK documents for Python is not the one it
        calls (aws-cdk issue 26581).

        Raises:
            subprocess.CalledProcessError: pip found no wheel for Lambda, or no index.
        """
        build_layer(self.requirements, Path(output_dir) / "python")
        return True


def build_layer(requirements: Path, target: Path) -> None:
    """Install ``requirements`` into ``target`` for Lambda on arm64, from wheels only."""
    subprocess.run(pip_command(requirements, target), check=True, stdout=subprocess.DEVNULL)
    drop_scripts(target)
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON_VERSION:
        compile_layer(target)


def drop_scripts(target: Path) -> None:
    """Remove console scripts, which no function runs, and their lines in ``RECORD``.

    A script starts with the building machine's path to Python, and ``RECORD`` holds the
    script's hash: either would make the layer differ from machine to machine.
    """
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in target.glob("*.dist-info/RECORD"):
        lines = record.read_bytes().splitlines(keepends=True)
        record.write_bytes(b"".join(line for line in lines if not line.startswith(b"../../bin/")))


def pip_command(requirements: Path, target: Path) -> list[str]:
    """Return the pip run; ``--no-deps`` because the list is complete."""
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    return [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--implementation", "cp", "--python-version", PYTHON_VERSION, *platforms),
        *("--only-binary=:all:", "--no-deps", "--no-compile"),
        *("--requirement", str(requirements), "--target", str(target)),
    ]


def compile_layer(target: Path) -> None:
    """Write bytecode that Lambda can use: it cannot write its own under /opt.

    By content and unchecked, because packing changes the times; only the runtime's own
    minor version writes bytecode that it can read.
    """
    compileall.compile_dir(
        target,
        quiet=1,
        stripdir=str(target),
        prependdir=LAYER_PATH,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
