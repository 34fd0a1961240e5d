"""Remediation on the laptop: its stack is deployed when asked for, and its functions act like anybody's.

All other functions of OpenTrail are left out of the records, since they only move records.
What a playbook changes, people must be able to see.
"""

from __future__ import annotations

from typing import Any

STACK = "OpenTrailRemediation"
MODES = ("observe", "enforce")
HANDLER = "lambdas.remediation.handler.handler"


def is_playbook(function: Any) -> bool:
    """Is ``function`` (moto's model) one of the remediation stack's?"""
    variables = function.environment_vars or {}
    return function.handler == HANDLER and "OPENTRAIL_PLAYBOOK" in variables
