"""Files with Sigma rules -> what became of each rule: a detection, or why it cannot be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from sigma.rule import SigmaYAMLLoader

from opentrail.adapters.sigma.rule import notes_on, read_rule
from opentrail.branches.detections.detection import Detection
from opentrail.errors import FormatError, SettingsError

SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One rule that was read.

    Attributes:
        file: where it is.
        rule: its title, or what it is called until it has one.
        detection: None when there is a problem.
        problem: why it cannot be a detection.
        notes: what its author may not know: tests that can never hold, parts nobody refers to.
    """

    file: Path
    rule: str
    detection: Detection | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.problem}" if self.rule else f"{self.file}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a folder, in the order of their files; ``notes`` name file and rule."""

    detections: tuple[Detection, ...]
    notes: tuple[str, ...]


def load(folder: Path) -> Rules:
    """Read a folder whose rules shall all be detections.

    Raises:
        SettingsError: names every rule that cannot be one, its file and why.
    """
    readings = read(folder)
    problems = [str(reading) for reading in readings if reading.problem]
    if problems:
        raise SettingsError("; ".join(problems))
    return Rules(
        tuple(reading.detection for reading in readings if reading.detection is not None),
        tuple(f"{reading.file}: {reading.rule}: {note}" for reading in readings for note in reading.notes),
    )


def read(path: Path) -> list[Reading]:
    """Read a file, or the files of a folder and of those below it. Whatever is wrong is in the readings.

    Raises:
        SettingsError: there is no file.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES)
    if not files:
        raise SettingsError(f"{path} holds no Sigma rules (files that end in {' or '.join(SUFFIXES)})")
    return _without_doubles([reading for file in files for reading in _read_file(file)])


def _without_doubles(readings: list[Reading]) -> list[Reading]:
    seen: dict[str, Path] = {}
    judged: list[Reading] = []
    for reading in readings:
        id_ = reading.detection.id if reading.detection else ""
        if id_ in seen:
            problem = f"its id is that of a rule in {seen[id_]}"
            reading = replace(reading, detection=None, problem=problem, notes=())
        elif id_:
            seen[id_] = reading.file
        judged.append(reading)
    return judged


def _read_file(file: Path) -> Iterator[Reading]:
    try:
        documents = list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=SigmaYAMLLoader))
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        yield Reading(file=file, rule="", problem=f"is no YAML: {_one_line(error)}")
        return
    rules = [document for document in documents if document is not None]
    if not rules:
        yield Reading(file=file, rule="", problem="holds no rule")
    for number, document in enumerate(rules, start=1):
        yield _read_document(file, number, document)


def _read_document(file: Path, number: int, document: Any) -> Reading:
    title = document.get("title") if isinstance(document, dict) else None
    rule = title if isinstance(title, str) and title else f"rule {number}"
    try:
        detection = read_rule(document)
    except FormatError as error:
        return Reading(file=file, rule=rule, problem=_one_line(error))
    return Reading(file=file, rule=rule, detection=detection, notes=tuple(notes_on(document, detection)))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
