"""Messages from the intake queue become events.

in: message
out: event
needs: nothing
"""

from opentrail.pipeline.record.accept import Accepted, Message, Rejected, accept_messages

__all__ = ["Accepted", "Message", "Rejected", "accept_messages"]
