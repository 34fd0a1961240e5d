"""``opentrail detections``: Sigma rules compiled, explained and tried out, without any deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from opentrail.branches.detections import Detection, compile_predicate, pattern_of
from opentrail.cli._event_files import records_of
from opentrail.cli._words import counted
from opentrail.errors import OpenTrailError
from opentrail.format.own_record import principal_of

if TYPE_CHECKING:
    from opentrail.adapters.sigma.folder import Reading

PLACE = click.Path(exists=True, path_type=Path)


@click.group()
def command() -> None:
    """Detections: rules in Sigma, and the calls they find."""


@command.command("check")
@click.argument("rules", type=PLACE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check_command(rules: Path, as_json: bool) -> None:
    """Compile RULES, a file or a folder, and say what becomes of each.

    Exit code 1: a rule cannot be compiled. 2: there is none.
    """
    readings = _read(rules)
    for reading in readings:
        click.echo(json.dumps(_facts(reading)) if as_json else "\n".join(_explained(reading)))
    broken = sum(1 for reading in readings if reading.problem)
    if not as_json:
        click.echo(f"{counted(len(readings), 'rule')}, {broken} with problems")
    raise SystemExit(1 if broken else 0)


@command.command("test")
@click.argument("rules", type=PLACE)
@click.argument("events", type=PLACE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: the rule, and the record.")
def test_command(rules: Path, events: tuple[Path, ...], as_json: bool) -> None:
    """Show which records in EVENTS the RULES find.

    EVENTS are files or folders: CloudTrail's log files, gzip or not, lists or lines of records,
    EventBridge events, what `aws cloudtrail lookup-events` prints.

    Exit code 1: nothing was found. 2: a rule cannot be compiled, or a file cannot be read.
    """
    detections = _compiled(rules)
    seen = found = 0
    try:
        for record in records_of(events):
            seen += 1
            for detection, matches in detections:
                if matches(record):
                    found += 1
                    click.echo(_match(detection, record) if not as_json else _match_json(detection, record))
    except OpenTrailError as error:
        _fail(str(error))
    if not as_json:
        click.echo(f"{counted(found, 'finding')} in {counted(seen, 'record')}")
    raise SystemExit(0 if found else 1)


def _read(rules: Path) -> list[Reading]:
    try:
        from opentrail.adapters.sigma.folder import read
    except ModuleNotFoundError as error:
        if error.name != "sigma":
            raise
        _fail("Sigma rules are read by pySigma, which is not installed: pip install 'opentrail[sigma]'")
    try:
        return read(rules)
    except OpenTrailError as error:
        _fail(str(error))


def _compiled(rules: Path) -> list[tuple[Detection, Any]]:
    readings = _read(rules)
    problems = [str(reading) for reading in readings if reading.problem]
    if problems:
        _fail("\n".join(problems))
    found = [reading.detection for reading in readings if reading.detection is not None]
    return [(detection, compile_predicate(detection.condition)) for detection in found]


def _facts(reading: Reading) -> dict[str, Any]:
    facts: dict[str, Any] = {"file": str(reading.file), "rule": reading.rule}
    if reading.detection is None:
        return {**facts, "problem": reading.problem}
    pattern = pattern_of(reading.detection.condition)
    return {
        **facts,
        "id": reading.detection.id,
        "level": reading.detection.level,
        "decides": "EventBridge" if pattern.exact else "function",
        "pattern": pattern.body,
        "notes": list(reading.notes),
    }


def _explained(reading: Reading) -> Iterator[str]:
    yield f"{reading.file}: {reading.rule or reading.problem}"
    if reading.detection is None:
        if reading.rule:
            yield f"  problem: {reading.problem}"
        return
    pattern = pattern_of(reading.detection.condition)
    detail = json.dumps(pattern.body.get("detail", {}))
    if pattern.exact:
        yield f"  EventBridge decides: {detail}"
    elif pattern.is_every_call:
        yield "  the function decides about every call"
    else:
        yield f"  the function decides about: {detail}"
    for note in reading.notes:
        yield f"  note: {note}"


def _match(detection: Detection, record: dict[str, Any]) -> str:
    parts = (
        str(record.get("eventTime", "")),
        f"{detection.level:<8}",
        detection.title,
        f"{record.get('eventName', '')}",
        principal_of(record),
        str(record.get("eventID", "")),
    )
    return "  ".join(part for part in parts if part.strip())


def _match_json(detection: Detection, record: dict[str, Any]) -> str:
    facts = {"ruleId": detection.id, "title": detection.title, "level": detection.level}
    return json.dumps({**facts, "record": record}, ensure_ascii=False)


def _fail(message: str) -> NoReturn:
    click.echo(f"opentrail: {message}", err=True)
    raise SystemExit(2)
