"""What functions run: the code asset and the layer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.constructs import layer_bundle
from stacks.constructs.code_assets import REQUIREMENTS, layer_hash
from tests.stacks.conftest import ROOT, Template, Templates


def asset(templates: Templates, type_: str, member: str) -> Path:
    """The staged folder of the first resource of ``type_``."""
    body = next(iter(templates.pipeline.of_type(type_).values()))
    key = body[member]["S3Key"].removesuffix(".zip")
    files = json.loads((templates.directory / "OpenTrailPipeline.assets.json").read_text())["files"]
    return templates.directory / str(files[key]["source"]["path"])


@pytest.fixture(scope="session")
def code(templates: Templates) -> set[str]:
    """Every path in the code asset."""
    root = asset(templates, "AWS::Lambda::Function", "Code")
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_code_is_the_package_and_the_handlers(code: set[str]) -> None:
    assert {path.partition("/")[0] for path in code} == {"opentrail", "lambdas"}
    assert {"opentrail/settings.py", "lambdas/record/__init__.py"} <= code


@pytest.mark.parametrize("folder", ["cli", "local", "testing", "_deploy", "branches/cost", "branches/doctor"])
def test_code_leaves_out_what_no_function_runs(code: set[str], folder: str) -> None:
    assert not [path for path in code if path.startswith(f"opentrail/{folder}/")]


def test_code_is_nothing_but_source_and_its_tables(code: set[str]) -> None:
    assert {Path(path).suffix for path in code} <= {".py", ".toml"}


def test_every_handler_is_where_its_function_looks(code: set[str], pipeline: Template) -> None:
    handlers = [body["Handler"] for body in pipeline.of_type("AWS::Lambda::Function").values()]

    assert {name.rpartition(".")[0].replace(".", "/") + ".py" for name in handlers} <= code


def test_layer_without_bundling_is_only_the_list(templates: Templates) -> None:
    root = asset(templates, "AWS::Lambda::LayerVersion", "Content")

    assert [path.name for path in root.rglob("*")] == ["requirements.txt"]


def test_layer_list_pins_what_is_tested() -> None:
    tested = set((ROOT / "requirements.txt").read_text().splitlines())

    layer = {line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")}
    assert layer - tested == set()


def test_layer_hash_follows_the_list(tmp_path: Path) -> None:
    changed = tmp_path / "requirements.txt"
    changed.write_text(REQUIREMENTS.read_text() + "another==1.0\n")

    assert layer_hash(changed) != layer_hash(REQUIREMENTS)


def test_layer_hash_follows_the_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = layer_hash(REQUIREMENTS)
    builder = tmp_path / "layer_bundle.py"
    builder.write_text("# another way to build\n")

    monkeypatch.setattr(layer_bundle, "__file__", str(builder))

    assert layer_hash(REQUIREMENTS) != before


def test_pip_may_take_wheels_for_lambda_only(tmp_path: Path) -> None:
    command = layer_bundle.pip_command(REQUIREMENTS, tmp_path)

    platforms = [command[i + 1] for i, word in enumerate(command) if word == "--platform"]
    assert platforms == ["manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"]
    assert {"--only-binary=:all:", "--no-deps", "--no-compile"} <= set(command)
    assert command[command.index("--python-version") + 1] == "3.13"


def test_layer_bytecode_is_the_same_in_every_folder(tmp_path: Path) -> None:
    compiled = []
    for name in ("here", "there"):
        source = tmp_path / name / "python" / "package.py"
        source.parent.mkdir(parents=True)
        source.write_text("def answer():\n    return 42\n")
        layer_bundle.compile_layer(source.parent)
        (bytecode,) = source.parent.rglob("*.pyc")
        compiled.append(bytecode.read_bytes())

    assert compiled[0] == compiled[1]
    assert b"/opt/python/package.py" in compiled[0]
    assert compiled[0][4:8] == (1).to_bytes(4, "little")  # PEP 552: by hash, unchecked


@pytest.fixture
def tiny_wheel(tmp_path: Path) -> Path:
    """A folder with the wheel of a package that has a console script."""
    source = tmp_path / "source"
    (source / "tiny").mkdir(parents=True)
    (source / "tiny" / "__init__.py").write_text("")
    (source / "pyproject.toml").write_text(
        '[project]\nname = "tiny"\nversion = "1.0"\nscripts = { tiny = "tiny:main" }\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    wheels = tmp_path / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "-w", str(wheels), str(source)], check=True, timeout=60)
    return wheels


def test_layer_is_built_from_wheels_without_their_scripts(
    tiny_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("tiny==1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tiny_wheel))

    filled = layer_bundle.LayerBundle(requirements).try_bundle(str(tmp_path / "layer"), "any", image="any")

    installed = tmp_path / "layer" / "python"
    assert filled is True
    assert sorted(path.name for path in installed.iterdir()) == ["tiny", "tiny-1.0.dist-info"]
    assert "bin/" not in (installed / "tiny-1.0.dist-info" / "RECORD").read_text()


def test_layer_that_cannot_be_built_stops_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("no-such-package==1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(subprocess.CalledProcessError):
        layer_bundle.build_layer(requirements, tmp_path / "layer")
