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
)
from opentrail.pipeline.validate.files import check_listing, check_log

__all__ = [
    "CheckedDigest",
    "PublicKey",
    "StoredObject",
    "check_chain",
    "check_digest",
    "check_listing",
    "check_log",
]
