"""Remediation: a dangerous change is found by its event, judged in the live resource, and undone.

in: event
out: decision
needs: nothing

One playbook per file under ``playbooks``; ``engine`` decides, ``guard`` says when not to.
"""

from opentrail.branches.remediation.decision import Decision, Outcome
from opentrail.branches.remediation.engine import Engine
from opentrail.branches.remediation.guard import Guard
from opentrail.branches.remediation.playbook import Danger, Permission, Playbook, Target, calls

__all__ = [
    "Danger",
    "Decision",
    "Engine",
    "Guard",
    "Outcome",
    "Permission",
    "Playbook",
    "Target",
    "calls",
]
