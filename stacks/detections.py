"""The detections of an installation, as the stack sees them: compiled rules, and their event patterns.

Like ``playbooks``, a place where stacks look into the product: pySigma compiles each rule here, once,
and what is deployed is the compiled form.
"""

from __future__ import annotations

from pathlib import Path

from opentrail.adapters.sigma.folder import Rules, load
from opentrail.branches.detections.detection import Detection, to_json
from opentrail.branches.detections.pattern import pattern_of

__all__ = ["Detection", "Rules", "compiled", "pattern_of", "to_json"]


def compiled(folder: str) -> Rules:
    """Compile the Sigma rules of ``folder``.

    Raises:
        SettingsError: names every rule that cannot be compiled, its file and why.
    """
    return load(Path(folder))
