"""How far a back-fill has come, in a small file of the user's: a run that was broken off goes on there.

Not in the ledger: that is the pipeline's own, and a person who back-fills needs no
right to write to it. A lost file costs reading again, not a record twice, for the
ledger knows each file's chunks and event history its events.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from opentrail.errors import FormatError


class Progress(msgspec.Struct, kw_only=True):
    """One folder: every file from ``start`` (ISO time; "" is the first) to the key ``last`` is done."""

    start: str
    last: str


class State(msgspec.Struct, kw_only=True):
    """One back-fill of one source into one deployment."""

    source: str
    arrived_at: float  # epoch seconds: when it began, which is when its events arrive
    folders: dict[str, Progress] = msgspec.field(default_factory=dict)
    failed: dict[str, str] = msgspec.field(default_factory=dict)  # keys passed over, with why
    complete: bool = False  # the next run takes what came since

    def resume_after(self, folder: str, start: str) -> str:
        """The key behind which ``folder`` goes on; "" where this run begins earlier than the one before."""
        known = self.folders.get(folder)
        return known.last if known and known.start <= start else ""


def default_path(source: str, deployment: str) -> Path:
    """Where the state of this source and deployment lies unless told otherwise (XDG base directories)."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = hashlib.sha256(f"{source}\n{deployment}".encode()).hexdigest()[:16]
    return Path(home) / "opentrail" / f"ingest-{name}.json"


def read_state(path: Path, source: str, now: float) -> State:
    """The state there, or a new one.

    Raises:
        FormatError: the file holds something else, or the state of another source.
    """
    if not path.exists():
        return State(source=source, arrived_at=now)
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"{path} is no state of a back-fill: {error}") from error
    if state.source != source:
        raise FormatError(f"{path} is of {state.source}, not of {source}")
    if state.complete:
        state.complete, state.arrived_at = False, now
    return state


def write_state(path: Path, state: State) -> None:
    """Replace the file in one step: a run that is killed leaves the state before or after."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    fresh.replace(path)
