"""Switching a trail on and off, and how it fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from opentrail.api.members import show_status
from opentrail.api.scene import Scene
from opentrail.api.visibility import find_readable, find_writable


def start_logging(scene: Scene, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """StartLogging. A trail that logs already keeps its start time."""
    stored = find_writable(scene, given["Name"])
    if not stored.trail.logging:
        started = replace(stored.trail, logging=True, started_at=scene.seconds)
        scene.ports.trails.replace(started, version=stored.version)
    return {}


def stop_logging(scene: Scene, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """StopLogging. A trail that does not log keeps its stop time."""
    stored = find_writable(scene, given["Name"])
    if stored.trail.logging:
        stopped = replace(stored.trail, logging=False, stopped_at=scene.seconds)
        scene.ports.trails.replace(stopped, version=stored.version)
    return {}


def get_trail_status(scene: Scene, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """GetTrailStatus: logging state of the trail, and outcomes in the Region that is asked."""
    trail = find_readable(scene, given["Name"])
    return show_status(trail, scene.ports.trails.status(trail.arn, scene.region))
