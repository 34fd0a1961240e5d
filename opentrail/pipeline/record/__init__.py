"""Messages from the intake queue become events, and so do log files of CloudTrail's own.

in: message
out: event
needs: nothing
"""

from opentrail.pipeline.record.accept import Accepted, Message, Rejected, accept_messages
from opentrail.pipeline.record.log_files import Skipped, Taken, judge_key, take_log_file

__all__ = [
    "Accepted",
    "Message",
    "Rejected",
    "Skipped",
    "Taken",
    "accept_messages",
    "judge_key",
    "take_log_file",
]
