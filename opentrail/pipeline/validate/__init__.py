"""Signed digests prove, or disprove, the log files they list.

in: digest
out: report
needs: the stored files and the public keys
"""

from opentrail.pipeline.validate.chain import (
    CheckedDigest,
    PublicKey,
    StoredObject,
    check_chain,
    check_digest,
    check_head,
)
from opentrail.pipeline.validate.files import LogCheck, check_listing, check_log, missing_log
from opentrail.pipeline.validate.ports import Archive, KeySource
from opentrail.pipeline.validate.prove import Evidence, Span, prove, prove_chain

__all__ = [
    "Archive",
    "CheckedDigest",
    "Evidence",
    "KeySource",
    "LogCheck",
    "PublicKey",
    "Span",
    "StoredObject",
    "check_chain",
    "check_digest",
    "check_head",
    "check_listing",
    "check_log",
    "missing_log",
    "prove",
    "prove_chain",
]
