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
from opentrail.pipeline.validate.collect import KEY_MARGIN, Span
from opentrail.pipeline.validate.files import LogCheck, check_listing, check_log, missing_log
from opentrail.pipeline.validate.ports import Archive, KeySource
from opentrail.pipeline.validate.prove import Evidence, prove, prove_chain
from opentrail.pipeline.validate.stored import PublicKey, StoredObject

__all__ = [
    "KEY_MARGIN",
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
