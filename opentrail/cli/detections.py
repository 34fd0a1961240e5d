"""``opentrail detections``: Sigma rules compiled, explained and tried out, without any deployment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.source_files import SourceFiles
from opentrail.branches.detections import Detection, compile_predicate, pattern_of
from opentrail.cli._backfill_plan import Range
from opentrail.cli._bucket_files import MAX_FILE_BYTES, Source, SourceType, bucket_records
from opentrail.cli._deployment import UNREACHABLE
from opentrail.cli._event_files import records_of
from opentrail.cli._event_filters import When
from opentrail.cli._words import counted
from opentrail.errors import OpenTrailError
from opentrail.format.own_record import principal_of

if TYPE_CHECKING:
    from opentrail.adapters.sigma.folder import Reading

PLACE = click.Path(exists=True, path_type=Path)


class EventsType(click.ParamType[Any]):
    """A file, a folder, or ``s3://bucket/prefix``."""

    name = "path or s3://bucket[/prefix]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | Source:
        """Read it."""
        if str(value).startswith("s3://"):
            return SourceType().convert(value, param, ctx)
        return Path(PLACE.convert(value, param, ctx))


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
@click.argument("events", type=EventsType(), nargs=-1, required=True)
@click.option("--from", "start", type=When(), help="Of buckets: files delivered from then on: 30d.")
@click.option("--to", "end", type=When(), help="Of buckets: files delivered until then.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: the rule, and the record.")
def test_command(
    rules: Path,
    events: tuple[Path | Source, ...],
    start: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    """Show which records in EVENTS the RULES find.

    EVENTS are files or folders: CloudTrail's log files, gzip or not, lists or lines of records,
    EventBridge events, what `aws cloudtrail lookup-events` prints; or s3://BUCKET/PREFIX, a bucket
    that CloudTrail or OpenTrail delivers to, of any accounts and Regions.

    Exit code 1: nothing was found. 2: a rule cannot be compiled, or a file cannot be read.
    """
    detections = _compiled(rules)
    seen = found = 0
    try:
        for record in _records(events, Range(start=start, end=end)):
            seen += 1
            for detection, matches in detections:
                if matches(record):
                    found += 1
                    click.echo(_match(detection, record) if not as_json else _match_json(detection, record))
    except (OpenTrailError, *UNREACHABLE) as error:
        _fail(str(error))
    if not as_json:
        click.echo(f"{counted(found, 'finding')} in {counted(seen, 'record')}")
    raise SystemExit(0 if found else 1)


def _records(places: Iterable[Path | Source], when: Range) -> Iterator[dict[str, Any]]:
    for place in places:
        if isinstance(place, Path):
            yield from records_of([place])
        else:
            yield from bucket_records(SourceFiles(client("s3"), max_bytes=MAX_FILE_BYTES), place, when)


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
