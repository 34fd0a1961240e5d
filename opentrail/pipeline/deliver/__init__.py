"""Chunks become log files, each entered in the ledger before it is stored.

in: chunk
out: log file
needs: ledger, object store, history index
"""

from opentrail.pipeline.deliver.deliver import Delivery, deliver_chunks
from opentrail.pipeline.deliver.ports import Intent, Ledger, LogStore

__all__ = ["Delivery", "Intent", "Ledger", "LogStore", "deliver_chunks"]
