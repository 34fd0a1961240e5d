"""Log files become signed digests, one chain per trail, account and Region.

in: log file
out: digest
needs: ledger, object store, anchor, signing keys
"""

from opentrail.pipeline.digest.close import Closing, close_windows
from opentrail.pipeline.digest.keyring import KeyWindow, key_for, windows_of
from opentrail.pipeline.digest.ports import Anchor, ChainLedger, DigestStore, Keyring, Signer
from opentrail.pipeline.digest.rotate import KeyMaker, KeyRegistry, rotate

__all__ = [
    "Anchor",
    "ChainLedger",
    "Closing",
    "DigestStore",
    "KeyMaker",
    "KeyRegistry",
    "KeyWindow",
    "Keyring",
    "Signer",
    "close_windows",
    "key_for",
    "rotate",
    "windows_of",
]
