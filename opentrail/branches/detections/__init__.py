"""Detections: a rule says which calls somebody should hear of, and each such call becomes a finding.

in: event
out: finding
needs: nothing

Rules are written in Sigma and compiled once, at synthesis (``opentrail.adapters.sigma``). What the
function carries is the compiled form: a ``Detection`` with a ``Predicate``, in JSON.
"""

from opentrail.branches.detections.detection import Detection
from opentrail.branches.detections.finding import Finding, find
from opentrail.branches.detections.matcher import compile_predicate
from opentrail.branches.detections.pattern import Pattern, pattern_of

__all__ = ["Detection", "Finding", "Pattern", "compile_predicate", "find", "pattern_of"]
