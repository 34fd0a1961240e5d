"""What a user installs: the wheel, outside the checkout, without Node."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conformance.laptop.conftest import BIN, environment, serving

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with what is installed here."""
    if not (ROOT / "opentrail" / "_deploy" / "manifest.json").exists():
        pytest.skip("the templates are not packaged yet: make synth")
    folder = tmp_path_factory.mktemp("dist")
    pip("wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    (built,) = folder.glob("opentrail-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package and its command, nothing else."""
    folder = tmp_path_factory.mktemp("site")
    pip("install", str(wheel), "--no-deps", "--no-index", "--target", str(folder))
    return folder


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def outside(installed: Path, empty: Path) -> dict[str, str]:
    """An environment in which only the installed package is ours, and no program is on the path."""
    return environment(PYTHONPATH=str(installed), PATH=str(empty))


def test_the_wheel_holds_the_package_and_its_templates_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names} == {"opentrail", f"opentrail-{version(wheel)}.dist-info"}
    assert "opentrail/_deploy/manifest.json" in names
    assert not [name for name in names if name.endswith(".pyc") or "/tests/" in name]


def version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def test_the_installed_command_runs_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            env=outside(installed, tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    where = run("-c", "import opentrail; print(opentrail.__file__)").strip()
    helped = run(str(installed / "bin" / "opentrail"), "--help")

    assert Path(where).is_relative_to(installed)
    assert {"demo", "flush", "status", "up", "validate"} <= set(helped.split())


def test_the_installed_laptop_records_without_node_and_without_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    command: list[str | Path] = [sys.executable, installed / "bin" / "opentrail", "up", "--port", "0"]

    with serving(command, outside(installed, tmp_path), tmp_path) as laptop:
        laptop.make_trail("wheel", EnableLogFileValidation=True)
        laptop.client("iam").create_user(UserName="bob")
        counts = laptop.flush(digest=True)

        assert counts["digests"] >= 1
        assert len(laptop.keys("audit-wheel", "/CloudTrail-Digest/us-east-1/")) == 1
        assert laptop.keys("audit-wheel", "/CloudTrail/us-east-1/") != []


def test_the_checkouts_own_command_helps(tmp_path: Path) -> None:
    done = subprocess.run(
        [BIN / "opentrail", "--help"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("Usage: opentrail")
    assert os.fspath(ROOT) not in done.stdout
