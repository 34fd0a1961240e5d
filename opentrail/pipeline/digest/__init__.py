"""Log files become signed digests, one chain per trail, account and Region.

in: log file
out: digest
needs: ledger, object store, signing key
"""

from opentrail.pipeline.digest.close import Closing, close_windows
from opentrail.pipeline.digest.ports import ChainLedger, DigestStore, Signer

__all__ = ["ChainLedger", "Closing", "DigestStore", "Signer", "close_windows"]
