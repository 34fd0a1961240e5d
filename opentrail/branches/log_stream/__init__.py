"""Records in CloudWatch Logs, near real time, for trails that name a log group.

in: chunk
out: stream name and batch of log events
needs: nothing
"""

from opentrail.branches.log_stream.batches import Batch, LogEvent, make_batches
from opentrail.branches.log_stream.streams import make_streams, stream_name

__all__ = ["Batch", "LogEvent", "make_batches", "make_streams", "stream_name"]
