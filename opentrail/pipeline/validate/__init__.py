"""Signed digests prove, or disprove, the log files they list.

in: digest
out: report
needs: the stored files and the public keys
"""

from opentrail.pipeline.validate.chain import (
    CheckedDigest,
    check_chain,
    check_digest,
    check_head,
)
from opentrail.pipeline.validate.collect import KEY_MARGIN, Reading, Span, collect
from opentrail.pipeline.validate.files import LogCheck, check_listing, check_log, missing_log
from opentrail.pipeline.validate.merge import merge
from opentrail.pipeline.validate.ports import Archive, KeySource
from opentrail.pipeline.validate.proofs import faults_of, find_record, prove_growth, prove_record
from opentrail.pipeline.validate.prove import Evidence, prove, prove_chain
from opentrail.pipeline.validate.stored import PublicKey, StoredObject
from opentrail.pipeline.validate.trees import CheckedTree, check_trees

__all__ = [
    "Archive",
    "CheckedDigest",
    "CheckedTree",
    "Evidence",
    "KEY_MARGIN",
    "KeySource",
    "LogCheck",
    "PublicKey",
    "Reading",
    "Span",
    "StoredObject",
    "check_chain",
    "check_digest",
    "check_head",
    "check_listing",
    "check_log",
    "check_trees",
    "collect",
    "faults_of",
    "find_record",
    "merge",
    "missing_log",
    "prove",
    "prove_chain",
    "prove_growth",
    "prove_record",
]
